/** Backups of room keys, one a person. What must stay true: `sessions` and `bytes` of a backup are those of its rows. */
import type { Sqlite } from '@siphera/runtime';
import { isBetterKey, type BackupKey, type BackupKeyRank } from '../domain/backup-key.ts';

export type BackupRow = {
  version: number;
  algorithm: string;
  /** JSON. */
  auth_data: string;
  etag: number;
  sessions: number;
  bytes: number;
};
export type NamedKey = { roomId: string; sessionId: string; key: BackupKey };
type KeyRow = {
  room_id: string;
  session_id: string;
  first_message_index: number;
  forwarded_count: number;
  is_verified: 0 | 1;
  session_data: string;
};

export class BackupStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  current(userId: string): BackupRow | undefined {
    return this.#db
      .prepare<[string], BackupRow>(
        'SELECT version, algorithm, auth_data, etag, sessions, bytes FROM backups WHERE user_id = ?',
      )
      .get(userId);
  }

  /** Ends the one before. @returns the version. */
  begin(userId: string, algorithm: string, authData: string): number {
    const version = this.#db
      .prepare<[string, string, string], number>(
        `INSERT INTO backups (user_id, version, algorithm, auth_data) VALUES (?, 1, ?, ?)
         ON CONFLICT (user_id) DO UPDATE SET version = version + 1, algorithm = excluded.algorithm,
           auth_data = excluded.auth_data, etag = 0, sessions = 0, bytes = 0 RETURNING version`,
      )
      .pluck()
      .get(userId, algorithm, authData);
    if (version === undefined) throw new Error('No version was given');
    return version;
  }

  /** Keeps a key unless a better one of its session is there. To be called in a transaction. */
  put(userId: string, version: number, { roomId, sessionId, key }: NamedKey): void {
    const kept = this.#rank(userId, version, roomId, sessionId);
    if (kept && !isBetterKey(key, kept.rank)) return;
    const data = JSON.stringify(key.session_data);
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO backup_keys (user_id, version, room_id, session_id, first_message_index,
           forwarded_count, is_verified, session_data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        ...[userId, version, roomId, sessionId, key.first_message_index, key.forwarded_count],
        ...[key.is_verified ? 1 : 0, data],
      );
    this.#db
      .prepare(
        'UPDATE backups SET etag = etag + 1, sessions = sessions + ?, bytes = bytes + ? WHERE user_id = ?',
      )
      .run(kept ? 0 : 1, data.length - (kept?.bytes ?? 0), userId);
  }

  /**
   * Of all rooms or of one, by room and session, after that one and no more than fit into `charsMax` (one at least).
   * @returns `more`: something comes after them.
   */
  page(
    { userId, version, roomId }: { userId: string; version: number; roomId?: string | undefined },
    after: Pick<NamedKey, 'roomId' | 'sessionId'> | undefined,
    charsMax: number,
  ): { keys: NamedKey[]; more: boolean } {
    const [where, of] =
      roomId === undefined
        ? ['(room_id, session_id) > (?, ?)', [after?.roomId ?? '', after?.sessionId ?? '']]
        : ['room_id = ? AND session_id > ?', [roomId, after?.sessionId ?? '']];
    const keys: NamedKey[] = [];
    let chars = 0;
    const rows = this.#db
      .prepare<unknown[], KeyRow>(
        `SELECT * FROM backup_keys WHERE user_id = ? AND version = ? AND ${where} ORDER BY room_id, session_id`,
      )
      .iterate(userId, version, ...of);
    for (const row of rows) {
      chars += row.session_data.length;
      if (keys.length > 0 && chars > charsMax) return { keys, more: true };
      const data = JSON.parse(row.session_data) as Record<string, unknown>;
      const key = { ...rankOf(row), session_data: data };
      keys.push({ roomId: row.room_id, sessionId: row.session_id, key });
    }
    return { keys, more: false };
  }

  /** Keys of a room that is kept no more open nothing. To be called in a transaction. */
  forgetRoom(roomId: string): void {
    this.#db
      .prepare(
        `UPDATE backups SET etag = etag + 1, sessions = sessions - gone.keys, bytes = bytes - gone.size
         FROM (SELECT user_id, version, count(*) AS keys, sum(length(session_data)) AS size
               FROM backup_keys WHERE room_id = ? GROUP BY user_id, version) AS gone
         WHERE gone.user_id = backups.user_id AND gone.version = backups.version`,
      )
      .run(roomId);
    this.#db.prepare('DELETE FROM backup_keys WHERE room_id = ?').run(roomId);
  }

  /** Keys of backups that have ended. @returns how many; fewer than `max`: there are no more. */
  prune(max: number): number {
    return this.#db
      .prepare(
        `DELETE FROM backup_keys WHERE rowid IN (
           SELECT k.rowid FROM backups b JOIN backup_keys k ON k.user_id = b.user_id AND k.version < b.version
           LIMIT ?)`,
      )
      .run(max).changes;
  }

  /** Of somebody who was deleted. @returns how many keys; fewer than `max`: no more are left. */
  forget(userId: string, max: number): number {
    this.#db.prepare('DELETE FROM backups WHERE user_id = ?').run(userId);
    return this.#db
      .prepare(
        'DELETE FROM backup_keys WHERE rowid IN (SELECT rowid FROM backup_keys WHERE user_id = ? LIMIT ?)',
      )
      .run(userId, max).changes;
  }

  #rank(
    userId: string,
    version: number,
    roomId: string,
    sessionId: string,
  ): { rank: BackupKeyRank; bytes: number } | undefined {
    const row = this.#db
      .prepare<[string, number, string, string], KeyRow>(
        'SELECT * FROM backup_keys WHERE user_id = ? AND version = ? AND room_id = ? AND session_id = ?',
      )
      .get(userId, version, roomId, sessionId);
    return row && { rank: rankOf(row), bytes: row.session_data.length };
  }
}

const rankOf = (row: KeyRow): BackupKeyRank => ({
  first_message_index: row.first_message_index,
  forwarded_count: row.forwarded_count,
  is_verified: row.is_verified === 1,
});
