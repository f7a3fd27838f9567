/** Until when this service listened. */
import type { Sqlite } from '@siphera/runtime';

export class ListeningStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  aliveMs(): number | undefined {
    return this.#db.prepare<[], number>('SELECT alive_ms FROM listening').pluck().get();
  }

  setAlive(nowMs: number): void {
    this.#db
      .prepare(
        'INSERT INTO listening (only_row, alive_ms) VALUES (1, ?) ON CONFLICT (only_row) DO UPDATE SET alive_ms = excluded.alive_ms',
      )
      .run(nowMs);
  }
}
