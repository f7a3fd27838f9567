/** What is kept of incidents, one row for each camera that sees the place, and which incidents were heard. */
import type { Sqlite } from '@siphera/runtime';

export type ClipRow = {
  id: string;
  incident_id: string;
  camera_id: string;
  org_id: string;
  camera_name: string;
  time_zone: string;
  at_ms: number;
  from_ms: number;
  to_ms: number;
  state: 'pending' | 'ready' | 'missing';
  problem: string | null;
  told: 0 | 1;
  due_ms: number | null;
  until_ms: number;
};
export type NewClip = Omit<ClipRow, 'state' | 'problem' | 'told' | 'due_ms'> & { due_ms: number };

export class ClipStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** @returns false when the incident has one of this camera already. */
  add(clip: NewClip): boolean {
    return (
      this.#db
        .prepare(
          `INSERT INTO clips (id, incident_id, camera_id, org_id, camera_name, time_zone, at_ms, from_ms, to_ms, due_ms, until_ms)
           VALUES (@id, @incident_id, @camera_id, @org_id, @camera_name, @time_zone, @at_ms, @from_ms, @to_ms, @due_ms, @until_ms)
           ON CONFLICT (incident_id, camera_id) DO NOTHING`,
        )
        .run(clip).changes === 1
    );
  }

  /** The clip of this incident and camera goes on until then at least: whether all of it is there is looked at again. */
  extend(clip: NewClip): void {
    this.#db
      .prepare(
        `UPDATE clips SET to_ms = @to_ms, until_ms = max(until_ms, @until_ms), state = 'pending', problem = NULL, due_ms = @due_ms
         WHERE incident_id = @incident_id AND camera_id = @camera_id AND to_ms < @to_ms`,
      )
      .run(clip);
  }

  of(incidentId: string): ClipRow[] {
    return this.#db
      .prepare<[string], ClipRow>('SELECT * FROM clips WHERE incident_id = ? ORDER BY camera_name, id')
      .all(incidentId);
  }

  find(incidentId: string, cameraId: string): ClipRow | undefined {
    return this.#db
      .prepare<[string, string], ClipRow>('SELECT * FROM clips WHERE incident_id = ? AND camera_id = ?')
      .get(incidentId, cameraId);
  }

  get(id: string): ClipRow | undefined {
    return this.#db.prepare<[string], ClipRow>('SELECT * FROM clips WHERE id = ?').get(id);
  }

  due(nowMs: number, limit: number): ClipRow[] {
    return this.#db
      .prepare<[number, number], ClipRow>('SELECT * FROM clips WHERE due_ms <= ? ORDER BY due_ms LIMIT ?')
      .all(nowMs, limit);
  }

  pendingCount(): number {
    return (
      this.#db.prepare<[], { n: number }>('SELECT count(*) AS n FROM clips WHERE due_ms IS NOT NULL').get()
        ?.n ?? 0
    );
  }

  later(id: string, dueMs: number): void {
    this.#db.prepare(`UPDATE clips SET due_ms = ? WHERE id = ? AND state = 'pending'`).run(dueMs, id);
  }

  told(id: string): void {
    this.#db.prepare('UPDATE clips SET told = 1 WHERE id = ?').run(id);
  }

  finish(id: string, state: 'ready' | 'missing', problem: string | null): void {
    this.#db
      .prepare('UPDATE clips SET state = ?, problem = ?, due_ms = NULL WHERE id = ?')
      .run(state, problem, id);
  }

  /** Devices whose cameras were looked up for this incident; undefined when it was not heard of yet. */
  heard(incidentId: string): string[] | undefined {
    const row = this.#db
      .prepare<[string], { device_ids: string }>(
        'SELECT device_ids FROM evidence_incidents WHERE incident_id = ?',
      )
      .get(incidentId);
    return row && (JSON.parse(row.device_ids) as string[]);
  }

  hear(incidentId: string, deviceIds: readonly string[], untilMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO evidence_incidents (incident_id, device_ids, until_ms) VALUES (?, ?, ?)
         ON CONFLICT (incident_id) DO UPDATE SET device_ids = excluded.device_ids`,
      )
      .run(incidentId, JSON.stringify(deviceIds), untilMs);
  }

  /** Their stills go with them. */
  removeExpired(nowMs: number): void {
    this.#db.prepare('DELETE FROM clips WHERE until_ms <= ?').run(nowMs);
    this.#db.prepare('DELETE FROM evidence_incidents WHERE until_ms <= ?').run(nowMs);
  }
}
