/** What cameras said last: motions under way, states of inputs and tamper detectors, and whether core knows a camera as there. */
import type { Sqlite } from '@siphera/runtime';

export type OpenMotion = {
  cameraId: string;
  source: string;
  topic: string;
  startedMs: number;
  seenMs: number;
  told: boolean;
};
type MotionRecord = {
  camera_id: string;
  source: string;
  topic: string;
  started_ms: number;
  seen_ms: number;
  told: number;
};

export class OnvifStateStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** What is written inside belongs together. */
  together<T>(work: () => T): T {
    return this.#db.transaction(work).immediate();
  }

  motions(): OpenMotion[] {
    return this.#db.prepare<[], MotionRecord>('SELECT * FROM motions').all().map(toMotion);
  }

  motionsOf(cameraId: string): OpenMotion[] {
    return this.#db
      .prepare<[string], MotionRecord>('SELECT * FROM motions WHERE camera_id = ?')
      .all(cameraId)
      .map(toMotion);
  }

  putMotion(motion: OpenMotion): void {
    this.#db
      .prepare(
        `INSERT INTO motions (camera_id, source, topic, started_ms, seen_ms, told)
         VALUES (@cameraId, @source, @topic, @startedMs, @seenMs, @told)
         ON CONFLICT (camera_id, source) DO UPDATE SET seen_ms = excluded.seen_ms, told = excluded.told`,
      )
      .run({ ...motion, told: motion.told ? 1 : 0 });
  }

  removeMotion(cameraId: string, source: string): void {
    this.#db.prepare('DELETE FROM motions WHERE camera_id = ? AND source = ?').run(cameraId, source);
  }

  level(cameraId: string, source: string): boolean | undefined {
    const on = this.#db
      .prepare<[string, string], { is_on: number }>(
        'SELECT is_on FROM levels WHERE camera_id = ? AND source = ?',
      )
      .get(cameraId, source)?.is_on;
    return on === undefined ? undefined : on === 1;
  }

  putLevel(cameraId: string, source: string, on: boolean, nowMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO levels (camera_id, source, is_on, since_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT (camera_id, source) DO UPDATE SET is_on = excluded.is_on, since_ms = excluded.since_ms`,
      )
      .run(cameraId, source, on ? 1 : 0, nowMs);
  }

  /** What core was last told; undefined when nothing yet. */
  isOnline(cameraId: string): boolean | undefined {
    const online = this.#db
      .prepare<[string], { online: number }>('SELECT online FROM presence WHERE camera_id = ?')
      .get(cameraId)?.online;
    return online === undefined ? undefined : online === 1;
  }

  putOnline(cameraId: string, online: boolean, nowMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO presence (camera_id, online, since_ms) VALUES (?, ?, ?)
         ON CONFLICT (camera_id) DO UPDATE SET online = excluded.online, since_ms = excluded.since_ms`,
      )
      .run(cameraId, online ? 1 : 0, nowMs);
  }
}

const toMotion = (record: MotionRecord): OpenMotion => ({
  cameraId: record.camera_id,
  source: record.source,
  topic: record.topic,
  startedMs: record.started_ms,
  seenMs: record.seen_ms,
  told: record.told === 1,
});
