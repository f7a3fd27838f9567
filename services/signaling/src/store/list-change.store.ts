/** When devices and identities of people last changed, by positions that count up over all. */
import type { Sqlite } from '@siphera/runtime';
import type { PositionStore } from './position.store.ts';

export class ListChangeStore {
  readonly #db: Sqlite;
  readonly #positions: PositionStore;

  constructor(db: Sqlite, positions: PositionStore) {
    this.#db = db;
    this.#positions = positions;
  }

  /** @param viewerId the only user who is to see it; all of the organisation when absent. */
  note(owner: { userId: string; orgId: string }, viewerId = ''): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO list_changes (user_id, viewer_id, org_id, pos) VALUES (?, ?, ?, ?)')
      .run(owner.userId, viewerId, owner.orgId, this.#positions.next('lists'));
  }

  /** Users whose devices or identity changed after `after`, as `viewer` sees it. */
  changedAfter(after: number, viewer: { userId: string; orgId: string }): string[] {
    return this.#db
      .prepare<[number, string, string], string>(
        `SELECT DISTINCT user_id FROM list_changes
         WHERE pos > ? AND org_id = ? AND viewer_id IN ('', ?) ORDER BY pos`,
      )
      .pluck()
      .all(after, viewer.orgId, viewer.userId);
  }

  /** Position of the last change of one of them; 0 for none. */
  changedAt(userIds: readonly string[]): number {
    return (
      this.#db
        .prepare<[string], number | null>(
          `SELECT max(pos) FROM list_changes
           WHERE viewer_id = '' AND user_id IN (SELECT value FROM json_each(?))`,
        )
        .pluck()
        .get(JSON.stringify(userIds)) ?? 0
    );
  }

  /** Of the last change of all. */
  position(): number {
    return this.#positions.last('lists');
  }
}
