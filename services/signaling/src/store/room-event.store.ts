/** Ciphertext that was sent to rooms. */
import { talkUserId, type TalkRoomEvent } from '@siphera/contract';
import { toRfc3339, type Sqlite } from '@siphera/runtime';

export type RoomEventRow = {
  roomId: string;
  seq: number;
  eventId: string;
  senderId: string;
  senderDevice: string;
  atMs: number;
  /** JSON. */
  content: string;
};
type Row = {
  room_id: string;
  seq: number;
  event_id: string;
  sender_id: string;
  sender_device: string;
  at_ms: number;
  content: string;
  org_id: string;
};
export type KeptRoomEvent = RoomEventRow & { orgId: string };

const columns = 'e.*, r.org_id FROM room_events e JOIN rooms r ON r.id = e.room_id';

export class RoomEventStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  get(roomId: string, seq: number): KeptRoomEvent | undefined {
    const row = this.#db
      .prepare<[string, number], Row>(`SELECT ${columns} WHERE e.room_id = +? AND e.seq = +?`)
      .get(roomId, seq);
    return row && fromRow(row);
  }

  byEventId(roomId: string, eventId: string): KeptRoomEvent | undefined {
    const row = this.#db
      .prepare<[string, string], Row>(`SELECT ${columns} WHERE e.room_id = +? AND e.event_id = +?`)
      .get(roomId, eventId);
    return row && fromRow(row);
  }

  /** Newest first. @param before a seq, excluded. */
  page(roomId: string, before: number | undefined, limit: number): KeptRoomEvent[] {
    return this.#db
      .prepare<[string, number, number], Row>(
        `SELECT ${columns} WHERE e.room_id = +? AND e.seq < +? ORDER BY e.seq DESC LIMIT +?`,
      )
      .all(roomId, before ?? Number.MAX_SAFE_INTEGER, limit)
      .map(fromRow);
  }

  /** Gives it the next seq of its room, and notes that the room is lively. */
  append(event: Omit<RoomEventRow, 'seq'>): number {
    const seq = this.#db
      .prepare<[number, string], number>(
        'UPDATE rooms SET last_seq = last_seq + 1, active_ms = max(active_ms, ?) WHERE id = ? RETURNING last_seq',
      )
      .pluck()
      .get(event.atMs, event.roomId);
    if (seq === undefined) throw new Error(`There is no room ${event.roomId}`);
    this.#db
      .prepare(
        `INSERT INTO room_events (room_id, seq, event_id, sender_id, sender_device, at_ms, content)
         VALUES (@roomId, @seq, @eventId, @senderId, @senderDevice, @atMs, @content)`,
      )
      .run({ ...event, seq });
    return seq;
  }

  /**
   * Forgets events from before then, but not those of a room of an incident that was lively since.
   * @returns how many; fewer than `max`: no more are that old.
   */
  prune(beforeMs: number, max: number): number {
    return this.#db
      .prepare(
        `DELETE FROM room_events WHERE rowid IN (
           SELECT e.rowid FROM room_events e JOIN rooms r ON r.id = e.room_id
           WHERE e.at_ms < ? AND (r.kind = 'group' OR r.active_ms < ?) ORDER BY e.at_ms LIMIT ?)`,
      )
      .run(beforeMs, beforeMs, max).changes;
  }
}

const fromRow = (row: Row): KeptRoomEvent => ({
  roomId: row.room_id,
  seq: row.seq,
  eventId: row.event_id,
  senderId: row.sender_id,
  senderDevice: row.sender_device,
  atMs: row.at_ms,
  content: row.content,
  orgId: row.org_id,
});

export const roomEventToWire = (event: KeptRoomEvent): TalkRoomEvent => ({
  room_id: event.roomId,
  seq: event.seq,
  event_id: event.eventId,
  sender: talkUserId(event.senderId, event.orgId),
  sender_device: event.senderDevice,
  at: toRfc3339(event.atMs),
  content: JSON.parse(event.content) as Record<string, unknown>,
});
