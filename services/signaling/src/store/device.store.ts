/** Devices, the sessions that are them, and the ids of those that were removed. */
import { DeviceKeys } from '@siphera/contract';
import type { KeyBox, Sqlite } from '@siphera/runtime';
import type { DeviceKey, DeviceRow } from '../domain/device.ts';

type Record = {
  id: string;
  user_id: string;
  org_id: string;
  name: string;
  kind: 'personal' | 'shared';
  made_by_sid: string;
  created_ms: number;
  last_used_ms: number;
  device_keys: string | null;
  ed25519: string | null;
  lists_upto: number;
};
const columns =
  'id, user_id, org_id, name, kind, made_by_sid, created_ms, last_used_ms, device_keys, ed25519, lists_upto';
/** Of one device. Most have ended without a word long ago; one that has not proves the device anew. */
const sessionsMax = 50;
const shareRow = (id: string, userId: string): string => `talk share ${id} ${userId}`;

export class DeviceStore {
  readonly #db: Sqlite;
  readonly #box: KeyBox;

  constructor(db: Sqlite, box: KeyBox) {
    this.#db = db;
    this.#box = box;
  }

  get(id: string): DeviceRow | undefined {
    const row = this.#db.prepare<[string], Record>(`SELECT ${columns} FROM devices WHERE id = ?`).get(id);
    return row && fromRecord(row);
  }

  /** Oldest first. */
  ofUser(userId: string): DeviceRow[] {
    return this.#db
      .prepare<[string], Record>(`SELECT ${columns} FROM devices WHERE user_id = ? ORDER BY created_ms, id`)
      .all(userId)
      .map(fromRecord);
  }

  /** Those with keys, which can be written to. */
  keyedOf(userId: string): DeviceKey[] {
    return this.#db
      .prepare<[string], string>(
        'SELECT id FROM devices WHERE user_id = ? AND ed25519 IS NOT NULL ORDER BY created_ms, id',
      )
      .pluck()
      .all(userId)
      .map((deviceId) => ({ userId, deviceId }));
  }

  ed25519Of({ userId, deviceId }: DeviceKey): string | undefined {
    const key = this.#db
      .prepare<[string, string], string | null>('SELECT ed25519 FROM devices WHERE id = ? AND user_id = ?')
      .pluck()
      .get(deviceId, userId);
    return key ?? undefined;
  }

  /** @throws Error when our half does not open with the key of this service. */
  shareOf({ id, userId }: Pick<DeviceRow, 'id' | 'userId'>): Buffer {
    const sealed = this.#db
      .prepare<[string], Buffer>('SELECT share_sealed FROM devices WHERE id = ?')
      .pluck()
      .get(id);
    if (!sealed) throw new Error(`Device ${id} is not there`);
    return this.#box.open(sealed, shareRow(id, userId));
  }

  /** Any of all, to see at the start that the key of this service is the right one. */
  first(): DeviceRow | undefined {
    const row = this.#db.prepare<[], Record>(`SELECT ${columns} FROM devices LIMIT 1`).get();
    return row && fromRecord(row);
  }

  add(device: DeviceRow, share: Buffer): void {
    this.#db
      .prepare(
        `INSERT INTO devices (id, user_id, org_id, name, kind, share_sealed, made_by_sid, created_ms, last_used_ms, lists_upto)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        device.id,
        device.userId,
        device.orgId,
        device.name,
        device.kind,
        this.#box.seal(share, shareRow(device.id, device.userId)),
        device.madeBySid,
        device.createdMs,
        device.lastUsedMs,
        device.listsUpto,
      );
  }

  rename(id: string, name: string): void {
    this.#db.prepare('UPDATE devices SET name = ? WHERE id = ?').run(name, id);
  }

  touch(id: string, nowMs: number): void {
    this.#db.prepare('UPDATE devices SET last_used_ms = ? WHERE id = ?').run(nowMs, id);
  }

  setListsUpto(id: string, upto: number): void {
    this.#db.prepare('UPDATE devices SET lists_upto = max(lists_upto, ?) WHERE id = ?').run(upto, id);
  }

  /** @returns false when another device has that Ed25519 key. */
  setKeys(id: string, keys: DeviceKeys, ed25519: string): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE devices SET device_keys = @keys, ed25519 = @ed25519
           WHERE id = @id AND NOT EXISTS (SELECT 1 FROM devices WHERE ed25519 = @ed25519 AND id <> @id)`,
        )
        .run({ id, keys: JSON.stringify(keys), ed25519 }).changes > 0
    );
  }

  /** Removes all that hangs on it: keys, queue, sessions, what it has sent. */
  remove({ id, userId }: Pick<DeviceRow, 'id' | 'userId'>, nowMs: number): void {
    this.#db.prepare('DELETE FROM devices WHERE id = ?').run(id);
    this.#db
      .prepare('INSERT OR REPLACE INTO removed_devices (id, user_id, removed_ms) VALUES (?, ?, ?)')
      .run(id, userId, nowMs);
  }

  wasRemoved({ userId, deviceId }: DeviceKey): boolean {
    return (
      this.#db
        .prepare<[string, string], number>('SELECT 1 FROM removed_devices WHERE id = ? AND user_id = ?')
        .pluck()
        .get(deviceId, userId) === 1
    );
  }

  forgetRemoved(beforeMs: number): void {
    this.#db.prepare('DELETE FROM removed_devices WHERE removed_ms < ?').run(beforeMs);
  }

  attach(sid: string, { userId, deviceId }: DeviceKey, nowMs: number): void {
    this.#db
      .prepare(
        'INSERT OR REPLACE INTO attachments (sid, user_id, device_id, attached_ms) VALUES (?, ?, ?, ?)',
      )
      .run(sid, userId, deviceId, nowMs);
    this.#db
      .prepare(
        `DELETE FROM attachments WHERE device_id = @deviceId AND sid <> @sid AND sid NOT IN (
           SELECT sid FROM attachments WHERE device_id = @deviceId ORDER BY attached_ms DESC, sid LIMIT @limit)`,
      )
      .run({ deviceId, sid, limit: sessionsMax });
  }

  attachedTo(sid: string): DeviceKey | undefined {
    const row = this.#db
      .prepare<[string], { user_id: string; device_id: string }>(
        'SELECT user_id, device_id FROM attachments WHERE sid = ?',
      )
      .get(sid);
    return row && { userId: row.user_id, deviceId: row.device_id };
  }

  sessionsOf(deviceId: string): string[] {
    return this.#db
      .prepare<[string], string>('SELECT sid FROM attachments WHERE device_id = ?')
      .pluck()
      .all(deviceId);
  }

  sessions(): { sid: string; userId: string; deviceId: string }[] {
    return this.#db
      .prepare<[], { sid: string; userId: string; deviceId: string }>(
        'SELECT sid, user_id AS userId, device_id AS deviceId FROM attachments',
      )
      .all();
  }

  detach(sid: string): void {
    this.#db.prepare('DELETE FROM attachments WHERE sid = ?').run(sid);
  }

  /** Without keys and made before; unused since; or with a queue that is nearly full and unused for a shorter while. */
  expired(limits: {
    keylessBeforeMs: number;
    unusedBeforeMs: number;
    fullUnusedBeforeMs: number;
    fullRows: number;
    fullBytes: number;
  }): DeviceRow[] {
    return this.#db
      .prepare<[typeof limits], Record>(
        `SELECT ${columns} FROM devices
         WHERE (ed25519 IS NULL AND created_ms < @keylessBeforeMs) OR last_used_ms < @unusedBeforeMs
            OR (last_used_ms < @fullUnusedBeforeMs AND (queue_rows >= @fullRows OR queue_bytes >= @fullBytes))`,
      )
      .all(limits)
      .map(fromRecord);
  }
}

const fromRecord = (row: Record): DeviceRow => ({
  id: row.id,
  userId: row.user_id,
  orgId: row.org_id,
  name: row.name,
  kind: row.kind,
  madeBySid: row.made_by_sid,
  createdMs: row.created_ms,
  lastUsedMs: row.last_used_ms,
  deviceKeys: row.device_keys === null ? undefined : DeviceKeys.parse(JSON.parse(row.device_keys)),
  ed25519: row.ed25519 ?? undefined,
  listsUpto: row.lists_upto,
});
