/** Where people last said that they are, and since when they are on duty. */
import type { Sqlite } from '@siphera/runtime';
import type { SaidPlace } from '../domain/location-place.ts';

export class LastPlaceStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  said(userId: string): SaidPlace | undefined {
    return this.#db
      .prepare<[string], SaidPlace>(
        'SELECT location_id AS locationId, said_ms AS saidMs FROM last_places WHERE user_id = ?',
      )
      .get(userId);
  }

  say(userId: string, locationId: string, nowMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO last_places (user_id, location_id, said_ms) VALUES (?, ?, ?)
         ON CONFLICT (user_id) DO UPDATE SET location_id = excluded.location_id, said_ms = excluded.said_ms`,
      )
      .run(userId, locationId, nowMs);
  }

  /** Of everybody, for the question who has become stale. */
  allSaid(): (SaidPlace & { userId: string })[] {
    return this.#db
      .prepare<[], SaidPlace & { userId: string }>(
        'SELECT user_id AS userId, location_id AS locationId, said_ms AS saidMs FROM last_places ORDER BY user_id',
      )
      .all();
  }

  dutySince(userId: string): number | undefined {
    return this.#db
      .prepare<[string], number>('SELECT since_ms FROM duties WHERE user_id = ?')
      .pluck()
      .get(userId);
  }

  /** Who is on duty now: those who were before keep their beginning. People who are gone leave no trace. */
  setDuties(onDuty: ReadonlySet<string>, known: ReadonlySet<string>, nowMs: number): void {
    this.#db
      .transaction(() => {
        const before = this.#db.prepare<[], string>('SELECT user_id FROM duties').pluck().all();
        for (const userId of before)
          if (!onDuty.has(userId)) this.#db.prepare('DELETE FROM duties WHERE user_id = ?').run(userId);
        for (const userId of onDuty)
          this.#db
            .prepare('INSERT INTO duties (user_id, since_ms) VALUES (?, ?) ON CONFLICT DO NOTHING')
            .run(userId, nowMs);
        for (const { userId } of this.allSaid())
          if (!known.has(userId)) this.#db.prepare('DELETE FROM last_places WHERE user_id = ?').run(userId);
      })
      .immediate();
  }
}
