/** What the box believes of its own clock. */
import type { Sqlite } from '@siphera/runtime';
import type { ExpiryState } from '../domain/expiry-time.ts';

const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms));

export class ExpiryClockStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  get(): ExpiryState | undefined {
    return this.#db
      .prepare<[], ExpiryState>(
        `SELECT trusted_ms AS trustedMs, stray_ms AS strayMs, waited_ms AS waitedMs, held_ms AS heldMs FROM expiry_clock`,
      )
      .get();
  }

  put(state: ExpiryState): void {
    this.#db
      .prepare(
        `INSERT INTO expiry_clock (only_row, trusted_ms, stray_ms, waited_ms, held_ms)
         VALUES (1, @trusted, @stray, @waited, @held) ON CONFLICT (only_row) DO UPDATE SET
         trusted_ms = excluded.trusted_ms, stray_ms = excluded.stray_ms, waited_ms = excluded.waited_ms,
         held_ms = excluded.held_ms`,
      )
      .run({
        trusted: rounded(state.trustedMs),
        stray: rounded(state.strayMs),
        waited: rounded(state.waitedMs),
        held: rounded(state.heldMs),
      });
  }
}
