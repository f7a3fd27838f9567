/** One-time keys and fallback keys of devices, in the order in which they came. */
import { SignedOneTimeKey } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';
import type { z } from 'zod';

export type ClaimedKey = { keyId: string; body: z.infer<typeof SignedOneTimeKey> };
type Row = { key_id: string; body: string };

export class OneTimeKeyStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** Takes a key in; one that is there already, given out or not, stays. @returns false: its id has another key. */
  add(deviceId: string, keyId: string, body: unknown): boolean {
    const text = JSON.stringify(body);
    const { changes } = this.#db
      .prepare('INSERT OR IGNORE INTO one_time_keys (device_id, key_id, body) VALUES (?, ?, ?)')
      .run(deviceId, keyId, text);
    if (changes > 0) return true;
    const kept = this.#db
      .prepare<[string, string], string>('SELECT body FROM one_time_keys WHERE device_id = ? AND key_id = ?')
      .pluck()
      .get(deviceId, keyId);
    return kept !== undefined && keyOf(kept) === keyOf(text);
  }

  /** That were not given out. */
  count(deviceId: string): number {
    return (
      this.#db
        .prepare<[string], number>(
          'SELECT count(*) FROM one_time_keys WHERE device_id = ? AND claimed_ms IS NULL',
        )
        .pluck()
        .get(deviceId) ?? 0
    );
  }

  /** The fallback key; the same one again stays used. */
  setFallback(deviceId: string, keyId: string, body: unknown): void {
    this.#db
      .prepare(
        `INSERT INTO fallback_keys (device_id, key_id, body, is_used) VALUES (?, ?, ?, 0)
         ON CONFLICT (device_id) DO UPDATE SET key_id = excluded.key_id, body = excluded.body, is_used = 0
         WHERE key_id <> excluded.key_id`,
      )
      .run(deviceId, keyId, JSON.stringify(body));
  }

  hasUnusedFallback(deviceId: string): boolean {
    return (
      this.#db
        .prepare<[string], number>('SELECT 1 FROM fallback_keys WHERE device_id = ? AND is_used = 0')
        .pluck()
        .get(deviceId) === 1
    );
  }

  /** The oldest one-time key, which is given out now and never again, or the fallback key. */
  claim(deviceId: string, nowMs: number): ClaimedKey | undefined {
    const key = this.#db
      .prepare<[number, string], Row>(
        `UPDATE one_time_keys SET claimed_ms = ? WHERE n =
           (SELECT n FROM one_time_keys WHERE device_id = ? AND claimed_ms IS NULL ORDER BY n LIMIT 1)
         RETURNING key_id, body`,
      )
      .get(nowMs, deviceId);
    const row =
      key ??
      this.#db
        .prepare<[string], Row>(
          'UPDATE fallback_keys SET is_used = 1 WHERE device_id = ? RETURNING key_id, body',
        )
        .get(deviceId);
    return row && { keyId: row.key_id, body: SignedOneTimeKey.parse(JSON.parse(row.body)) };
  }

  forgetClaimed(beforeMs: number): void {
    this.#db.prepare('DELETE FROM one_time_keys WHERE claimed_ms < ?').run(beforeMs);
  }
}

const keyOf = (body: string): string => SignedOneTimeKey.parse(JSON.parse(body)).key;
