/**
 * Emergency calls, tests and drills: what Kamailio reported, the row of each call, and what core is still to be told. What must
 * stay true: a report that was taken is kept with everything that follows from it, or not at all.
 */
import type { Sqlite } from '@siphera/runtime';
import type { EmergencyReport } from '../domain/emergency-fold.ts';

/** What is kept of a call besides its reports: as it was at the time. */
export type CallRow = {
  id: string;
  call_id: string;
  org_id: string | null;
  site_id: string | null;
  area_id: string | null;
  kind: 'emergency' | 'test' | 'drill';
  started_ms: number;
  caller_name: string;
  user_id: string | null;
  location_label: string | null;
  callback_number: string | null;
  trunk_names: Record<string, string>;
  incident_id: string | null;
};
export type Word = {
  id: number;
  emergency_call: string;
  kind: 'open' | 'event' | 'line';
  at_ms: number;
  body: Record<string, unknown>;
};
type Stored<T extends keyof never> = Omit<CallRow, T> & Record<T, string>;

/** About 100 MB with their reports: a year of a drill of 100 places every day. */
const callsMax = 40_000;
const columns =
  'id, call_id, org_id, site_id, area_id, kind, started_ms, caller_name, user_id, location_label, callback_number, trunk_names, incident_id';

export class EmergencyCallStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  transaction(work: () => void): void {
    this.#db.transaction(work).immediate();
  }

  /** @returns false for a double. */
  addReport(report: EmergencyReport, callId: string): boolean {
    const { changes } = this.#db
      .prepare(
        'INSERT INTO emergency_reports (uid, call_id, at_ms, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      )
      .run(report.uid, callId, report.at_ms, JSON.stringify(report));
    return changes > 0;
  }

  reports(callId: string): EmergencyReport[] {
    return this.#db
      .prepare<[string], string>('SELECT body FROM emergency_reports WHERE call_id = ? ORDER BY at_ms, uid')
      .pluck()
      .all(callId)
      .map((body) => JSON.parse(body) as EmergencyReport);
  }

  byCallId(callId: string): CallRow | undefined {
    const row = this.#db
      .prepare<[string], Stored<'trunk_names'>>(`SELECT ${columns} FROM emergency_calls WHERE call_id = ?`)
      .get(callId);
    return row && toRow(row);
  }

  get(id: string): CallRow | undefined {
    const row = this.#db
      .prepare<[string], Stored<'trunk_names'>>(`SELECT ${columns} FROM emergency_calls WHERE id = ?`)
      .get(id);
    return row && toRow(row);
  }

  save(row: CallRow): void {
    this.#db
      .prepare(
        `INSERT INTO emergency_calls (${columns})
         VALUES (@id, @call_id, @org_id, @site_id, @area_id, @kind, @started_ms, @caller_name, @user_id, @location_label,
           @callback_number, @trunk_names, @incident_id)
         ON CONFLICT (id) DO UPDATE SET org_id = excluded.org_id, site_id = excluded.site_id, area_id = excluded.area_id,
           kind = excluded.kind, started_ms = excluded.started_ms, caller_name = excluded.caller_name,
           user_id = excluded.user_id, location_label = excluded.location_label,
           callback_number = excluded.callback_number, trunk_names = excluded.trunk_names,
           incident_id = excluded.incident_id`,
      )
      .run({ ...row, trunk_names: JSON.stringify(row.trunk_names) });
  }

  setIncident(id: string, incidentId: string): void {
    this.#db.prepare('UPDATE emergency_calls SET incident_id = ? WHERE id = ?').run(incidentId, id);
  }

  /** When a newer call took its call-back number; that of an emergency is not lost to a drill. */
  callbackTakenMs({
    callback_number: callback,
    started_ms: startedMs,
    id,
    kind,
  }: CallRow): number | undefined {
    if (callback === null) return undefined;
    return (
      this.#db
        .prepare<[string, number, string, string], number | null>(
          `SELECT min(started_ms) FROM emergency_calls
           WHERE callback_number = ? AND started_ms >= ? AND id <> ? AND NOT (kind = 'drill' AND ? = 'emergency')`,
        )
        .pluck()
        .get(callback, startedMs, id, kind) ?? undefined
    );
  }

  /** Newest first; `before`: the last of the page before. */
  list(
    filter: { kind: CallRow['kind'] | undefined; before: Pick<CallRow, 'started_ms' | 'id'> | undefined },
    limit: number,
  ): CallRow[] {
    return this.#db
      .prepare<[Record<string, string | number | null>], Stored<'trunk_names'>>(
        `SELECT ${columns} FROM emergency_calls
         WHERE (@kind IS NULL OR kind = @kind) AND (@ms IS NULL OR (started_ms, id) < (@ms, @id))
         ORDER BY started_ms DESC, id DESC LIMIT @limit`,
      )
      .all({
        kind: filter.kind ?? null,
        ms: filter.before?.started_ms ?? null,
        id: filter.before?.id ?? null,
        limit,
      })
      .map(toRow);
  }

  /** Makes room: tests and drills go before emergencies, old before new. @returns how many calls went. */
  prune(): number {
    const count = this.#db.prepare<[], number>('SELECT count(*) FROM emergency_calls').pluck().get() ?? 0;
    if (count <= callsMax) return 0;
    const gone = this.#db
      .prepare<[number], string>(
        `DELETE FROM emergency_calls WHERE id IN (
           SELECT id FROM emergency_calls ORDER BY kind = 'emergency', started_ms, id LIMIT ?)
         RETURNING call_id`,
      )
      .pluck()
      .all(count - callsMax);
    for (const callId of gone)
      this.#db.prepare('DELETE FROM emergency_reports WHERE call_id = ?').run(callId);
    return gone.length;
  }

  addWord(word: Omit<Word, 'id'>): void {
    this.#db
      .prepare('INSERT INTO emergency_words (emergency_call, kind, at_ms, body) VALUES (?, ?, ?, ?)')
      .run(word.emergency_call, word.kind, word.at_ms, JSON.stringify(word.body));
  }

  /** The oldest that wait. */
  words(limit: number): Word[] {
    return this.#db
      .prepare<[number], Omit<Word, 'body'> & { body: string }>(
        'SELECT id, emergency_call, kind, at_ms, body FROM emergency_words WHERE refused IS NULL ORDER BY id LIMIT ?',
      )
      .all(limit)
      .map((word) => ({ ...word, body: JSON.parse(word.body) as Record<string, unknown> }));
  }

  told(id: number): void {
    this.#db.prepare('DELETE FROM emergency_words WHERE id = ?').run(id);
  }

  refuse(id: number, reason: string): void {
    this.#db.prepare('UPDATE emergency_words SET refused = ? WHERE id = ?').run(reason.slice(0, 500), id);
  }

  wordCounts(): { waiting: number; refused: number } {
    const counts = this.#db
      .prepare<[], { waiting: number | null; refused: number | null }>(
        'SELECT sum(refused IS NULL) AS waiting, sum(refused IS NOT NULL) AS refused FROM emergency_words',
      )
      .get();
    return { waiting: counts?.waiting ?? 0, refused: counts?.refused ?? 0 };
  }
}

const toRow = (row: Stored<'trunk_names'>): CallRow => ({
  ...row,
  trunk_names: JSON.parse(row.trunk_names) as Record<string, string>,
});
