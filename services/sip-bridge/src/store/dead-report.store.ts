/** Reports of Kamailio that could not be read or taken: kept with the reason, to look at. */
import type { Sqlite } from '@siphera/runtime';

const rowsMax = 1_000;
/** Longer than any report a script of ours makes; the head of one shows what it was. */
const bodyCharsMax = 4_096;

export class DeadReportStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** The same report again (it comes by two ways) is kept once. @returns whether it is a new one. */
  add(body: string, reason: string, nowMs: number): boolean {
    const { changes } = this.#db
      .prepare(
        'INSERT INTO dead_reports (body, reason, at_ms) VALUES (?, ?, ?) ON CONFLICT (body) DO NOTHING',
      )
      .run(body.slice(0, bodyCharsMax), reason.slice(0, 500), nowMs);
    if (changes > 0)
      this.#db
        .prepare(
          'DELETE FROM dead_reports WHERE id IN (SELECT id FROM dead_reports ORDER BY id DESC LIMIT -1 OFFSET ?)',
        )
        .run(rowsMax);
    return changes > 0;
  }

  list(): { body: string; reason: string; atMs: number }[] {
    return this.#db
      .prepare<[], { body: string; reason: string; atMs: number }>(
        'SELECT body, reason, at_ms AS atMs FROM dead_reports ORDER BY id',
      )
      .all();
  }
}
