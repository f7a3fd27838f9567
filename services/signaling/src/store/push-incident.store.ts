/** Incidents as far as pushes need them, and whom each has to reach. */
import type { IncidentState, Severity } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';

export type PushIncident = {
  id: string;
  orgId: string;
  number: number;
  title: string;
  severity: Severity;
  state: IncidentState;
  level: number;
  place: string;
  openedMs: number;
  test: boolean;
  scopes: readonly string[];
  revision: number;
};
type Row = Omit<PushIncident, 'test' | 'scopes'> & { test: 0 | 1; scopes: string };
export type PushPerson = {
  incidentId: string;
  userId: string;
  deadlineMs: number | null;
  shownMs: number | null;
  undeliveredMs: number | null;
  told: 0 | 1;
};

const columns = `id, org_id AS orgId, number, title, severity, state, level, place, opened_ms AS openedMs, test, scopes, revision`;
const personColumns = `incident_id AS incidentId, user_id AS userId, deadline_ms AS deadlineMs, shown_ms AS shownMs,
  undelivered_ms AS undeliveredMs, told`;

export class PushIncidentStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  get(id: string): PushIncident | undefined {
    const row = this.#db.prepare<[string], Row>(`SELECT ${columns} FROM push_incidents WHERE id = ?`).get(id);
    return row && { ...row, test: row.test === 1, scopes: JSON.parse(row.scopes) as string[] };
  }

  save(incident: PushIncident, nowMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO push_incidents (id, org_id, number, title, severity, state, level, place, opened_ms, test, scopes, revision,
           heard_ms)
         VALUES (@id, @orgId, @number, @title, @severity, @state, @level, @place, @openedMs, @test, @scopes, @revision, @nowMs)
         ON CONFLICT (id) DO UPDATE SET number = @number, title = @title, severity = @severity, state = @state, level = @level,
           place = @place, opened_ms = @openedMs, test = @test, scopes = @scopes, revision = @revision, heard_ms = @nowMs`,
      )
      .run({ ...incident, test: incident.test ? 1 : 0, scopes: JSON.stringify(incident.scopes), nowMs });
  }

  remove(id: string): void {
    this.#db.prepare('DELETE FROM push_incidents WHERE id = ?').run(id);
  }

  /** One that is new is kept, whatever its age: forgotten, it would ring as if it had opened when it next changes. */
  removeHeardBefore(ms: number): void {
    this.#db.prepare("DELETE FROM push_incidents WHERE heard_ms < ? AND state <> 'new'").run(ms);
  }

  /** @returns whether there was room for one more line of the push on the timeline; then it is counted. */
  takeLine(id: string, linesMax: number): boolean {
    return (
      this.#db
        .prepare('UPDATE push_incidents SET lines = lines + 1 WHERE id = ? AND lines < ?')
        .run(id, linesMax).changes > 0
    );
  }

  person(incidentId: string, userId: string): PushPerson | undefined {
    return this.#db
      .prepare<[string, string], PushPerson>(
        `SELECT ${personColumns} FROM push_people WHERE incident_id = ? AND user_id = ?`,
      )
      .get(incidentId, userId);
  }

  /** He is to be reached by then; what was shown to him before counts no more. */
  await(incidentId: string, userId: string, deadlineMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO push_people (incident_id, user_id, deadline_ms) VALUES (?, ?, ?)
         ON CONFLICT (incident_id, user_id) DO UPDATE SET deadline_ms = excluded.deadline_ms, shown_ms = NULL`,
      )
      .run(incidentId, userId, deadlineMs);
  }

  /** @returns whether this was the first of this person that nobody was told of yet. */
  noteShown(incidentId: string, userId: string, nowMs: number): boolean {
    this.#db
      .prepare(
        `UPDATE push_people SET shown_ms = coalesce(shown_ms, ?), deadline_ms = NULL WHERE incident_id = ? AND user_id = ?`,
      )
      .run(nowMs, incidentId, userId);
    return (
      this.#db
        .prepare('UPDATE push_people SET told = 1 WHERE incident_id = ? AND user_id = ? AND told = 0')
        .run(incidentId, userId).changes > 0
    );
  }

  /** @returns whether core has to be told, which it was not before. */
  noteUndelivered(incidentId: string, userId: string, nowMs: number): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE push_people SET undelivered_ms = ?, deadline_ms = NULL
           WHERE incident_id = ? AND user_id = ? AND undelivered_ms IS NULL`,
        )
        .run(nowMs, incidentId, userId).changes > 0
    );
  }

  /** Nothing is waited for any more: for a person, or for all. */
  letGo(incidentId: string, userId?: string): void {
    const all = 'UPDATE push_people SET deadline_ms = NULL WHERE incident_id = ?';
    if (userId === undefined) this.#db.prepare(all).run(incidentId);
    else this.#db.prepare(`${all} AND user_id = ?`).run(incidentId, userId);
  }

  /** The last phone of a person went: what he is awaited for is overdue now. */
  hurry(userId: string, nowMs: number): void {
    this.#db
      .prepare('UPDATE push_people SET deadline_ms = ? WHERE user_id = ? AND deadline_ms > ?')
      .run(nowMs, userId, nowMs);
  }

  overdue(nowMs: number, limit: number): PushPerson[] {
    return this.#db
      .prepare<[number, number], PushPerson>(
        `SELECT ${personColumns} FROM push_people WHERE deadline_ms <= ? ORDER BY deadline_ms LIMIT ?`,
      )
      .all(nowMs, limit);
  }
}
