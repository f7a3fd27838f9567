import { describe, expect, it } from 'vitest';
import { isWanted, noFilter, prepend, toQuery, type StoredEvent } from './event-filter.ts';

const event = (seq: number, more: Partial<StoredEvent> = {}): StoredEvent => ({
  specversion: '1.0',
  seq,
  id: `e${String(seq)}`,
  source: 'urn:test',
  type: 'door.forced',
  class: 'intrusion',
  version: 1,
  title: 'Door forced',
  time: '2026-11-22T06:00:00.000Z',
  recordedtime: '2026-11-22T06:00:00.100Z',
  late_ms: 0,
  delivery: 'live',
  clock_suspect: false,
  device_name: 'Loading dock door',
  area_id: 'dock',
  orgid: 'org',
  trace_id: 't',
  data: { note: 'Opened without a badge' },
  ...more,
});

describe('live events in a filtered list', () => {
  it('takes an event of an area below the chosen one, and none without an area', () => {
    const areas = new Set(['ground', 'dock']);
    expect(isWanted(event(1), { ...noFilter, areaId: 'ground' }, areas)).toBe(true);
    const { area_id: _gone, ...nowhere } = event(2);
    expect(isWanted(nowhere, { ...noFilter, areaId: 'ground' }, areas)).toBe(false);
  });

  it('finds words in what the device said', () => {
    expect(isWanted(event(1), { ...noFilter, q: 'BADGE' }, undefined)).toBe(true);
    expect(isWanted(event(1), { ...noFilter, q: 'smoke' }, undefined)).toBe(false);
  });

  it('keeps to the time asked for', () => {
    expect(isWanted(event(1), { ...noFilter, until: '2026-11-21T00:00:00Z' }, undefined)).toBe(false);
    expect(isWanted(event(1), { ...noFilter, since: '2026-11-21T00:00:00Z' }, undefined)).toBe(true);
  });

  it('puts the newest first and none twice', () => {
    expect(prepend([event(3), event(2)], [event(3), event(4), event(5)]).map((one) => one.seq)).toEqual([
      5, 4, 3, 2,
    ]);
  });

  it('asks the box only for what is set', () => {
    expect(Object.values(toQuery(noFilter)).every((value) => value === undefined)).toBe(true);
    expect(toQuery({ ...noFilter, class: 'fire', q: ' smoke ' })).toMatchObject({
      class: 'fire',
      q: 'smoke',
    });
  });
});
