/** What the base of the bridge keeps: how far the feed was followed, and core's last answers. */
import type { Sqlite } from '@siphera/runtime';

export class BaseStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
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

  /** @returns undefined when core has never answered that. */
  keptAnswer(name: 'people' | 'places'): unknown {
    const body = this.#db
      .prepare<[string], string>('SELECT body FROM kept_answers WHERE name = ?')
      .pluck()
      .get(name);
    return body === undefined ? undefined : JSON.parse(body);
  }

  keepAnswer(name: 'people' | 'places', answer: unknown): void {
    this.#db
      .prepare(
        'INSERT INTO kept_answers (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body',
      )
      .run(name, JSON.stringify(answer));
  }
}
