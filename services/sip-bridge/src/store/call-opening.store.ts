/** Doors that were opened out of calls, and the last visit at each door station. */
import type { Sqlite } from '@siphera/runtime';
import type { Visit } from '../domain/door-call.ts';

export type OpeningRow = {
  call: string;
  atMs: number;
  by: string;
  how: 'button' | 'digit';
  ok: boolean;
  detail: string;
  commandId: string | null;
};
/** Of one call, newest kept: a call that opens a door every two seconds for hours does not fill the file. */
const openingsMax = 50;

export class CallOpeningStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(row: OpeningRow): void {
    this.#db
      .prepare(
        `INSERT INTO call_openings (call, at_ms, by, how, ok, detail, command_id)
           VALUES (@call, @atMs, @by, @how, @ok, @detail, @commandId)`,
      )
      .run({ ...row, ok: Number(row.ok) });
    this.#db
      .prepare(
        `DELETE FROM call_openings WHERE call = @call AND id NOT IN
           (SELECT id FROM call_openings WHERE call = @call ORDER BY id DESC LIMIT @openingsMax)`,
      )
      .run({ call: row.call, openingsMax });
  }

  /** Oldest first. */
  of(calls: readonly string[]): OpeningRow[] {
    return this.#db
      .prepare<[string], Omit<OpeningRow, 'ok'> & { ok: number }>(
        `SELECT call, at_ms AS atMs, by, how, ok, detail, command_id AS commandId FROM call_openings
           WHERE call IN (SELECT value FROM json_each(?)) ORDER BY id`,
      )
      .all(JSON.stringify(calls))
      .map((row) => ({ ...row, ok: row.ok === 1 }));
  }

  visit(doorNumber: string): Visit | undefined {
    const row = this.#db
      .prepare<[string], { lastMs: number; missed: number }>(
        'SELECT last_ms AS lastMs, missed FROM door_visits WHERE door_number = ?',
      )
      .get(doorNumber);
    return row && { lastMs: row.lastMs, missed: row.missed === 1 };
  }

  saveVisit(doorNumber: string, { lastMs, missed }: Visit): void {
    this.#db
      .prepare(
        `INSERT INTO door_visits (door_number, last_ms, missed) VALUES (?, ?, ?)
           ON CONFLICT (door_number) DO UPDATE SET last_ms = excluded.last_ms, missed = excluded.missed`,
      )
      .run(doorNumber, lastMs, Number(missed));
  }
}
