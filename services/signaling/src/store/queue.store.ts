/** What waits for devices, in order. A row goes when the device has said that it has it, or with the device. */
import type { Sqlite } from '@siphera/runtime';
import { queueLimits } from '../domain/queue.ts';
import type { PositionStore } from './position.store.ts';

export type QueueRow = {
  pos: number;
  atMs: number;
  /** JSON of the item but position and time; null: an event of a room. */
  body: string | null;
  roomId: string | null;
  roomSeq: number | null;
  bytes: number;
};
export type NewQueueRow = Pick<QueueRow, 'body' | 'roomId' | 'roomSeq' | 'bytes'> & {
  /** User whose doing it is, and whose share it takes; null: nobody's. */
  senderId: string | null;
};

export class QueueStore {
  readonly #db: Sqlite;
  readonly #positions: PositionStore;

  constructor(db: Sqlite, positions: PositionStore) {
    this.#db = db;
    this.#positions = positions;
  }

  /** @returns false, having written nothing: the queue or the sender's share of it is full, or the device is not there. */
  add(deviceId: string, row: NewQueueRow, nowMs: number): boolean {
    const { senderId, bytes } = row;
    if (senderId !== null && !this.#hasShare(deviceId, senderId, bytes)) return false;
    const { changes } = this.#db
      .prepare(
        `UPDATE devices SET queue_rows = queue_rows + 1, queue_bytes = queue_bytes + @bytes
         WHERE id = @deviceId AND queue_rows < @rowsMax AND queue_bytes + @bytes <= @bytesMax`,
      )
      .run({ deviceId, bytes, rowsMax: queueLimits.rowsMax, bytesMax: queueLimits.bytesMax });
    if (changes === 0) return false;
    const pos = this.#positions.next('queue');
    this.#db
      .prepare(
        `INSERT INTO queue (device_id, pos, at_ms, body, room_id, room_seq, bytes, sender_id)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(deviceId, pos, nowMs, row.body, row.roomId, row.roomSeq, bytes, senderId);
    if (senderId !== null)
      this.#db
        .prepare(
          `INSERT INTO queue_shares (device_id, sender_id, waiting, bytes) VALUES (?, ?, 1, ?)
           ON CONFLICT DO UPDATE SET waiting = waiting + 1, bytes = bytes + excluded.bytes`,
        )
        .run(deviceId, senderId, bytes);
    return true;
  }

  #hasShare(deviceId: string, senderId: string, more: number): boolean {
    const share = this.#db
      .prepare<[string, string], { waiting: number; bytes: number }>(
        'SELECT waiting, bytes FROM queue_shares WHERE device_id = ? AND sender_id = ?',
      )
      .get(deviceId, senderId) ?? { waiting: 0, bytes: 0 };
    return share.waiting < queueLimits.rowsBySenderMax && share.bytes + more <= queueLimits.bytesBySenderMax;
  }

  /** The oldest that wait. */
  next(deviceId: string, limit: number): QueueRow[] {
    return this.#db
      .prepare<[string, number], QueueRow>(
        `SELECT pos, at_ms AS atMs, body, room_id AS roomId, room_seq AS roomSeq, bytes FROM queue
         WHERE device_id = ? ORDER BY pos LIMIT ?`,
      )
      .all(deviceId, limit);
  }

  /** The device has all up to here. */
  taken(deviceId: string, upto: number): void {
    const { rows, bytes } = this.#db
      .prepare<[string, number], { rows: number; bytes: number }>(
        'SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes FROM queue WHERE device_id = ? AND pos <= ?',
      )
      .get(deviceId, upto) ?? { rows: 0, bytes: 0 };
    if (rows === 0) return;
    this.#giveBackShares(deviceId, upto);
    this.#db.prepare('DELETE FROM queue WHERE device_id = ? AND pos <= ?').run(deviceId, upto);
    this.#db
      .prepare('UPDATE devices SET queue_rows = queue_rows - ?, queue_bytes = queue_bytes - ? WHERE id = ?')
      .run(rows, bytes, deviceId);
  }

  /** Of the rows up to there, which go right after. */
  #giveBackShares(deviceId: string, upto: number): void {
    const gone = this.#db
      .prepare<[string, number], { senderId: string; rows: number; bytes: number }>(
        `SELECT sender_id AS senderId, count(*) AS rows, sum(bytes) AS bytes FROM queue
         WHERE device_id = ? AND pos <= ? AND sender_id IS NOT NULL GROUP BY sender_id`,
      )
      .all(deviceId, upto);
    // A share of nothing is none, so that a queue keeps no list of who has ever written to it.
    const end = this.#db.prepare(
      'DELETE FROM queue_shares WHERE device_id = ? AND sender_id = ? AND waiting <= ?',
    );
    const lessen = this.#db.prepare(
      'UPDATE queue_shares SET waiting = waiting - ?, bytes = bytes - ? WHERE device_id = ? AND sender_id = ?',
    );
    for (const { senderId, rows, bytes } of gone)
      if (end.run(deviceId, senderId, rows).changes === 0) lessen.run(rows, bytes, deviceId, senderId);
  }

  /** Of the last item of all queues: what comes later lies above it. */
  position(): number {
    return this.#positions.last('queue');
  }

  /** Of all devices. */
  totals(): { rows: number; bytes: number } {
    return (
      this.#db
        .prepare<[], { rows: number; bytes: number }>(
          'SELECT coalesce(sum(queue_rows), 0) AS rows, coalesce(sum(queue_bytes), 0) AS bytes FROM devices',
        )
        .get() ?? { rows: 0, bytes: 0 }
    );
  }
}
