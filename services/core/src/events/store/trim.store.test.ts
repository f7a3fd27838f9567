import { describe, expect, it } from 'vitest';
import { openMemory, startMs } from '../../testing/memory-box.ts';
import { EventTrim, positionsPerSlice, rowsPerSlice, trimChanges, trimDeliveries } from './trim.store.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const hour = (ms: number): number => Math.floor(ms / hourMs);
const policy = { class: 'motion' as const, days_max: 1, bytes_max: null };

function boxWith(classes: readonly string[], atMs: number) {
  const memory = openMemory();
  const { db } = memory;
  const insert = db.prepare(
    `INSERT INTO events (seq, org_id, origin, source, id, type, class, version, time_ms, recorded_ms, late_ms, delivery, clock_suspect, trace_id, data)
     VALUES (?, 'o', 'x', 's', ?, 't', ?, 1, 0, 0, 0, 'live', 0, 't', '{}')`,
  );
  const volume = db.prepare(
    `INSERT INTO event_volume (class, hour, rows, bytes, seq_max) VALUES (?, ?, 1, 100, ?)
     ON CONFLICT (class, hour) DO UPDATE SET seq_max = excluded.seq_max`,
  );
  db.transaction(() => {
    for (const [index, klass] of classes.entries()) {
      insert.run(index + 1, String(index), klass);
      volume.run(klass, hour(atMs), index + 1);
    }
  })();
  const count = (klass: string): number =>
    db.prepare<[string], { n: number }>('SELECT count(*) AS n FROM events WHERE class = ?').get(klass)?.n ??
    -1;
  return { ...memory, count };
}

describe('EventTrim', () => {
  it('takes off a class that is too old in slices, and leaves the others', async () => {
    const classes = Array.from({ length: 2 * rowsPerSlice + 10 }, () => 'motion');
    const { writer, count } = boxWith([...classes, 'panic'], startMs - 2 * dayMs);
    const trim = new EventTrim();
    const slice = () => writer.submit((tx) => trim.slice(tx, policy));
    expect(await slice()).toBe(true);
    expect(count('motion')).toBe(rowsPerSlice + 10);
    while (await slice());
    expect([count('motion'), count('panic')]).toEqual([0, 1]);
  });

  it('searches a rare class among readings a bounded stretch at a time', async () => {
    const readings = Array.from({ length: positionsPerSlice + 5 }, () => 'telemetry');
    const { writer, count } = boxWith(['motion', ...readings, 'motion'], startMs - 2 * dayMs);
    const trim = new EventTrim();
    const slice = () => writer.submit((tx) => trim.slice(tx, policy));
    expect(await slice()).toBe(true);
    expect(count('motion')).toBe(1);
    expect(await slice()).toBe(true);
    expect(count('motion')).toBe(0);
    expect(await slice()).toBe(false);
  });

  it('searches again what a failed commit brought back', async () => {
    const readings = Array.from({ length: positionsPerSlice + 5 }, () => 'telemetry');
    const { writer, count } = boxWith(['motion', ...readings, 'motion'], startMs - 2 * dayMs);
    const trim = new EventTrim();
    const failed = writer.submit((tx) => {
      trim.slice(tx, policy);
      throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
    });
    await expect(failed).rejects.toMatchObject({ code: 'disk_full' });
    while (await writer.submit((tx) => trim.slice(tx, policy)));
    expect(count('motion')).toBe(0);
  });
});

describe('other rows', () => {
  it('keeps two days of feed, and says from where on it is kept', async () => {
    const { writer, db, clock } = openMemory();
    const add = () =>
      writer.submit((tx) =>
        tx.change({
          kind: 'settings',
          action: 'updated',
          id: 'x',
          orgId: 'o',
          audience: 'system.read',
          scopes: [],
        }),
      );
    await add();
    clock.advance(3 * dayMs);
    await add();
    expect(await writer.submit(trimChanges)).toBe(false);
    expect(db.prepare('SELECT seq FROM changes').all()).toEqual([{ seq: 2 }]);
    expect(db.prepare(`SELECT value FROM facts WHERE name = 'feed_floor'`).get()).toEqual({ value: '1' });
  });

  it('forgets deliveries after 90 days, but never one that waits', async () => {
    const { writer, db } = openMemory();
    const add = (ms: number, state: string): void => {
      const hex = ms.toString(16).padStart(12, '0');
      db.prepare(
        `INSERT INTO outbox (id, org_id, channel, target, subject, body, critical, state, created_ms, next_ms)
         VALUES (?, 'o', 'email', 'a@example.org', ?, '{}', 0, ?, ?, 0)`,
      ).run(`${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-00000000000${state.length % 10}`, state, state, ms);
    };
    add(startMs - 100 * dayMs, 'delivered');
    add(startMs - 100 * dayMs, 'pending');
    add(startMs - 10 * dayMs, 'gave_up');
    expect(await writer.submit(trimDeliveries)).toBe(false);
    expect(db.prepare('SELECT state FROM outbox ORDER BY state').all()).toEqual([
      { state: 'gave_up' },
      { state: 'pending' },
    ]);
  });
});
