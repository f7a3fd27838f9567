/** Sealed secrets of people. */
import type { Sqlite } from '@siphera/runtime';

export type SecretRow = { box: string; version: number; updatedMs: number };

export class SecretStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  get(userId: string): SecretRow | undefined {
    return this.#db
      .prepare<[string], SecretRow>(
        'SELECT box, version, updated_ms AS updatedMs FROM secrets WHERE user_id = ?',
      )
      .get(userId);
  }

  /** @returns false, and changes nothing, unless `row.version` follows on what stands. */
  replace(userId: string, row: SecretRow): boolean {
    return (
      this.#db
        .prepare(
          `INSERT INTO secrets (user_id, box, version, updated_ms) SELECT @userId, @box, @version, @updatedMs
           WHERE @version = 1 + coalesce((SELECT version FROM secrets WHERE user_id = @userId), 0)
           ON CONFLICT (user_id) DO UPDATE SET box = @box, version = @version, updated_ms = @updatedMs`,
        )
        .run({ userId, ...row }).changes > 0
    );
  }

  /** Of somebody who was deleted; the rest of what he kept goes in slices. To be called in a transaction. */
  forget(userId: string): void {
    this.#db.prepare('DELETE FROM secrets WHERE user_id = ?').run(userId);
    this.#db.prepare('INSERT OR IGNORE INTO forgotten_people (user_id) VALUES (?)').run(userId);
  }

  /** Somebody of whom something may be left. */
  forgotten(): string | undefined {
    return this.#db.prepare<[], string>('SELECT user_id FROM forgotten_people LIMIT 1').pluck().get();
  }

  /** Nothing is left of him. */
  setForgotten(userId: string): void {
    this.#db.prepare('DELETE FROM forgotten_people WHERE user_id = ?').run(userId);
  }
}
