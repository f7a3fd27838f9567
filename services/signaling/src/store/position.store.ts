/**
 * Numbers that count up and never come again, also after a backup was restored: a client drops what lies before a position that
 * it has seen.
 */
import type { Sqlite } from '@siphera/runtime';

export type PositionName = 'queue' | 'lists';
/** Numbers for each millisecond of the clock: more than are ever given out in one. Stays a safe integer until the year 2255. */
const perMillisecond = 1_000;

export class PositionStore {
  readonly #db: Sqlite;

  /** @param nowMs UTC: what is given out from now on lies above all that was before now, whatever the file says. */
  constructor(db: Sqlite, nowMs: number) {
    this.#db = db;
    const raise = db.prepare(
      `INSERT INTO positions (name, last) VALUES (@name, @least)
       ON CONFLICT (name) DO UPDATE SET last = max(last, excluded.last)`,
    );
    for (const name of ['queue', 'lists'] as const) raise.run({ name, least: nowMs * perMillisecond });
  }

  next(name: PositionName): number {
    return (
      this.#db
        .prepare<[string], number>('UPDATE positions SET last = last + 1 WHERE name = ? RETURNING last')
        .pluck()
        .get(name) ?? 0
    );
  }

  last(name: PositionName): number {
    return (
      this.#db.prepare<[string], number>('SELECT last FROM positions WHERE name = ?').pluck().get(name) ?? 0
    );
  }
}
