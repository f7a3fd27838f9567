/** Segments of footage and files that must go. Create: the file is durable before its row. Delete: the row is gone before the file. */
import type { Sqlite } from '@siphera/runtime';

export type Judged = 0 | 1 | 2;
export type SegmentRow = {
  id: number;
  camera_id: string;
  storage_id: string;
  file: string;
  from_ms: number;
  to_ms: number | null;
  bytes: number;
  init_bytes: number;
  mime: string;
  width: number;
  height: number;
  judged: Judged;
};
export type StoredSegment = SegmentRow & { fragments: Buffer };
export type GarbageRow = { id: number; storage_id: string; file: string };
export type Candidate = Pick<SegmentRow, 'id' | 'camera_id' | 'storage_id' | 'file' | 'from_ms' | 'bytes'> & {
  to_ms: number;
};

const columns =
  'id, camera_id, storage_id, file, from_ms, to_ms, bytes, init_bytes, mime, width, height, judged';
const candidate = 'id, camera_id, storage_id, file, from_ms, to_ms, bytes';
/**
 * A lock that holds now keeps every segment that it touches. A camera may have thousands of locks: those of up to an hour are
 * looked for where they can begin, the few longer ones by the partial index in the migration that names the same length.
 */
const usualLockMsMax = 3_600_000;
const isHeldBy = `locks.camera_id = segments.camera_id AND locks.to_ms >= segments.from_ms
  AND locks.from_ms <= segments.to_ms AND (locks.until_ms IS NULL OR locks.until_ms > @now)`;
export const unlocked = `NOT EXISTS (SELECT 1 FROM locks INDEXED BY locks_by_start WHERE ${isHeldBy}
    AND locks.from_ms >= segments.from_ms - ${usualLockMsMax})
  AND NOT EXISTS (SELECT 1 FROM locks INDEXED BY locks_long WHERE ${isHeldBy}
    AND locks.to_ms - locks.from_ms > ${usualLockMsMax})`;
/** The oldest first, but not the one under way. */
const batchMax = 500;

/** Two usual segments: so far back one is looked for that reaches beyond a later one. */
const overlapMs = 60_000;

export class SegmentStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** The file is durable; from now on it is known. @returns its id. */
  insert(row: Omit<StoredSegment, 'id' | 'judged'>): number {
    const { lastInsertRowid } = this.#db
      .prepare(
        `INSERT INTO segments (camera_id, storage_id, file, from_ms, to_ms, bytes, init_bytes, mime, width, height, fragments)
         VALUES (@camera_id, @storage_id, @file, @from_ms, @to_ms, @bytes, @init_bytes, @mime, @width, @height, @fragments)`,
      )
      .run(row);
    return Number(lastInsertRowid);
  }

  close(id: number, end: { toMs: number; bytes: number; fragments: Buffer }): void {
    this.#db
      .prepare('UPDATE segments SET to_ms = max(from_ms, ?), bytes = ?, fragments = ? WHERE id = ?')
      .run(end.toMs, end.bytes, end.fragments, id);
  }

  get(id: number): StoredSegment | undefined {
    return this.#db
      .prepare<[number], StoredSegment>(`SELECT ${columns}, fragments FROM segments WHERE id = ?`)
      .get(id);
  }

  /** Closed and growing ones that may touch the range, oldest first. */
  between(cameraId: string, fromMs: number, toMs: number, limit: number): SegmentRow[] {
    // The index knows where segments begin; one that begins earlier may still reach into the range, and where the clock was set
    // back two of them lie over each other.
    const first = this.#db
      .prepare<[string, number], { from_ms: number }>(
        'SELECT from_ms FROM segments WHERE camera_id = ? AND from_ms <= ? ORDER BY from_ms DESC LIMIT 1',
      )
      .get(cameraId, fromMs);
    return this.#db
      .prepare<[string, number, number, number, number], SegmentRow>(
        `SELECT ${columns} FROM segments WHERE camera_id = ? AND from_ms >= ? AND from_ms < ?
         AND (to_ms IS NULL OR to_ms > ?) ORDER BY from_ms LIMIT ?`,
      )
      .all(cameraId, Math.min(first?.from_ms ?? fromMs, fromMs - overlapMs), toMs, fromMs, limit);
  }

  /** The last that begins at or before a moment. */
  before(cameraId: string, atMs: number): SegmentRow | undefined {
    return this.#db
      .prepare<[string, number], SegmentRow>(
        `SELECT ${columns} FROM segments WHERE camera_id = ? AND from_ms <= ? ORDER BY from_ms DESC LIMIT 1`,
      )
      .get(cameraId, atMs);
  }

  /** Oldest and newest moment there is footage of. */
  range(cameraId: string): { from_ms: number; to_ms: number | null } | undefined {
    const first = this.#db
      .prepare<[string], { from_ms: number }>(
        'SELECT from_ms FROM segments WHERE camera_id = ? ORDER BY from_ms LIMIT 1',
      )
      .get(cameraId);
    const last = this.#db
      .prepare<[string], { to_ms: number | null }>(
        'SELECT to_ms FROM segments WHERE camera_id = ? ORDER BY from_ms DESC LIMIT 1',
      )
      .get(cameraId);
    return first && last ? { from_ms: first.from_ms, to_ms: last.to_ms } : undefined;
  }

  /** Rows without an end. Those that nobody writes belong to a service that died. */
  unfinished(): SegmentRow[] {
    return this.#db.prepare<[], SegmentRow>(`SELECT ${columns} FROM segments WHERE to_ms IS NULL`).all();
  }

  /** Bytes by camera and storage. */
  totals(): { camera_id: string; storage_id: string; bytes: number }[] {
    return this.#db
      .prepare<[], { camera_id: string; storage_id: string; bytes: number }>(
        'SELECT camera_id, storage_id, sum(bytes) AS bytes FROM segments GROUP BY camera_id, storage_id',
      )
      .all();
  }

  /** Bytes kept of a camera since a moment, and the oldest of them: what it really needs. */
  keptSince(cameraId: string, sinceMs: number): { bytes: number; from_ms: number | null } {
    return (
      this.#db
        .prepare<[string, number], { bytes: number; from_ms: number | null }>(
          `SELECT coalesce(sum(bytes), 0) AS bytes, min(from_ms) AS from_ms FROM segments
           WHERE camera_id = ? AND from_ms >= ? AND judged > 0`,
        )
        .get(cameraId, sinceMs) ?? { bytes: 0, from_ms: null }
    );
  }

  cameraIds(): string[] {
    // Skips from one camera to the next in the index instead of reading every row.
    return this.#db
      .prepare<[], { id: string }>(
        `WITH RECURSIVE ids (id) AS (
           SELECT min(camera_id) FROM segments
           UNION ALL SELECT (SELECT min(camera_id) FROM segments WHERE camera_id > ids.id) FROM ids WHERE id IS NOT NULL)
         SELECT id FROM ids WHERE id IS NOT NULL`,
      )
      .all()
      .map((row) => row.id);
  }

  unjudged(endedBeforeMs: number): (Candidate & { judged: Judged })[] {
    return this.#db
      .prepare<[number, number], Candidate & { judged: Judged }>(
        `SELECT ${candidate}, judged FROM segments WHERE judged = 0 AND from_ms < ? AND to_ms IS NOT NULL
         ORDER BY from_ms LIMIT ?`,
      )
      .all(endedBeforeMs, batchMax);
  }

  setJudged(ids: readonly number[], judged: 1 | 2): void {
    const statement = this.#db.prepare('UPDATE segments SET judged = ? WHERE id = ?');
    this.#db
      .transaction(() => {
        for (const id of ids) statement.run(judged, id);
      })
      .immediate();
  }

  /** Something is told of a time that was judged already: what is still there of it counts as footage of an event. */
  markEvent(cameraId: string, fromMs: number, toMs: number): void {
    this.#db
      .prepare(
        'UPDATE segments SET judged = 2 WHERE camera_id = ? AND judged = 1 AND from_ms <= ? AND from_ms >= ? AND to_ms >= ?',
      )
      .run(cameraId, toMs, fromMs - 3_600_000, fromMs);
  }

  /** Oldest first, unlocked, ended before a moment. */
  expired(cameraId: string, judged: 1 | 2, endedBeforeMs: number, nowMs: number): Candidate[] {
    return this.#db
      .prepare<[Record<string, unknown>], Candidate>(
        `SELECT ${candidate} FROM segments WHERE camera_id = @camera AND judged = @judged AND from_ms < @before
         AND to_ms < @before AND ${unlocked} ORDER BY from_ms LIMIT ${batchMax}`,
      )
      .all({ camera: cameraId, judged, before: endedBeforeMs, now: nowMs });
  }

  oldestOfCamera(cameraId: string, nowMs: number): Candidate[] {
    return this.#db
      .prepare<[Record<string, unknown>], Candidate>(
        `SELECT ${candidate} FROM segments WHERE camera_id = @camera AND to_ms IS NOT NULL AND ${unlocked}
         ORDER BY from_ms LIMIT ${batchMax}`,
      )
      .all({ camera: cameraId, now: nowMs });
  }

  oldestOfStorage(storageId: string, nowMs: number): Candidate[] {
    return this.#db
      .prepare<[Record<string, unknown>], Candidate>(
        `SELECT ${candidate} FROM segments WHERE storage_id = @storage AND to_ms IS NOT NULL AND ${unlocked}
         ORDER BY from_ms LIMIT ${batchMax}`,
      )
      .all({ storage: storageId, now: nowMs });
  }

  /** Rows go, their files become garbage, in one transaction. Looks at the locks once more: one may have been set meanwhile. @returns those that went. */
  discard(rows: readonly Candidate[], why: string, nowMs: number): Candidate[] {
    const drop = this.#db.prepare<[Record<string, unknown>]>(
      `DELETE FROM segments WHERE id = @id AND ${unlocked}`,
    );
    return this.#db
      .transaction(() =>
        rows.filter((row) => {
          if (drop.run({ id: row.id, now: nowMs }).changes === 0) return false;
          this.addGarbage(row.storage_id, row.file, why);
          return true;
        }),
      )
      .immediate();
  }

  /** Its file is not there, or holds nothing: there is nothing to remove. */
  forget(id: number): void {
    this.#db.prepare('DELETE FROM segments WHERE id = ?').run(id);
  }

  addGarbage(storageId: string, file: string, why: string): void {
    this.#db
      .prepare('INSERT INTO garbage (storage_id, file, why) VALUES (?, ?, ?)')
      .run(storageId, file, why);
  }

  garbage(storageId: string): GarbageRow[] {
    return this.#db
      .prepare<[string, number], GarbageRow>(
        'SELECT id, storage_id, file FROM garbage WHERE storage_id = ? ORDER BY id LIMIT ?',
      )
      .all(storageId, batchMax);
  }

  garbageGone(ids: readonly number[]): void {
    const statement = this.#db.prepare('DELETE FROM garbage WHERE id = ?');
    this.#db
      .transaction(() => {
        for (const id of ids) statement.run(id);
      })
      .immediate();
  }

  /** All files that wait to be removed from a storage. */
  garbageFiles(storageId: string): Set<string> {
    const rows = this.#db
      .prepare<[string], { file: string }>('SELECT file FROM garbage WHERE storage_id = ?')
      .all(storageId);
    return new Set(rows.map((row) => row.file));
  }

  /** Days (since 1970, UTC) of which there are rows of a camera on a storage. */
  days(cameraId: string, storageId: string): number[] {
    return this.#db
      .prepare<[string, string], { day: number }>(
        'SELECT DISTINCT from_ms / 86400000 AS day FROM segments WHERE camera_id = ? AND storage_id = ?',
      )
      .all(cameraId, storageId)
      .map((row) => row.day);
  }

  /** Closed rows of a camera and day, and growing ones. */
  ofDay(
    cameraId: string,
    storageId: string,
    day: number,
  ): { id: number; file: string; to_ms: number | null }[] {
    return this.#db
      .prepare<[string, number, number, string], { id: number; file: string; to_ms: number | null }>(
        'SELECT id, file, to_ms FROM segments WHERE camera_id = ? AND from_ms >= ? AND from_ms < ? AND storage_id = ?',
      )
      .all(cameraId, day * 86_400_000, (day + 1) * 86_400_000, storageId);
  }
}
