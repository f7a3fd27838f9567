/** Drills and how they went at each location. */
import type { DrillResult } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';
import type { z } from 'zod';

export type StoredResult = z.infer<typeof DrillResult>;
export type DrillRow = {
  id: string;
  org_id: string;
  site_id: string;
  name: string;
  location_ids: string[];
  state: 'running' | 'done' | 'stopped';
  started_ms: number;
  started_by: string;
  ended_ms: number | null;
};
type Stored = Omit<DrillRow, 'location_ids'> & { location_ids: string };

const columns = 'id, org_id, site_id, name, location_ids, state, started_ms, started_by, ended_ms';

export class DrillStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(drill: Omit<DrillRow, 'state' | 'ended_ms'>, also: () => void): void {
    this.#db
      .transaction(() => {
        this.#db
          .prepare(
            `INSERT INTO drills (${columns})
             VALUES (@id, @org_id, @site_id, @name, @location_ids, 'running', @started_ms, @started_by, NULL)`,
          )
          .run({ ...drill, location_ids: JSON.stringify(drill.location_ids) });
        also();
      })
      .immediate();
  }

  get(id: string): DrillRow | undefined {
    const row = this.#db.prepare<[string], Stored>(`SELECT ${columns} FROM drills WHERE id = ?`).get(id);
    return row && toRow(row);
  }

  running(): DrillRow | undefined {
    const row = this.#db.prepare<[], Stored>(`SELECT ${columns} FROM drills WHERE state = 'running'`).get();
    return row && toRow(row);
  }

  /** Newest first: ids sort by time. */
  list(orgId: string, before: string | undefined, limit: number): DrillRow[] {
    return this.#db
      .prepare<[Record<string, string | number | null>], Stored>(
        `SELECT ${columns} FROM drills WHERE org_id = @orgId AND (@before IS NULL OR id < @before)
         ORDER BY id DESC LIMIT @limit`,
      )
      .all({ orgId, before: before ?? null, limit })
      .map(toRow);
  }

  end(id: string, state: 'done' | 'stopped', nowMs: number): void {
    this.#db
      .prepare(`UPDATE drills SET state = ?, ended_ms = ? WHERE id = ? AND state = 'running'`)
      .run(state, nowMs, id);
  }

  addResult(drillId: string, ordinal: number, result: StoredResult, atMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO drill_results (drill_id, ordinal, location_id, label, passed, steps, at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        drillId,
        ordinal,
        result.location_id,
        result.label,
        Number(result.passed),
        JSON.stringify(result.steps),
        atMs,
      );
  }

  results(drillId: string): StoredResult[] {
    return this.#db
      .prepare<[string], { location_id: string; label: string; passed: number; steps: string }>(
        'SELECT location_id, label, passed, steps FROM drill_results WHERE drill_id = ? ORDER BY ordinal',
      )
      .all(drillId)
      .map((row) => ({
        ...row,
        passed: row.passed === 1,
        steps: JSON.parse(row.steps) as StoredResult['steps'],
      }));
  }

  /** The newest of each location. */
  lastResults(): Map<string, { atMs: number; passed: boolean }> {
    const rows = this.#db
      .prepare<[], { location_id: string; at_ms: number; passed: number }>(
        `SELECT location_id, max(at_ms) AS at_ms, passed FROM drill_results GROUP BY location_id`,
      )
      .all();
    return new Map(rows.map((row) => [row.location_id, { atMs: row.at_ms, passed: row.passed === 1 }]));
  }
}

const toRow = (row: Stored): DrillRow => ({
  ...row,
  location_ids: JSON.parse(row.location_ids) as string[],
});
