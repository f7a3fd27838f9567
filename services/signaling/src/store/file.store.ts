/** Files: whose they are, for whom, and until when. Their content lies in a directory beside the database. */
import type { Sqlite } from '@siphera/runtime';

export type FileRow = {
  id: string;
  orgId: string;
  ownerId: string;
  roomId: string | null;
  /** Statements of the room when it was uploaded. */
  roomN: number | null;
  bytes: number;
  state: 'pending' | 'ready';
  createdMs: number;
  expiresMs: number;
};
type Row = {
  id: string;
  org_id: string;
  owner_id: string;
  room_id: string | null;
  room_n: number | null;
  bytes: number;
  state: FileRow['state'];
  created_ms: number;
  expires_ms: number;
};

export class FileStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  get(id: string): FileRow | undefined {
    const row = this.#db.prepare<[string], Row>('SELECT * FROM files WHERE id = ?').get(id);
    return row && fromRow(row);
  }

  isFor(id: string, userId: string): boolean {
    return (
      this.#db
        .prepare<[string, string], number>('SELECT 1 FROM file_audience WHERE file_id = ? AND user_id = ?')
        .pluck()
        .get(id, userId) !== undefined
    );
  }

  /** Pending ones count: what is being written takes its space already. */
  bytesOf(ownerId: string): number {
    return (
      this.#db
        .prepare<[string], number>('SELECT coalesce(sum(bytes), 0) FROM files WHERE owner_id = ?')
        .pluck()
        .get(ownerId) ?? 0
    );
  }

  bytesOfAll(): number {
    return this.#db.prepare<[], number>('SELECT coalesce(sum(bytes), 0) FROM files').pluck().get() ?? 0;
  }

  /** To be called in a transaction. */
  begin(file: Omit<FileRow, 'state'>, userIds: readonly string[]): void {
    this.#db
      .prepare(
        `INSERT INTO files (id, org_id, owner_id, room_id, room_n, bytes, created_ms, expires_ms)
         VALUES (@id, @orgId, @ownerId, @roomId, @roomN, @bytes, @createdMs, @expiresMs)`,
      )
      .run(file);
    const add = this.#db.prepare('INSERT INTO file_audience (file_id, user_id) VALUES (?, ?)');
    for (const userId of userIds) add.run(file.id, userId);
  }

  /** Its content is durable. */
  setReady(id: string): void {
    this.#db.prepare(`UPDATE files SET state = 'ready' WHERE id = ?`).run(id);
  }

  keepUntil(id: string, expiresMs: number): void {
    this.#db.prepare('UPDATE files SET expires_ms = ? WHERE id = ?').run(expiresMs, id);
  }

  remove(id: string): void {
    this.#db.prepare('DELETE FROM files WHERE id = ?').run(id);
  }

  expired(nowMs: number, max: number): FileRow[] {
    return this.#db
      .prepare<[number, number], Row>(
        `SELECT * FROM files WHERE expires_ms <= ? AND state = 'ready' ORDER BY expires_ms LIMIT ?`,
      )
      .all(nowMs, max)
      .map(fromRow);
  }

  /** Ids of those whose content ought to be there. */
  readyIds(): string[] {
    return this.#db.prepare<[], string>(`SELECT id FROM files WHERE state = 'ready'`).pluck().all();
  }

  /** Uploads that a crash broke off. @returns how many. */
  removePending(): number {
    return this.#db.prepare(`DELETE FROM files WHERE state = 'pending'`).run().changes;
  }
}

const fromRow = (row: Row): FileRow => ({
  id: row.id,
  orgId: row.org_id,
  ownerId: row.owner_id,
  roomId: row.room_id,
  roomN: row.room_n,
  bytes: row.bytes,
  state: row.state,
  createdMs: row.created_ms,
  expiresMs: row.expires_ms,
});
