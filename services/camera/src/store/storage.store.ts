/** Directories that take footage. */
import type { Sqlite } from '@siphera/runtime';

export type StorageRow = {
  id: string;
  name: string;
  path: string;
  head_room_bytes: number;
  quota_bytes: number | null;
  created_ms: number;
  failed_ms: number | null;
};

export class StorageStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  all(): StorageRow[] {
    return this.#db.prepare<[], StorageRow>('SELECT * FROM storages ORDER BY created_ms, id').all();
  }

  insert(row: StorageRow): void {
    this.#db
      .prepare(
        `INSERT INTO storages (id, name, path, head_room_bytes, quota_bytes, created_ms, failed_ms)
         VALUES (@id, @name, @path, @head_room_bytes, @quota_bytes, @created_ms, @failed_ms)`,
      )
      .run(row);
  }

  update(row: StorageRow): void {
    this.#db
      .prepare(
        `UPDATE storages SET name = @name, head_room_bytes = @head_room_bytes, quota_bytes = @quota_bytes,
         failed_ms = @failed_ms WHERE id = @id`,
      )
      .run({
        id: row.id,
        name: row.name,
        head_room_bytes: row.head_room_bytes,
        quota_bytes: row.quota_bytes,
        failed_ms: row.failed_ms,
      });
  }

  /** @returns false when footage still lies on it. */
  remove(id: string): boolean {
    return this.#db
      .transaction(() => {
        const used = this.#db
          .prepare<[string]>('SELECT 1 FROM segments WHERE storage_id = ? LIMIT 1')
          .get(id);
        if (used) return false;
        this.#db.prepare('DELETE FROM garbage WHERE storage_id = ?').run(id);
        this.#db.prepare('DELETE FROM storages WHERE id = ?').run(id);
        return true;
      })
      .immediate();
  }
}
