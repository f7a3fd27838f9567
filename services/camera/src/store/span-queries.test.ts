/** Marks and locks are looked up for every segment and every look at a camera: by indexes, and with the answers of a plain query. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, openDatabase, type Sqlite } from '@siphera/runtime';
import { fakeRandom } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MarkStore, spansQuery } from './mark.store.ts';
import { SegmentStore, unlocked } from './segment.store.ts';
import { StorageStore } from './storage.store.ts';

const cameras = ['a', 'b', 'c'];
const dayMs = 86_400_000;
const hourMs = 3_600_000;
const nowMs = dayMs + 1_000;

let directory: string;
let db: Sqlite;
const random = fakeRandom(7);
const pick = (max: number): number => Math.floor(random.fraction() * max);
/** Mostly short ones, some of exactly the usual length, some of many hours. */
const lengthMs = (): number =>
  [0, pick(60_000), pick(hourMs), hourMs, hourMs + 1, pick(20 * hourMs)][pick(6)] ?? 0;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'siphera-spans-'));
  db = openDatabase(join(directory, 'camera.db'));
  migrate(db, join(import.meta.dirname, '..', '..', 'migrations'), 0);
});
afterEach(() => {
  db.close();
  rmSync(directory, { recursive: true, force: true });
});

const plan = (sql: string, values: Record<string, unknown>): string[] =>
  db
    .prepare<[Record<string, unknown>], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
    .all(values)
    .map(({ detail }) => detail);

describe('spans of marks', () => {
  const kinds = ['motion', 'event', 'keep'] as const;

  it('are read by three indexes, none of which is read from its beginning to its end', () => {
    const steps = plan(spansQuery, { camera: 'a', kind: 'motion', from: 0, to: 1 }).join('\n');
    expect(steps).toContain('happenings_by_kind (camera_id=? AND kind=? AND from_ms>? AND from_ms<?)');
    expect(steps).toContain('happenings_long (camera_id=? AND kind=? AND from_ms<?)');
    expect(steps).toContain('happenings_open (camera_id=?)');
    expect(steps).not.toContain('SCAN');
  });

  it('are those that a look at every row finds', () => {
    const insert = db.prepare(
      'INSERT INTO happenings (camera_id, kind, from_ms, to_ms) VALUES (@camera, @kind, @from, @to)',
    );
    db.transaction(() => {
      for (let row = 0; row < 2_000; row += 1) {
        const from = pick(dayMs);
        const to = pick(100) === 0 ? null : from + lengthMs();
        insert.run({ camera: cameras[pick(3)], kind: kinds[pick(3)], from, to });
      }
    })();
    const everyRow = db.prepare<[Record<string, unknown>], { fromMs: number; toMs: number }>(
      `SELECT from_ms AS fromMs, coalesce(to_ms, max(from_ms, @now)) AS toMs FROM happenings
       WHERE camera_id = @camera AND kind = @kind AND from_ms <= @to AND (to_ms IS NULL OR to_ms >= @from)`,
    );
    const sorted = (spans: { fromMs: number; toMs: number }[]) =>
      spans.toSorted((one, two) => one.fromMs - two.fromMs || one.toMs - two.toMs);
    const marks = new MarkStore(db);
    for (let turn = 0; turn < 300; turn += 1) {
      const [camera = '', kind = 'motion'] = [cameras[pick(3)], kinds[pick(3)]];
      const fromMs = pick(dayMs);
      const range = { fromMs, toMs: fromMs + lengthMs() };
      const found = marks.spans(camera, kind, range, nowMs);
      const wanted = everyRow.all({ camera, kind, from: range.fromMs, to: range.toMs, now: nowMs });
      expect(sorted(found)).toEqual(sorted(wanted));
    }
  });
});

describe('what no lock holds', () => {
  it('is told by indexes that lead to the locks around a segment', () => {
    const steps = plan(`SELECT id FROM segments WHERE id = @id AND ${unlocked}`, { id: 1, now: 0 });
    expect(steps.join('\n')).toContain('locks_by_start (camera_id=? AND from_ms>? AND from_ms<?)');
    expect(steps.join('\n')).toContain('locks_long (camera_id=? AND from_ms<?)');
    expect(steps.join('\n')).not.toContain('SCAN');
  });

  it('is what a look at every lock leaves', () => {
    new StorageStore(db).insert({
      id: 's',
      name: 'Footage',
      path: directory,
      head_room_bytes: 0,
      quota_bytes: null,
      created_ms: 0,
      failed_ms: null,
    });
    const segment = db.prepare(
      `INSERT INTO segments (camera_id, storage_id, file, from_ms, to_ms, init_bytes, mime, width, height)
       VALUES (@camera, 's', @file, @from, @to, 0, '', 0, 0)`,
    );
    const lock = db.prepare(
      `INSERT INTO locks (id, camera_id, from_ms, to_ms, reason, locked_by, locked_ms, until_ms)
       VALUES (@id, @camera, @from, @to, '', '', 0, @until)`,
    );
    db.transaction(() => {
      for (let row = 0; row < 400; row += 1) {
        const from = pick(dayMs);
        segment.run({ camera: 'a', file: `${row}`, from, to: from + pick(60_000) });
      }
      for (let row = 0; row < 20; row += 1) {
        const from = pick(dayMs);
        const until = [null, nowMs, nowMs + 1][pick(3)];
        lock.run({ id: `${row}`, camera: cameras[pick(2)], from, to: from + pick(hourMs / 20), until });
        lock.run({ id: `long ${row}`, camera: 'b', from, to: from + 5 * hourMs, until });
      }
      for (const until of [null, nowMs])
        lock.run({ id: `a ${until}`, camera: 'a', from: 6 * hourMs, to: 10 * hourMs, until });
    })();
    const wanted = db
      .prepare<[number], { id: number }>(
        `SELECT id FROM segments WHERE camera_id = 'a' AND NOT EXISTS (SELECT 1 FROM locks
         WHERE locks.camera_id = segments.camera_id AND locks.to_ms >= segments.from_ms
         AND locks.from_ms <= segments.to_ms AND (until_ms IS NULL OR until_ms > ?)) ORDER BY from_ms`,
      )
      .all(nowMs);
    const found = new SegmentStore(db).oldestOfCamera('a', nowMs);
    expect(found.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id));
    expect(found.length).toBeGreaterThan(100);
    expect(found.length).toBeLessThan(390);
  });
});
