/** Locks: footage that outlives its retention, by the table the recorder reads. */
import type { Sqlite } from '@siphera/runtime';

export type LockRow = {
  id: string;
  camera_id: string;
  from_ms: number;
  to_ms: number;
  reason: string;
  incident_id: string | null;
  locked_by: string;
  locked_ms: number;
  /** null: until somebody lifts it. */
  until_ms: number | null;
};

/** Begins the ids of what exports hold while they run: nobody's to see or to lift. */
export const exportLocks = 'export:';
const shown = `substr(id, 1, ${exportLocks.length}) <> '${exportLocks}'`;

export class LockStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(row: LockRow): void {
    this.#db
      .prepare(
        `INSERT INTO locks (id, camera_id, from_ms, to_ms, reason, incident_id, locked_by, locked_ms, until_ms)
         VALUES (@id, @camera_id, @from_ms, @to_ms, @reason, @incident_id, @locked_by, @locked_ms, @until_ms)`,
      )
      .run(row);
  }

  /** Adds what its incident is kept of, unless that holds all of this span already. */
  addUncovered(row: LockRow): void {
    const { covered } = this.#db
      .prepare<[LockRow], { covered: number }>(
        `SELECT EXISTS (SELECT 1 FROM locks WHERE camera_id = @camera_id AND incident_id = @incident_id
         AND locked_by = @locked_by AND from_ms <= @from_ms AND to_ms >= @to_ms
         AND (until_ms IS NULL OR until_ms > @locked_ms)) AS covered`,
      )
      .get(row) ?? { covered: 0 };
    if (covered === 0) this.add(row);
  }

  get(id: string): LockRow | undefined {
    return this.#db.prepare<[string], LockRow>(`SELECT * FROM locks WHERE id = ? AND ${shown}`).get(id);
  }

  /** Newest first. */
  all(): LockRow[] {
    return this.#db
      .prepare<[], LockRow>(`SELECT * FROM locks WHERE ${shown} ORDER BY locked_ms DESC, id DESC`)
      .all();
  }

  remove(id: string): void {
    this.#db.prepare('DELETE FROM locks WHERE id = ?').run(id);
  }

  /** Those whose time is over. @returns how many */
  removeExpired(nowMs: number): number {
    return this.#db.prepare('DELETE FROM locks WHERE until_ms <= ?').run(nowMs).changes;
  }
}
