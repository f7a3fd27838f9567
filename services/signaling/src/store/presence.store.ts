/** What people say of themselves: on duty, not to be disturbed. */
import type { Sqlite } from '@siphera/runtime';

export type PresenceRow = {
  userId: string;
  orgId: string;
  /** Undefined: off duty. */
  dutySinceMs: number | undefined;
  dndUntilMs: number | undefined;
};
type Row = {
  user_id: string;
  org_id: string;
  duty_since_ms: number | null;
  dnd_until_ms: number | null;
};
const columns = 'user_id, org_id, duty_since_ms, dnd_until_ms';

export class PresenceStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  get(userId: string): PresenceRow | undefined {
    const row = this.#db
      .prepare<[string], Row>(`SELECT ${columns} FROM presence WHERE user_id = ?`)
      .get(userId);
    return row && fromRow(row);
  }

  inOrg(orgId: string): Map<string, PresenceRow> {
    const rows = this.#db
      .prepare<[string], Row>(`SELECT ${columns} FROM presence WHERE org_id = ?`)
      .all(orgId);
    return new Map(rows.map((row) => [row.user_id, fromRow(row)]));
  }

  onDuty(): { userId: string; dutySinceMs: number }[] {
    return this.#db
      .prepare<[], { userId: string; dutySinceMs: number }>(
        `SELECT user_id AS userId, duty_since_ms AS dutySinceMs FROM presence WHERE duty_since_ms IS NOT NULL ORDER BY user_id`,
      )
      .all();
  }

  save(row: PresenceRow): void {
    this.#db
      .prepare(
        `INSERT INTO presence (user_id, org_id, on_duty, duty_since_ms, dnd_until_ms)
         VALUES (@userId, @orgId, @onDuty, @dutySinceMs, @dndUntilMs)
         ON CONFLICT (user_id) DO UPDATE SET org_id = @orgId, on_duty = @onDuty, duty_since_ms = @dutySinceMs,
           dnd_until_ms = @dndUntilMs`,
      )
      .run({
        userId: row.userId,
        orgId: row.orgId,
        onDuty: row.dutySinceMs === undefined ? 0 : 1,
        dutySinceMs: row.dutySinceMs ?? null,
        dndUntilMs: row.dndUntilMs ?? null,
      });
  }

  remove(userId: string): void {
    this.#db.prepare('DELETE FROM presence WHERE user_id = ?').run(userId);
  }

  /** Ends every do-not-disturb that is over. @returns whose. */
  endDisturbance(nowMs: number): { userId: string; orgId: string }[] {
    return this.#db
      .prepare<[number], { userId: string; orgId: string }>(
        `UPDATE presence SET dnd_until_ms = NULL WHERE dnd_until_ms <= ? RETURNING user_id AS userId, org_id AS orgId`,
      )
      .all(nowMs);
  }
}

const fromRow = (row: Row): PresenceRow => ({
  userId: row.user_id,
  orgId: row.org_id,
  dutySinceMs: row.duty_since_ms ?? undefined,
  dndUntilMs: row.dnd_until_ms ?? undefined,
});
