/** A box whose clock is set 40 days ahead: nothing goes by age, also not after a restart, until the time was the same for a day. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, migrate, openDatabase, type Sqlite } from '@siphera/runtime';
import { fakeClock, fakeStartMs, type FakeClock } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ground } from '../ground.ts';
import { ExpiryClockStore } from '../store/expiry-clock.store.ts';
import { LockStore } from '../store/lock.store.ts';
import { MarkStore } from '../store/mark.store.ts';
import { SegmentStore } from '../store/segment.store.ts';
import { StorageStore } from '../store/storage.store.ts';
import { ExpiryClock } from './expiry-clock.ts';
import type { RecorderParts } from './recorder/parts.ts';
import { Retention } from './recorder/retention.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const cameraId = '0192f000-0000-7000-8000-0000000000c1';

let directory: string;
let db: Sqlite;
let clock: FakeClock;
let lines: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'siphera-expiry-'));
  db = openDatabase(join(directory, 'camera.db'));
  migrate(db, join(import.meta.dirname, '..', '..', 'migrations'), 0);
  clock = fakeClock();
  lines = [];
});
afterEach(() => {
  db.close();
  rmSync(directory, { recursive: true, force: true });
});

const logger = () =>
  createLogger({ service: 'test', destination: { write: (line) => void lines.push(line) } });
const start = (): ExpiryClock => new ExpiryClock({ clock, log: logger(), store: new ExpiryClockStore(db) });

/** Each hour the heartbeat looks. */
function pass(expiry: ExpiryClock, hours: number): void {
  for (let hour = 0; hour < hours; hour += 1) {
    clock.advance(hourMs);
    expiry.check();
  }
}

describe('a clock that is set 40 days ahead', () => {
  it('is told in the log and the heartbeat, and is believed after a day at which restarts count as nothing', () => {
    const expiry = start();
    pass(expiry, 2);
    expect(expiry.check().state).toBe('ok');
    clock.set(clock.now() + 40 * dayMs);
    expect(expiry.now()).toBe(fakeStartMs + 2 * hourMs);
    expect(expiry.check()).toMatchObject({
      state: 'degraded',
      detail: expect.stringContaining(
        'The clock jumped by 40 days: nothing is deleted by age until 2026-04-12T10:00:00.000Z',
      ) as string,
    });
    expect(lines.filter((line) => line.includes('clock_jumped'))).toHaveLength(1);
    pass(expiry, 10);
    const restarted = start();
    expect(restarted.now()).toBe(fakeStartMs + 2 * hourMs);
    pass(restarted, 13);
    expect(restarted.check().state).toBe('degraded');
    pass(restarted, 1);
    expect(restarted.check().state).toBe('ok');
    expect(restarted.now()).toBe(clock.now());
  });

  it('is seen when it was set while the service did not run; a night off is no jump', () => {
    start();
    clock.set(clock.now() + 12 * hourMs);
    expect(start().check().state).toBe('ok');
    clock.set(clock.now() + 21 * dayMs);
    expect(start().check().detail).toContain('21 days');
  });

  it('still gives a time when it cannot be kept', () => {
    const expiry = start();
    db.exec('DROP TABLE expiry_clock');
    clock.set(clock.now() + 40 * dayMs);
    expect(expiry.now()).toBe(fakeStartMs);
    expect(lines.join()).toContain('expiry_clock_not_kept');
  });

  it('takes no footage past its days and no lock, until it was the same for a day', async () => {
    const expiry = start();
    const [segments, locks] = [new SegmentStore(db), new LockStore(db)];
    addFootage(segments);
    locks.add({ ...lock, until_ms: fakeStartMs + 35 * dayMs });
    const ground = { clock, expiry, db, log: logger(), directory: { all: () => [], get: () => undefined } };
    const storages = { all: () => [], get: () => undefined, usedBy: () => 0 };
    const parts = { ground: ground as unknown as Ground, segments, storages, marks: new MarkStore(db) };
    const retention = new Retention(parts as unknown as RecorderParts);
    clock.set(clock.now() + 40 * dayMs);
    await retention.sweep();
    expect(locks.removeExpired(expiry.now())).toBe(0);
    const left = () => db.prepare<[], { file: string }>('SELECT file FROM segments ORDER BY file').all();
    expect(left()).toEqual([{ file: 'locked' }, { file: 'usual' }]);
    // A quota takes it all the same, but not what a lock holds by the time before the jump.
    expect(segments.oldestOfCamera(cameraId, expiry.now()).map(({ file }) => file)).toEqual(['usual']);
    pass(expiry, 25);
    await retention.sweep();
    expect(left()).toEqual([]);
  });
});

const lock = {
  id: 'l',
  camera_id: cameraId,
  from_ms: fakeStartMs - 2 * hourMs,
  to_ms: fakeStartMs - 2 * hourMs + 1_000,
  reason: 'Incident',
  incident_id: null,
  locked_by: 'Ada',
  locked_ms: fakeStartMs,
};

function addFootage(segments: SegmentStore): void {
  const storage = { id: 's', name: 'Footage', path: directory, head_room_bytes: 0, created_ms: 0 };
  new StorageStore(db).insert({ ...storage, quota_bytes: null, failed_ms: null });
  const row = {
    camera_id: cameraId,
    storage_id: 's',
    to_ms: null,
    bytes: 9,
    init_bytes: 1,
    mime: 'video/mp4',
  };
  for (const [file, from_ms] of [
    ['locked', lock.from_ms],
    ['usual', fakeStartMs - hourMs],
  ] as const) {
    const id = segments.insert({ ...row, file, from_ms, width: 1, height: 1, fragments: Buffer.alloc(0) });
    segments.close(id, { toMs: from_ms + 30_000, bytes: 9, fragments: Buffer.alloc(0) });
    segments.setJudged([id], 1);
  }
}
