/**
 * Exports: what was asked for, how it goes, where it ended. What must stay true: while an export runs, a row in `locks` of each
 * of its cameras holds the footage of its time, so that nothing is taken away between its plan and its end.
 */
import type { Sqlite } from '@siphera/runtime';
import { exportLocks } from './lock.store.ts';

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

  /** From now on it runs, and its footage is held. */
  add(row: NewExport): void {
    const add = this.#db.transaction(() => {
      this.#insert(row);
      this.hold(row);
    });
    add.immediate();
  }

  /** Holds the footage of an export that runs; once more changes nothing. */
  hold({ id, name, cameras, from_ms, to_ms, incident_id, created_ms }: Omit<NewExport, 'org_id'>): void {
    const lock = this.#db.prepare(
      `INSERT OR IGNORE INTO locks (id, camera_id, from_ms, to_ms, reason, incident_id, locked_by, locked_ms, until_ms)
       VALUES (?, ?, ?, ?, ?, ?, 'Siphera', ?, NULL)`,
    );
    for (const camera of cameras)
      lock.run(
        `${exportLocks}${id}:${camera.id}`,
        ...[camera.id, from_ms, to_ms, `Export: ${name}`, incident_id, created_ms],
      );
  }

  /** Lets go what exports hold that do not run: of a crash between two rows, and of a file that was restored. */
  releaseEnded(): void {
    this.#db
      .prepare(
        `DELETE FROM locks WHERE substr(id, 1, length(@prefix)) = @prefix AND substr(id, length(@prefix) + 1, 36)
         NOT IN (SELECT id FROM exports WHERE state = 'running')`,
      )
      .run({ prefix: exportLocks });
  }

  #insert(row: NewExport): void {
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
    this.releaseEnded();
  }

  fail(id: string, problem: string): void {
    this.#db.prepare(`UPDATE exports SET state = 'failed', problem = ? WHERE id = ?`).run(problem, id);
    this.releaseEnded();
  }

  remove(id: string): void {
    this.#db.prepare('DELETE FROM exports WHERE id = ?').run(id);
    this.releaseEnded();
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
