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
export type NewQueueRow = Pick<QueueRow, 'body' | 'roomId' | 'roomSeq' | 'bytes'>;

export class QueueStore {
  readonly #db: Sqlite;
  readonly #positions: PositionStore;

  constructor(db: Sqlite, positions: PositionStore) {
    this.#db = db;
    this.#positions = positions;
  }

  /** @returns false, having written nothing: the queue is full, or the device is not there. */
  add(deviceId: string, row: NewQueueRow, nowMs: number): boolean {
    const { changes } = this.#db
      .prepare(
        `UPDATE devices SET queue_rows = queue_rows + 1, queue_bytes = queue_bytes + @bytes
         WHERE id = @deviceId AND queue_rows < @rowsMax AND queue_bytes + @bytes <= @bytesMax`,
      )
      .run({ deviceId, bytes: row.bytes, rowsMax: queueLimits.rowsMax, bytesMax: queueLimits.bytesMax });
    if (changes === 0) return false;
    this.#db
      .prepare(
        `INSERT INTO queue (device_id, pos, at_ms, body, room_id, room_seq, bytes)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(deviceId, this.#positions.next('queue'), nowMs, row.body, row.roomId, row.roomSeq, row.bytes);
    return true;
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
    this.#db.prepare('DELETE FROM queue WHERE device_id = ? AND pos <= ?').run(deviceId, upto);
    this.#db
      .prepare('UPDATE devices SET queue_rows = queue_rows - ?, queue_bytes = queue_bytes - ? WHERE id = ?')
      .run(rows, bytes, deviceId);
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
