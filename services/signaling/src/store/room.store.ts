/** Rooms and who is in them. */
import type { RoomChain } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';

export type RoomRow = {
  id: string;
  orgId: string;
  kind: 'group' | 'incident';
  incidentId: string | null;
  scopes: readonly string[];
  createdMs: number;
  activeMs: number;
  lastSeq: number;
  statements: number;
  head: string;
};
type Row = {
  id: string;
  org_id: string;
  kind: RoomRow['kind'];
  incident_id: string | null;
  scopes: string;
  created_ms: number;
  active_ms: number;
  last_seq: number;
  statements: number;
  head: string;
};
export type NewRoom = Pick<RoomRow, 'id' | 'orgId' | 'kind' | 'incidentId' | 'scopes' | 'createdMs'>;

export class RoomStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  get(id: string): RoomRow | undefined {
    const row = this.#db.prepare<[string], Row>('SELECT * FROM rooms WHERE id = ?').get(id);
    return row && fromRow(row);
  }

  ofIncident(incidentId: string): RoomRow | undefined {
    const row = this.#db.prepare<[string], Row>('SELECT * FROM rooms WHERE incident_id = ?').get(incidentId);
    return row && fromRow(row);
  }

  /** Rooms that he is in by the statements, the most lively first. */
  withMember(userId: string): RoomRow[] {
    return this.#db
      .prepare<[string], Row>(
        `SELECT r.* FROM room_members m JOIN rooms r ON r.id = m.room_id
         WHERE m.user_id = ? AND m.until_n IS NULL ORDER BY r.active_ms DESC, r.id`,
      )
      .all(userId)
      .map(fromRow);
  }

  countWithMember(userId: string): number {
    return (
      this.#db
        .prepare<[string], number>('SELECT count(*) FROM room_members WHERE user_id = ? AND until_n IS NULL')
        .pluck()
        .get(userId) ?? 0
    );
  }

  create(room: NewRoom): void {
    this.#db
      .prepare(
        `INSERT INTO rooms (id, org_id, kind, incident_id, scopes, created_ms, active_ms)
         VALUES (@id, @orgId, @kind, @incidentId, @scopes, @createdMs, @createdMs)`,
      )
      .run({ ...room, scopes: JSON.stringify(room.scopes) });
  }

  setScopes(id: string, scopes: readonly string[]): void {
    this.#db.prepare('UPDATE rooms SET scopes = ? WHERE id = ?').run(JSON.stringify(scopes), id);
  }

  /** It was lively then; an older moment changes nothing. */
  touch(id: string, atMs: number): void {
    this.#db.prepare('UPDATE rooms SET active_ms = max(active_ms, ?) WHERE id = ?').run(atMs, id);
  }

  /** Members by the statements, in the order in which they came. */
  memberIds(roomId: string): string[] {
    return this.#db
      .prepare<[string], string>(
        'SELECT user_id FROM room_members WHERE room_id = ? AND until_n IS NULL ORDER BY from_n, user_id',
      )
      .pluck()
      .all(roomId);
  }

  /** Members when there were so many statements. */
  memberIdsAt(roomId: string, statements: number): string[] {
    return this.#db
      .prepare<[string, number, number], string>(
        `SELECT user_id FROM room_members
         WHERE room_id = ? AND from_n <= ? AND (until_n IS NULL OR until_n > ?) ORDER BY from_n, user_id`,
      )
      .pluck()
      .all(roomId, statements, statements);
  }

  isMember(roomId: string, userId: string): boolean {
    return (
      this.#db
        .prepare<[string, string], number>(
          'SELECT 1 FROM room_members WHERE room_id = ? AND user_id = ? AND until_n IS NULL',
        )
        .pluck()
        .get(roomId, userId) !== undefined
    );
  }

  /** Whether he is a member now, or was when the room had so many statements. */
  isOrWasMember(roomId: string, userId: string, statements: number): boolean {
    return (
      this.#db
        .prepare<[string, string, number, number], number>(
          `SELECT 1 FROM room_members WHERE room_id = ? AND user_id = ?
             AND (until_n IS NULL OR (from_n <= ? AND until_n > ?))`,
        )
        .pluck()
        .get(roomId, userId, statements, statements) !== undefined
    );
  }

  /** The room after a statement. */
  advance(chain: RoomChain, change: { added: readonly string[]; removed: readonly string[] }): void {
    const { roomId, n, head } = chain;
    this.#db.prepare('UPDATE rooms SET statements = ?, head = ? WHERE id = ?').run(n, head, roomId);
    const add = this.#db.prepare(
      'INSERT INTO room_members (room_id, user_id, from_n, is_served) VALUES (?, ?, ?, 1)',
    );
    const end = this.#db.prepare(
      'UPDATE room_members SET until_n = ? WHERE room_id = ? AND user_id = ? AND until_n IS NULL',
    );
    for (const userId of change.added) add.run(roomId, userId, n);
    for (const userId of change.removed) end.run(n, roomId, userId);
  }

  /** Of present members: whether the others were last told that he is delivered to. */
  servedFlags(roomId: string): { userId: string; isServed: boolean }[] {
    return this.#db
      .prepare<[string], { user_id: string; is_served: 0 | 1 }>(
        'SELECT user_id, is_served FROM room_members WHERE room_id = ? AND until_n IS NULL',
      )
      .all(roomId)
      .map((row) => ({ userId: row.user_id, isServed: row.is_served === 1 }));
  }

  setServed(roomId: string, userId: string, isServed: boolean): void {
    this.#db
      .prepare('UPDATE room_members SET is_served = ? WHERE room_id = ? AND user_id = ? AND until_n IS NULL')
      .run(isServed ? 1 : 0, roomId, userId);
  }

  reads(roomId: string): { user_id: string; seq: number }[] {
    return this.#db
      .prepare<[string], { user_id: string; seq: number }>(
        'SELECT user_id, seq FROM room_reads WHERE room_id = ? ORDER BY user_id',
      )
      .all(roomId);
  }

  /** @returns whether it is further than what was known. */
  setRead(roomId: string, userId: string, seq: number): boolean {
    return (
      this.#db
        .prepare(
          `INSERT INTO room_reads (room_id, user_id, seq) VALUES (?, ?, ?)
           ON CONFLICT (room_id, user_id) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > room_reads.seq`,
        )
        .run(roomId, userId, seq).changes > 0
    );
  }

  /**
   * Rooms that are kept no longer: not lively since, without an event, and of an incident or left by all.
   * @param max how many at most.
   */
  outlived(beforeMs: number, max: number): RoomRow[] {
    return this.#db
      .prepare<[number, number], Row>(
        `SELECT r.* FROM rooms r WHERE r.active_ms < ?
           AND NOT EXISTS (SELECT 1 FROM room_events e WHERE e.room_id = r.id)
           AND (r.kind = 'incident'
             OR NOT EXISTS (SELECT 1 FROM room_members m WHERE m.room_id = r.id AND m.until_n IS NULL))
         ORDER BY r.active_ms LIMIT ?`,
      )
      .all(beforeMs, max)
      .map(fromRow);
  }

  /** With its statements, members and reads. Its events have to be gone. */
  remove(id: string): void {
    this.#db.prepare('DELETE FROM rooms WHERE id = ?').run(id);
  }
}

const fromRow = (row: Row): RoomRow => ({
  id: row.id,
  orgId: row.org_id,
  kind: row.kind,
  incidentId: row.incident_id,
  scopes: JSON.parse(row.scopes) as string[],
  createdMs: row.created_ms,
  activeMs: row.active_ms,
  lastSeq: row.last_seq,
  statements: row.statements,
  head: row.head,
});
