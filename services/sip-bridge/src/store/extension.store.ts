/** Numbers of the house. Of a secret only the HA1 is kept, and it never leaves but for Kamailio. */
import { ExtensionInput } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';
import type { PlannedExtension } from '../plan.part.ts';

type Row = {
  id: string;
  org_id: string;
  body: string;
  auth_username: string;
  ha1: string | null;
  ha1_realm: string | null;
  revision: number;
};
export type Account = { extensionId: string; authUsername: string; ha1: string };

export class ExtensionStore {
  readonly #db: Sqlite;
  readonly #realm: string;

  /** @param realm of now: a secret made for another one signs nobody in. */
  constructor(db: Sqlite, realm: string) {
    this.#db = db;
    this.#realm = realm;
  }

  all(): PlannedExtension[] {
    return this.#db
      .prepare<[], Row>('SELECT * FROM extensions ORDER BY number')
      .all()
      .map((row) => this.#planned(row));
  }

  accounts(): Account[] {
    return this.#db
      .prepare<[string], Account>(
        `SELECT id AS extensionId, auth_username AS authUsername, ha1 FROM extensions
         WHERE ha1_realm = ? AND kind <> 'group' ORDER BY id`,
      )
      .all(this.#realm);
  }

  add(
    extension: { id: string; orgId: string; input: ExtensionInput; authUsername: string; ha1: string | null },
    options: { isOwn: boolean; nowMs: number },
  ): void {
    const { id, orgId, input, authUsername, ha1 } = extension;
    this.#db
      .prepare(
        `INSERT INTO extensions (id, org_id, number, kind, user_id, body, auth_username, ha1, ha1_realm, is_own, revision, created_ms)
         VALUES (@id, @orgId, @number, @kind, @userId, @body, @authUsername, @ha1, @realm, @isOwn, 1, @nowMs)`,
      )
      .run({
        id,
        orgId,
        number: input.number,
        kind: input.kind,
        userId: input.user_id,
        body: JSON.stringify(input),
        authUsername,
        ha1,
        realm: ha1 === null ? null : this.#realm,
        isOwn: options.isOwn ? 1 : 0,
        nowMs: options.nowMs,
      });
  }

  /** @returns false when it was changed in the meantime. */
  change(id: string, revision: number, input: ExtensionInput): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE extensions SET number = @number, kind = @kind, user_id = @userId, body = @body, revision = revision + 1
           WHERE id = @id AND revision = @revision`,
        )
        .run({
          id,
          revision,
          number: input.number,
          kind: input.kind,
          userId: input.user_id,
          body: JSON.stringify(input),
        }).changes === 1
    );
  }

  setHa1(id: string, ha1: string): void {
    this.#db
      .prepare('UPDATE extensions SET ha1 = ?, ha1_realm = ?, revision = revision + 1 WHERE id = ?')
      .run(ha1, this.#realm, id);
  }

  remove(id: string): void {
    this.#db.prepare('DELETE FROM extensions WHERE id = ?').run(id);
  }

  #planned(row: Row): PlannedExtension {
    return {
      ...ExtensionInput.parse(JSON.parse(row.body)),
      id: row.id,
      org_id: row.org_id,
      revision: row.revision,
      auth_username: row.auth_username,
      has_secret: row.ha1 !== null && row.ha1_realm === this.#realm,
    };
  }
}
