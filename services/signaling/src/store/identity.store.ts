/** Cross-signing identities, and what people signed of the identities of others. */
import { CrossSigningKey } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';
import type { Identity } from '../domain/keys.ts';

type Row = { master_key: string; self_signing_key: string; user_signing_key: string };
export type UserSignature = {
  signerId: string;
  targetId: string;
  masterKey: string;
  keyId: string;
  signature: string;
};

const read = (text: string): CrossSigningKey => CrossSigningKey.parse(JSON.parse(text));

export class IdentityStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  get(userId: string): Identity | undefined {
    const row = this.#db
      .prepare<[string], Row>(
        'SELECT master_key, self_signing_key, user_signing_key FROM identities WHERE user_id = ?',
      )
      .get(userId);
    return (
      row && {
        masterKey: read(row.master_key),
        selfSigningKey: read(row.self_signing_key),
        userSigningKey: read(row.user_signing_key),
      }
    );
  }

  put(owner: { userId: string; orgId: string }, identity: Identity, nowMs: number): void {
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO identities (user_id, org_id, master_key, self_signing_key, user_signing_key, changed_ms)
         VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(
        owner.userId,
        owner.orgId,
        JSON.stringify(identity.masterKey),
        JSON.stringify(identity.selfSigningKey),
        JSON.stringify(identity.userSigningKey),
        nowMs,
      );
  }

  setMasterKey(userId: string, key: CrossSigningKey): void {
    this.#db
      .prepare('UPDATE identities SET master_key = ? WHERE user_id = ?')
      .run(JSON.stringify(key), userId);
  }

  putUserSignature({ signerId, targetId, masterKey, keyId, signature }: UserSignature): void {
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO user_signatures (signer_id, target_id, master_key, key_id, signature)
         VALUES (?, ?, ?, ?, ?)`,
      )
      .run(signerId, targetId, masterKey, keyId, signature);
  }

  userSignature(signerId: string, targetId: string): UserSignature | undefined {
    return this.#db
      .prepare<[string, string], UserSignature>(
        `SELECT signer_id AS signerId, target_id AS targetId, master_key AS masterKey, key_id AS keyId, signature
         FROM user_signatures WHERE signer_id = ? AND target_id = ?`,
      )
      .get(signerId, targetId);
  }

  /** What somebody signed, and what others signed of him: void once his identity is another. */
  dropUserSignatures(userId: string): void {
    this.#db.prepare('DELETE FROM user_signatures WHERE signer_id = ? OR target_id = ?').run(userId, userId);
  }

  /** Of somebody who works here no more. */
  remove(userId: string): void {
    this.dropUserSignatures(userId);
    this.#db.prepare('DELETE FROM identities WHERE user_id = ?').run(userId);
  }
}
