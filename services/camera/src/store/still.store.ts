/** Pictures that are kept, or wanted; the files are beside the database. */
import type { Sqlite } from '@siphera/runtime';

export type StillRow = {
  id: string;
  clip_id: string | null;
  camera_id: string;
  org_id: string;
  at_ms: number;
  state: 'pending' | 'ready' | 'missing';
  command_id: string | null;
  until_ms: number;
};

export class StillStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** @returns false when the command has its picture already. */
  add(row: StillRow): boolean {
    return (
      this.#db
        .prepare(
          `INSERT INTO stills (id, clip_id, camera_id, org_id, at_ms, state, command_id, until_ms)
           VALUES (@id, @clip_id, @camera_id, @org_id, @at_ms, @state, @command_id, @until_ms)
           ON CONFLICT (command_id) DO NOTHING`,
        )
        .run(row).changes === 1
    );
  }

  get(id: string): StillRow | undefined {
    return this.#db.prepare<[string], StillRow>('SELECT * FROM stills WHERE id = ?').get(id);
  }

  ofCommand(commandId: string): StillRow | undefined {
    return this.#db.prepare<[string], StillRow>('SELECT * FROM stills WHERE command_id = ?').get(commandId);
  }

  of(clipId: string): StillRow[] {
    return this.#db
      .prepare<[string], StillRow>('SELECT * FROM stills WHERE clip_id = ? ORDER BY at_ms, id')
      .all(clipId);
  }

  /** A picture that is kept of about the same moment: a storm of incidents needs each only once. */
  near(cameraId: string, atMs: number, withinMs: number): StillRow | undefined {
    return this.#db
      .prepare<[string, number, number], StillRow>(
        `SELECT * FROM stills WHERE camera_id = ? AND at_ms BETWEEN ? AND ? AND state = 'ready' AND clip_id IS NOT NULL LIMIT 1`,
      )
      .get(cameraId, atMs - withinMs, atMs + withinMs);
  }

  set(id: string, state: 'ready' | 'missing'): void {
    this.#db.prepare('UPDATE stills SET state = ? WHERE id = ?').run(state, id);
  }

  remove(id: string): void {
    this.#db.prepare('DELETE FROM stills WHERE id = ?').run(id);
  }

  expired(nowMs: number, limit: number): string[] {
    return this.#db
      .prepare<[number, number], { id: string }>('SELECT id FROM stills WHERE until_ms <= ? LIMIT ?')
      .all(nowMs, limit)
      .map(({ id }) => id);
  }

  has(id: string): boolean {
    return this.#db.prepare('SELECT 1 FROM stills WHERE id = ?').get(id) !== undefined;
  }
}
