/** What talk knows of core: people, where incidents are, and how far the feed was heard. */
import { InternalPerson } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';
import { z } from 'zod';

export type KnownIncident = { id: string; orgId: string; scopes: readonly string[] };

const Scopes = z.array(z.string());

export class BaseStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  people(): InternalPerson[] {
    return this.#db
      .prepare<[], { body: string }>('SELECT body FROM people')
      .all()
      .map(({ body }) => InternalPerson.parse(JSON.parse(body)));
  }

  replacePeople(people: readonly InternalPerson[]): void {
    const add = this.#db.prepare('INSERT OR REPLACE INTO people (id, body) VALUES (?, ?)');
    this.#db
      .transaction(() => {
        this.#db.prepare('DELETE FROM people').run();
        for (const person of people) add.run(person.id, JSON.stringify(person));
      })
      .immediate();
  }

  incident(id: string): KnownIncident | undefined {
    const row = this.#db
      .prepare<[string], { org_id: string; scopes: string }>(
        'SELECT org_id, scopes FROM incidents WHERE id = ?',
      )
      .get(id);
    return row && { id, orgId: row.org_id, scopes: Scopes.parse(JSON.parse(row.scopes)) };
  }

  putIncident({ id, orgId, scopes }: KnownIncident): void {
    this.#db
      .prepare(
        `INSERT INTO incidents (id, org_id, scopes) VALUES (?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET org_id = excluded.org_id, scopes = excluded.scopes
         WHERE scopes <> excluded.scopes`,
      )
      .run(id, orgId, JSON.stringify(scopes));
  }

  removeIncident(id: string): void {
    this.#db.prepare('DELETE FROM incidents WHERE id = ?').run(id);
  }

  feedPosition(): number | undefined {
    return this.#db.prepare<[], number>('SELECT seq FROM feed_position').pluck().get();
  }

  setFeedPosition(seq: number): void {
    this.#db
      .prepare(
        'INSERT INTO feed_position (only_row, seq) VALUES (1, ?) ON CONFLICT (only_row) DO UPDATE SET seq = excluded.seq',
      )
      .run(seq);
  }
}
