/** Encrypted copies of 1:1 history, in the order in which they were written. */
import type { Sqlite } from '@siphera/runtime';

export type ArchiveItem = { id: string; seq: number; box: string };

export class ArchiveStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  use(userId: string): { lastSeq: number; bytes: number } {
    return (
      this.#db
        .prepare<[string], { lastSeq: number; bytes: number }>(
          'SELECT last_seq AS lastSeq, bytes FROM archive_use WHERE user_id = ?',
        )
        .get(userId) ?? { lastSeq: 0, bytes: 0 }
    );
  }

  /** The same box again changes nothing. To be called in a transaction. @returns what is used after it. */
  put(userId: string, items: readonly { id: string; box: string }[]): { lastSeq: number; bytes: number } {
    let { lastSeq, bytes } = this.use(userId);
    const read = this.#db
      .prepare<[string, string], string>('SELECT box FROM archive WHERE user_id = ? AND id = ?')
      .pluck();
    const write = this.#db.prepare(
      'INSERT OR REPLACE INTO archive (user_id, id, seq, box) VALUES (?, ?, ?, ?)',
    );
    for (const { id, box } of items) {
      const kept = read.get(userId, id);
      if (kept === box) continue;
      lastSeq += 1;
      bytes += box.length - (kept?.length ?? 0);
      write.run(userId, id, lastSeq, box);
    }
    this.#db
      .prepare('INSERT OR REPLACE INTO archive_use (user_id, last_seq, bytes) VALUES (?, ?, ?)')
      .run(userId, lastSeq, bytes);
    return { lastSeq, bytes };
  }

  /**
   * From `after` on, at most `limit` items and no more than fit into `charsMax` (one at least).
   * @returns `more`: something comes after them.
   */
  page(
    userId: string,
    after: number,
    { limit, charsMax }: { limit: number; charsMax: number },
  ): { items: ArchiveItem[]; more: boolean } {
    const items: ArchiveItem[] = [];
    let chars = 0;
    const rows = this.#db
      .prepare<[string, number, number], ArchiveItem>(
        'SELECT id, seq, box FROM archive WHERE user_id = ? AND seq > ? ORDER BY seq LIMIT ?',
      )
      .iterate(userId, after, limit + 1);
    for (const row of rows) {
      chars += row.box.length;
      if (items.length === limit || (items.length > 0 && chars > charsMax)) return { items, more: true };
      items.push(row);
    }
    return { items, more: false };
  }

  /** Of somebody who was deleted. @returns how many items; fewer than `max`: no more are left. */
  forget(userId: string, max: number): number {
    this.#db.prepare('DELETE FROM archive_use WHERE user_id = ?').run(userId);
    return this.#db
      .prepare('DELETE FROM archive WHERE rowid IN (SELECT rowid FROM archive WHERE user_id = ? LIMIT ?)')
      .run(userId, max).changes;
  }
}
