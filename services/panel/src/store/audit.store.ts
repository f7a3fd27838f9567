/** Audit rows on their way to core: written in the transaction of the change they tell of, so that none is lost. */
import type { Sqlite } from '@siphera/runtime';

export class AuditStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(body: unknown): void {
    this.#db.prepare('INSERT INTO audit_outbox (body) VALUES (?)').run(JSON.stringify(body));
  }

  next(): { id: number; body: unknown } | undefined {
    const row = this.#db
      .prepare<[], { id: number; body: string }>('SELECT id, body FROM audit_outbox ORDER BY id LIMIT 1')
      .get();
    return row && { id: row.id, body: JSON.parse(row.body) as unknown };
  }

  remove(id: number): void {
    this.#db.prepare('DELETE FROM audit_outbox WHERE id = ?').run(id);
  }
}
