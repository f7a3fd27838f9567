/** Exports: what was asked for, how it goes, where it ended. */
import type { Sqlite } from '@siphera/runtime';

export type ExportedCamera = { id: string; name: string; area: string; time_zone: string };
export type ExportActor = { kind: 'user' | 'api_key' | 'service'; id: string; name: string };
type Stored = {
  id: string;
  org_id: string;
  name: string;
  cameras: string;
  from_ms: number;
  to_ms: number;
  reason: string;
  incident_id: string | null;
  state: 'running' | 'ready' | 'failed';
  progress: number;
  problem: string | null;
  bytes: number | null;
  sha256: string | null;
  created_ms: number;
  created_by: string;
  actor: string;
  expires_ms: number;
};
export type ExportRow = Omit<Stored, 'cameras' | 'actor'> & { cameras: ExportedCamera[]; actor: ExportActor };
export type NewExport = Omit<ExportRow, 'state' | 'progress' | 'problem' | 'bytes' | 'sha256' | 'created_by'>;

export class ExportStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(row: NewExport): void {
    this.#db
      .prepare(
        `INSERT INTO exports (id, org_id, name, cameras, from_ms, to_ms, reason, incident_id, created_ms, created_by, actor, expires_ms)
         VALUES (@id, @org_id, @name, @cameras, @from_ms, @to_ms, @reason, @incident_id, @created_ms, @created_by, @actor, @expires_ms)`,
      )
      .run({
        ...row,
        cameras: JSON.stringify(row.cameras),
        actor: JSON.stringify(row.actor),
        created_by: row.actor.name,
      });
  }

  get(id: string): ExportRow | undefined {
    const row = this.#db.prepare<[string], Stored>('SELECT * FROM exports WHERE id = ?').get(id);
    return row && toRow(row);
  }

  /** Newest first, after `before`. */
  list(orgId: string, before: string | undefined, limit: number): ExportRow[] {
    return this.#db
      .prepare<[string, string, number], Stored>(
        'SELECT * FROM exports WHERE org_id = ? AND id < ? ORDER BY id DESC LIMIT ?',
      )
      .all(orgId, before ?? '~', limit)
      .map(toRow);
  }

  /** Oldest first: the one that is worked on, and those that wait. */
  running(): ExportRow[] {
    return this.#db
      .prepare<[], Stored>(`SELECT * FROM exports WHERE state = 'running' ORDER BY id`)
      .all()
      .map(toRow);
  }

  progress(id: string, progress: number): void {
    this.#db
      .prepare(`UPDATE exports SET progress = ? WHERE id = ? AND state = 'running'`)
      .run(Math.min(1, progress), id);
  }

  finish(id: string, done: { bytes: number; sha256: string; problem: string | null }): void {
    this.#db
      .prepare(
        `UPDATE exports SET state = 'ready', progress = 1, bytes = ?, sha256 = ?, problem = ? WHERE id = ?`,
      )
      .run(done.bytes, done.sha256, done.problem, id);
  }

  fail(id: string, problem: string): void {
    this.#db.prepare(`UPDATE exports SET state = 'failed', problem = ? WHERE id = ?`).run(problem, id);
  }

  remove(id: string): void {
    this.#db.prepare('DELETE FROM exports WHERE id = ?').run(id);
  }

  expired(nowMs: number): string[] {
    return this.#db
      .prepare<[number], { id: string }>(
        `SELECT id FROM exports WHERE expires_ms <= ? AND state <> 'running'`,
      )
      .all(nowMs)
      .map(({ id }) => id);
  }

  /** Of all exports that lie on the disk. */
  bytesKept(): number {
    return this.#db.prepare<[], { n: number | null }>('SELECT sum(bytes) AS n FROM exports').get()?.n ?? 0;
  }
}

const toRow = (row: Stored): ExportRow => ({
  ...row,
  cameras: JSON.parse(row.cameras) as ExportedCamera[],
  actor: JSON.parse(row.actor) as ExportActor,
});
