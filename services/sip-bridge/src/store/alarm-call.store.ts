/** Alarm calls and their attempts. */
import type { AlarmCall, AlarmCallOrder } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';

export type Attempt = {
  n: number;
  number: string;
  name: string;
  atMs: number;
  outcome: AlarmCall['attempts'][number]['outcome'];
  detail: string;
};
export type AlarmCallRow = {
  id: string;
  orgId: string;
  incidentId: string;
  say: string;
  targets: AlarmCallOrder['targets'];
  rounds: number;
  ringS: number;
  scopes: string[];
  state: AlarmCall['state'];
  startedMs: number;
  endedMs: number | null;
  attempts: Attempt[];
};
type Row = Omit<AlarmCallRow, 'targets' | 'scopes' | 'attempts'> & { targets: string; scopes: string };

const columns = `id, org_id AS orgId, incident_id AS incidentId, say, targets, rounds, ring_s AS ringS, scopes, state, started_ms AS startedMs,
  ended_ms AS endedMs`;

export class AlarmCallStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** @returns false for one that came before. */
  add(order: AlarmCallOrder, scopes: readonly string[], nowMs: number): boolean {
    return (
      this.#db
        .prepare(
          `INSERT INTO alarm_calls (id, org_id, incident_id, say, targets, rounds, ring_s, scopes, state, started_ms)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'calling', ?) ON CONFLICT (id) DO NOTHING`,
        )
        .run(
          order.id,
          order.org_id,
          order.incident_id,
          order.say,
          JSON.stringify(order.targets),
          order.rounds,
          order.ring_s,
          JSON.stringify(scopes),
          nowMs,
        ).changes === 1
    );
  }

  get(id: string): AlarmCallRow | undefined {
    const row = this.#db.prepare<[string], Row>(`SELECT ${columns} FROM alarm_calls WHERE id = ?`).get(id);
    return row && this.#fromRow(row);
  }

  goingOn(): string[] {
    return this.#db
      .prepare<[], string>(`SELECT id FROM alarm_calls WHERE state = 'calling' ORDER BY started_ms, id`)
      .pluck()
      .all();
  }

  goingOnFor(incidentId: string): string[] {
    return this.#db
      .prepare<[string], string>(`SELECT id FROM alarm_calls WHERE incident_id = ? AND state = 'calling'`)
      .pluck()
      .all(incidentId);
  }

  /** Newest first, of places that lie in these scopes. */
  list(
    scopes: readonly string[],
    filter: {
      orgId: string;
      incidentId: string | undefined;
      before: { startedMs: number; id: string } | undefined;
      limit: number;
    },
  ): AlarmCallRow[] {
    return this.#db
      .prepare<Record<string, unknown>, Row>(
        `SELECT ${columns} FROM alarm_calls
         WHERE org_id = @orgId AND (@incidentId IS NULL OR incident_id = @incidentId)
           AND (@id IS NULL OR (started_ms, id) < (@startedMs, @id))
           AND EXISTS (SELECT 1 FROM json_each(alarm_calls.scopes) own JOIN json_each(@scopes) held ON held.value = own.value)
         ORDER BY started_ms DESC, id DESC LIMIT @limit`,
      )
      .all({
        orgId: filter.orgId,
        incidentId: filter.incidentId ?? null,
        startedMs: filter.before?.startedMs ?? null,
        id: filter.before?.id ?? null,
        scopes: JSON.stringify(scopes),
        limit: filter.limit,
      })
      .map((row) => this.#fromRow(row));
  }

  /** Writes an attempt, or what it has come to. */
  saveAttempt(id: string, attempt: Attempt): void {
    this.#db
      .prepare(
        `INSERT INTO alarm_call_attempts (alarm_call_id, n, number, name, at_ms, outcome, detail)
         VALUES (@id, @n, @number, @name, @atMs, @outcome, @detail)
         ON CONFLICT (alarm_call_id, n) DO UPDATE SET outcome = excluded.outcome, detail = excluded.detail`,
      )
      .run({ id, ...attempt });
  }

  removeAttempt(id: string, n: number): void {
    this.#db.prepare('DELETE FROM alarm_call_attempts WHERE alarm_call_id = ? AND n = ?').run(id, n);
  }

  /** By number, calls since then; what failed at once, or was not tried, cost nothing. */
  callsSince(ms: number): { number: string; calls: number }[] {
    return this.#db
      .prepare<[number], { number: string; calls: number }>(
        `SELECT number, count(*) AS calls FROM alarm_call_attempts
         WHERE at_ms >= ? AND outcome <> 'failed' AND number <> '' GROUP BY number`,
      )
      .all(ms);
  }

  /** @returns false for one that had ended. */
  end(id: string, state: Exclude<AlarmCall['state'], 'calling'>, nowMs: number): boolean {
    return (
      this.#db
        .prepare(`UPDATE alarm_calls SET state = ?, ended_ms = ? WHERE id = ? AND state = 'calling'`)
        .run(state, nowMs, id).changes === 1
    );
  }

  removeEndedBefore(ms: number, rows: number): void {
    this.#db
      .prepare('DELETE FROM alarm_calls WHERE id IN (SELECT id FROM alarm_calls WHERE ended_ms < ? LIMIT ?)')
      .run(ms, rows);
  }

  #fromRow(row: Row): AlarmCallRow {
    const attempts = this.#db
      .prepare<[string], Attempt>(
        `SELECT n, number, name, at_ms AS atMs, outcome, detail FROM alarm_call_attempts WHERE alarm_call_id = ? ORDER BY n`,
      )
      .all(row.id);
    return {
      ...row,
      targets: JSON.parse(row.targets) as AlarmCallRow['targets'],
      scopes: JSON.parse(row.scopes) as string[],
      attempts,
    };
  }
}
