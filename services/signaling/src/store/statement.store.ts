/** The signed statements of rooms, as they came. */
import type { MembershipStatement } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';

export class StatementStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  all(roomId: string): MembershipStatement[] {
    return this.#db
      .prepare<[string], string>('SELECT body FROM statements WHERE room_id = ? ORDER BY n')
      .pluck()
      .all(roomId)
      .map((body) => JSON.parse(body) as MembershipStatement);
  }

  /** Hash of the statement with that number. */
  hash(roomId: string, n: number): string | undefined {
    return this.#db
      .prepare<[string, number], string>('SELECT hash FROM statements WHERE room_id = ? AND n = ?')
      .pluck()
      .get(roomId, n);
  }

  add(statement: MembershipStatement, hash: string): void {
    this.#db
      .prepare('INSERT INTO statements (room_id, n, hash, body) VALUES (?, ?, ?, ?)')
      .run(statement.room_id, statement.n, hash, JSON.stringify(statement));
  }
}
