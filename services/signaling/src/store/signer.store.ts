/**
 * Public keys of devices that signed statements of rooms. What must stay true: they stay with the room when a device is removed or an
 * identity replaced, as its owner had signed them then.
 */
import type { DeviceKeys } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';

export class SignerStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** The device, as it is signed now, has signed that statement of the room. */
  keep(roomId: string, n: number, deviceId: string): void {
    this.#db
      .prepare(
        `INSERT OR IGNORE INTO statement_signers (room_id, device_id, n, device_keys)
         SELECT ?, id, coalesce((SELECT min(n) FROM statement_signers WHERE room_id = ? AND device_id = devices.id), ?), device_keys
         FROM devices WHERE id = ? AND device_keys IS NOT NULL`,
      )
      .run(roomId, roomId, n, deviceId);
  }

  /** The device's owner has signed it: what it signed before is his too. */
  keepSigned(deviceId: string): void {
    this.#db
      .prepare(
        `INSERT OR IGNORE INTO statement_signers (room_id, device_id, n, device_keys)
         SELECT s.room_id, s.device_id, min(s.n), d.device_keys
         FROM statement_signers s JOIN devices d ON d.id = s.device_id
         WHERE s.device_id = ? GROUP BY s.room_id`,
      )
      .run(deviceId);
  }

  /** Of the room's first so many statements. */
  of(roomId: string, statements: number): DeviceKeys[] {
    return this.#db
      .prepare<[string, number], string>(
        'SELECT device_keys FROM statement_signers WHERE room_id = ? AND n < ? ORDER BY n, rowid',
      )
      .pluck()
      .all(roomId, statements)
      .map((keys) => JSON.parse(keys) as DeviceKeys);
  }

  /** Bytes of all of a room, about. */
  bytes(roomId: string): number {
    return (
      this.#db
        .prepare<[string], number>(
          'SELECT coalesce(sum(length(device_keys)), 0) FROM statement_signers WHERE room_id = ?',
        )
        .pluck()
        .get(roomId) ?? 0
    );
  }
}
