import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillDays, forecast, type RecordedCamera } from './forecast.ts';
import { capacityBytes, pickStorage, type StorageView } from './pick-storage.ts';

const gib = 1_024 ** 3;
const camera = (more: Partial<RecordedCamera>): RecordedCamera => ({
  id: 'a',
  name: 'Gate',
  bytesPerDay: 10 * gib,
  keepDays: 30,
  quotaBytes: null,
  storageId: null,
  ...more,
});
const disk = (id: string, gibs: number) => ({ storageId: id, bytes: gibs * gib });

describe('the forecast', () => {
  it('divides the room by what comes each day, and names the promises that do not fit', () => {
    const found = forecast([camera({}), camera({ id: 'b', name: 'Yard' })], [disk('d', 400)]);
    expect(found).toMatchObject({ keepsDays: 20, bytesPerDay: 20 * gib });
    expect(found.short).toEqual([
      { cameraId: 'a', name: 'Gate', promisedDays: 30, keepsDays: 20 },
      { cameraId: 'b', name: 'Yard', promisedDays: 30, keepsDays: 20 },
    ]);
  });

  it('leaves the room of short promises to the long ones', () => {
    const found = forecast([camera({ keepDays: 5 }), camera({ id: 'b', keepDays: 60 })], [disk('d', 650)]);
    expect(found.short).toEqual([]);
    expect(
      forecast([camera({ keepDays: 5 }), camera({ id: 'b', keepDays: 60 })], [disk('d', 550)]).short,
    ).toEqual([{ cameraId: 'b', name: 'Gate', promisedDays: 60, keepsDays: 50 }]);
  });

  it('sees a quota that breaks the promise', () => {
    expect(forecast([camera({ quotaBytes: 50 * gib })], [disk('d', 9_000)]).short[0]).toMatchObject({
      keepsDays: 5,
    });
  });

  it('says nothing where nothing is recorded', () => {
    expect(forecast([camera({ bytesPerDay: 0 })], [disk('d', 10)])).toMatchObject({
      keepsDays: null,
      short: [],
    });
    expect(forecast([], [])).toMatchObject({ keepsDays: null });
  });

  it('fills the room exactly, or keeps every promise', () => {
    const cameras = fc.array(
      fc.record({
        bytesPerDay: fc.integer({ min: 1, max: 1_000 }),
        keepDays: fc.option(fc.integer({ min: 1, max: 400 }), { nil: null }),
      }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(cameras, fc.integer({ min: 0, max: 1_000_000 }), (some, room) => {
        const days = fillDays(some, room);
        const used = some.reduce(
          (sum, one) => sum + one.bytesPerDay * Math.min(one.keepDays ?? Infinity, days),
          0,
        );
        if (days === Infinity) expect(used).toBeLessThanOrEqual(room + 1e-3);
        else expect(Math.abs(used - room)).toBeLessThan(1e-3);
      }),
    );
  });
});

describe('where the next segment goes', () => {
  const view = (id: string, more: Partial<StorageView> = {}): StorageView => ({
    id,
    isUsable: true,
    freeBytes: 100,
    headRoomBytes: 10,
    quotaBytes: null,
    usedBytes: 0,
    ...more,
  });

  it('is the wished storage while it can be used, else the one with the most room', () => {
    expect(pickStorage([view('a'), view('b', { freeBytes: 500 })], 'a')).toBe('a');
    expect(pickStorage([view('a', { isUsable: false }), view('b')], 'a')).toBe('b');
    expect(pickStorage([view('a'), view('b', { freeBytes: 500, quotaBytes: 50 })], null)).toBe('a');
    expect(pickStorage([view('a', { isUsable: false })], null)).toBeUndefined();
  });

  it('counts what lies there as room for newer footage', () => {
    expect(capacityBytes(view('a', { usedBytes: 900 }))).toBe(990);
    expect(capacityBytes(view('a', { usedBytes: 900, quotaBytes: 400 }))).toBe(400);
    expect(capacityBytes(view('a', { freeBytes: 5 }))).toBe(0);
  });
});
