/** Links that work without signing in. Of the token only a hash is kept, so that a copy of the file opens nothing. */
import { createHash } from 'node:crypto';
import type { AccessClaims, CameraLink } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';

export type LinkRow = {
  id: string;
  orgId: string;
  cameraId: string;
  kind: CameraLink['kind'];
  name: string;
  fromMs: number | null;
  toMs: number | null;
  makerKind: AccessClaims['kind'];
  makerId: string;
  makerName: string;
  createdMs: number;
  expiresMs: number;
  lastUsedMs: number | null;
  uses: number;
};
type Row = {
  id: string;
  org_id: string;
  camera_id: string;
  kind: LinkRow['kind'];
  name: string;
  from_ms: number | null;
  to_ms: number | null;
  maker_kind: LinkRow['makerKind'];
  maker_id: string;
  maker_name: string;
  created_ms: number;
  expires_ms: number;
  last_used_ms: number | null;
  uses: number;
};

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

export class LinkStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(link: LinkRow, token: string): void {
    this.#db
      .prepare(
        `INSERT INTO links (id, token_sha256, org_id, camera_id, kind, name, from_ms, to_ms, maker_kind, maker_id, maker_name,
           created_ms, expires_ms) VALUES (@id, @hash, @orgId, @cameraId, @kind, @name, @fromMs, @toMs, @makerKind, @makerId,
           @makerName, @createdMs, @expiresMs)`,
      )
      .run({ ...link, hash: hashOf(token) });
  }

  /** The hash is of 256 random bits: that the index compares it tells nobody anything. */
  byToken(token: string): LinkRow | undefined {
    const row = this.#db
      .prepare<[Buffer], Row>('SELECT * FROM links WHERE token_sha256 = ?')
      .get(hashOf(token));
    return row && fromRow(row);
  }

  get(id: string): LinkRow | undefined {
    const row = this.#db.prepare<[string], Row>('SELECT * FROM links WHERE id = ?').get(id);
    return row && fromRow(row);
  }

  list(orgId: string): LinkRow[] {
    return this.#db
      .prepare<[string], Row>('SELECT * FROM links WHERE org_id = ? ORDER BY created_ms DESC, id DESC')
      .all(orgId)
      .map(fromRow);
  }

  count(): number {
    return this.#db.prepare<[], number>('SELECT count(*) FROM links').pluck().get() ?? 0;
  }

  used(id: string, nowMs: number): void {
    this.#db.prepare('UPDATE links SET uses = uses + 1, last_used_ms = ? WHERE id = ?').run(nowMs, id);
  }

  remove(id: string): void {
    this.#db.prepare('DELETE FROM links WHERE id = ?').run(id);
  }

  /** Long expired: kept for a while, so that somebody can see why a link no longer works. */
  removeExpired(beforeMs: number): void {
    this.#db.prepare('DELETE FROM links WHERE expires_ms < ?').run(beforeMs);
  }
}

const fromRow = (row: Row): LinkRow => ({
  id: row.id,
  orgId: row.org_id,
  cameraId: row.camera_id,
  kind: row.kind,
  name: row.name,
  fromMs: row.from_ms,
  toMs: row.to_ms,
  makerKind: row.maker_kind,
  makerId: row.maker_id,
  makerName: row.maker_name,
  createdMs: row.created_ms,
  expiresMs: row.expires_ms,
  lastUsedMs: row.last_used_ms,
  uses: row.uses,
});
