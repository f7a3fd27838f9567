/** The number plan; while nobody has changed it, that of the country the box is set to. */
import { NumberPlan } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';
import { defaultPlan } from '../domain/number-plan.ts';

export class NumberPlanStore {
  readonly #db: Sqlite;
  readonly #country: string;

  constructor(db: Sqlite, country: string) {
    this.#db = db;
    this.#country = country;
  }

  get(): NumberPlan {
    const body = this.#db.prepare<[], string>('SELECT body FROM number_plan').pluck().get();
    return body === undefined ? defaultPlan(this.#country) : NumberPlan.parse(JSON.parse(body));
  }

  put(plan: NumberPlan): void {
    this.#db
      .prepare(
        'INSERT INTO number_plan (only_row, body) VALUES (1, ?) ON CONFLICT (only_row) DO UPDATE SET body = excluded.body',
      )
      .run(JSON.stringify(plan));
  }
}
