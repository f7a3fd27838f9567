/** The signed statements of rooms, as they came. */
import type { MembershipStatement } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';

export class StatementStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** The first so many. */
  first(roomId: string, count: number): MembershipStatement[] {
    return this.#db
      .prepare<[string, number], string>('SELECT body FROM statements WHERE room_id = ? AND n < ? ORDER BY n')
      .pluck()
      .all(roomId, count)
      .map((body) => JSON.parse(body) as MembershipStatement);
  }

  /** Bytes of all of a room, about. */
  bytes(roomId: string): number {
    return (
      this.#db
        .prepare<[string], number>('SELECT coalesce(sum(length(body)), 0) FROM statements WHERE room_id = ?')
        .pluck()
        .get(roomId) ?? 0
    );
  }

  /** How many of a room somebody has made. */
  countBy(roomId: string, userId: string): number {
    return (
      this.#db
        .prepare<[string, string], number>(
          `SELECT count(*) FROM statements WHERE room_id = ? AND json_extract(body, '$.by_user') = ?`,
        )
        .pluck()
        .get(roomId, userId) ?? 0
    );
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
