/** Credentials of softphones that still work, and desk phones that were there: what has to end with a session, what may be missed. */
import type { Sqlite } from '@siphera/runtime';

export type Credential = { sid: string; userId: string; number: string; expiresSeconds: number };
export type Presence = { extensionId: string; expiresSeconds: number; seenMs: number; lostMs: number | null };

export class SoftphoneStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add({ sid, userId, number, expiresSeconds }: Credential): void {
    this.#db
      .prepare(
        'INSERT OR IGNORE INTO softphone_credentials (sid, user_id, number, expires_s) VALUES (?, ?, ?, ?)',
      )
      .run(sid, userId, number, expiresSeconds);
  }

  /** Those that still work. */
  valid(nowSeconds: number): Credential[] {
    return this.#db
      .prepare<[number], Credential>(
        `SELECT sid, user_id AS userId, number, expires_s AS expiresSeconds FROM softphone_credentials
         WHERE is_revoked = 0 AND expires_s > ?`,
      )
      .all(nowSeconds);
  }

  revoke({ sid, number, expiresSeconds }: Credential): void {
    this.#db
      .prepare(
        'UPDATE softphone_credentials SET is_revoked = 1 WHERE sid = ? AND number = ? AND expires_s = ?',
      )
      .run(sid, number, expiresSeconds);
  }

  /** By number, the newest expiry that Kamailio has to refuse. */
  revoked(nowSeconds: number): { number: string; expiresSeconds: number }[] {
    return this.#db
      .prepare<[number], { number: string; expiresSeconds: number }>(
        `SELECT number, max(expires_s) AS expiresSeconds FROM softphone_credentials
         WHERE is_revoked = 1 AND expires_s > ? GROUP BY number`,
      )
      .all(nowSeconds);
  }

  forgetExpired(nowSeconds: number): void {
    this.#db.prepare('DELETE FROM softphone_credentials WHERE expires_s <= ?').run(nowSeconds);
  }

  presences(): Presence[] {
    return this.#db
      .prepare<[], Presence>(
        `SELECT extension_id AS extensionId, expires_s AS expiresSeconds, seen_ms AS seenMs, lost_ms AS lostMs FROM phone_presence`,
      )
      .all();
  }

  setPresence({ extensionId, expiresSeconds, seenMs, lostMs }: Presence): void {
    this.#db
      .prepare(
        `INSERT INTO phone_presence (extension_id, expires_s, seen_ms, lost_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT (extension_id) DO UPDATE SET expires_s = excluded.expires_s, seen_ms = excluded.seen_ms, lost_ms = excluded.lost_ms`,
      )
      .run(extensionId, expiresSeconds, seenMs, lostMs);
  }
}
