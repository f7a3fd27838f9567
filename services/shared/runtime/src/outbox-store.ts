/**
 * Things for core that core has not taken yet, in order, and those it will never take. The table `outbox` is made by the
 * migrations of the service that has one: id, kind, path, body, created_ms, refused.
 */
import type { Sqlite } from './sqlite.ts';

export type OutboxRow = { id: number; kind: 'event' | 'post'; path: string; body: string };

/** Rows that may wait: about 100 MB, days of a busy site. Above it the oldest events make room for new ones. */
const waitingMax = 200_000;
/** Refused rows kept to look at. */
const refusedMax = 1_000;

export class OutboxStore {
  readonly #db: Sqlite;
  #waiting: number;

  constructor(db: Sqlite) {
    this.#db = db;
    this.#waiting =
      db.prepare<[], number>('SELECT count(*) FROM outbox WHERE refused IS NULL').pluck().get() ?? 0;
  }

  /** @returns how many older events were dropped to make room: 0 or 1. */
  add(row: Omit<OutboxRow, 'id'>, nowMs: number): number {
    this.#db
      .prepare('INSERT INTO outbox (kind, path, body, created_ms) VALUES (?, ?, ?, ?)')
      .run(row.kind, row.path, row.body, nowMs);
    this.#waiting += 1;
    if (this.#waiting <= waitingMax) return 0;
    const { changes } = this.#db
      .prepare(
        `DELETE FROM outbox WHERE id = (SELECT id FROM outbox WHERE refused IS NULL AND kind = 'event' ORDER BY id LIMIT 1)`,
      )
      .run();
    this.#waiting -= changes;
    return changes;
  }

  /** The oldest rows that wait. */
  next(limit: number): OutboxRow[] {
    return this.#db
      .prepare<[number], OutboxRow>(
        'SELECT id, kind, path, body FROM outbox WHERE refused IS NULL ORDER BY id LIMIT ?',
      )
      .all(limit);
  }

  /** Core has them. */
  taken(rows: readonly OutboxRow[]): void {
    const drop = this.#db.prepare<[number]>('DELETE FROM outbox WHERE id = ?');
    this.#db
      .transaction(() => {
        for (const { id } of rows) this.#waiting -= drop.run(id).changes;
      })
      .immediate();
  }

  /** Core will never take it. */
  refused(row: OutboxRow, reason: string): void {
    this.#db
      .transaction(() => {
        this.#waiting -= this.#db
          .prepare('UPDATE outbox SET refused = ? WHERE id = ? AND refused IS NULL')
          .run(reason.slice(0, 500), row.id).changes;
        this.#db
          .prepare(
            `DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE refused IS NOT NULL ORDER BY id DESC LIMIT -1 OFFSET ?)`,
          )
          .run(refusedMax);
      })
      .immediate();
  }

  waitingCount(): number {
    return this.#waiting;
  }
}
