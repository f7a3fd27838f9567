/** What is to be sent to phones, and receipts of what was. */
import type { Sqlite } from '@siphera/runtime';
import type { PushKind } from '../domain/push-payload.ts';

export type PushJob = {
  id: number;
  subscriptionId: string;
  kind: PushKind;
  /** The incident, or empty. */
  about: string;
  dueMs: number;
  endsMs: number;
  attempts: number;
  version: number;
};
export type NewPushJob = Pick<PushJob, 'subscriptionId' | 'kind' | 'about' | 'dueMs' | 'endsMs'>;
export type PushReceipt = {
  subscriptionId: string;
  userId: string;
  kind: PushKind;
  about: string;
  sentMs: number;
  shownMs: number | null;
};

const columns = `id, subscription_id AS subscriptionId, kind, about, due_ms AS dueMs, ends_ms AS endsMs, attempts, version`;
/** Alarms first, whatever waits. */
const order = `CASE kind WHEN 'alarm' THEN 0 WHEN 'call' THEN 1 WHEN 'test' THEN 2 WHEN 'cleared' THEN 3 ELSE 4 END, due_ms, id`;

export class PushJobStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** One that waits for the same phone and thing is asked for anew. */
  put(job: NewPushJob): void {
    this.#db
      .prepare(
        `INSERT INTO push_jobs (subscription_id, kind, about, due_ms, ends_ms)
         VALUES (@subscriptionId, @kind, @about, @dueMs, @endsMs)
         ON CONFLICT (subscription_id, kind, about) DO UPDATE SET due_ms = @dueMs, ends_ms = @endsMs, attempts = 0,
           version = version + 1`,
      )
      .run(job);
  }

  /** One that waits already stays as it is. */
  putOnce(job: NewPushJob): void {
    this.#db
      .prepare(
        `INSERT OR IGNORE INTO push_jobs (subscription_id, kind, about, due_ms, ends_ms)
         VALUES (@subscriptionId, @kind, @about, @dueMs, @endsMs)`,
      )
      .run(job);
  }

  due(nowMs: number, limit: number): PushJob[] {
    return this.#db
      .prepare<[number, number], PushJob>(
        `SELECT ${columns} FROM push_jobs WHERE due_ms <= ? ORDER BY ${order} LIMIT ?`,
      )
      .all(nowMs, limit);
  }

  /** Unless it was asked for again meanwhile. */
  done(job: PushJob): void {
    this.#db.prepare('DELETE FROM push_jobs WHERE id = ? AND version = ?').run(job.id, job.version);
  }

  /** The try failed. Unless it was asked for again meanwhile. */
  later(job: PushJob, dueMs: number): void {
    this.#db
      .prepare('UPDATE push_jobs SET due_ms = ?, attempts = attempts + 1 WHERE id = ? AND version = ?')
      .run(dueMs, job.id, job.version);
  }

  cancel(kind: PushKind, about: string): void {
    this.#db.prepare('DELETE FROM push_jobs WHERE kind = ? AND about = ?').run(kind, about);
  }

  countWaiting(): number {
    return this.#db.prepare<[], number>('SELECT count(*) FROM push_jobs').pluck().get() ?? 0;
  }

  addReceipt(tokenSha256: Buffer, job: PushJob, nowMs: number): void {
    this.#db
      .prepare(
        'INSERT INTO push_receipts (token_sha256, subscription_id, kind, about, sent_ms) VALUES (?, ?, ?, ?, ?)',
      )
      .run(tokenSha256, job.subscriptionId, job.kind, job.about, nowMs);
  }

  receipt(tokenSha256: Buffer): PushReceipt | undefined {
    return this.#db
      .prepare<[Buffer], PushReceipt>(
        `SELECT r.subscription_id AS subscriptionId, s.user_id AS userId, r.kind, r.about, r.sent_ms AS sentMs,
           r.shown_ms AS shownMs
         FROM push_receipts r JOIN push_subscriptions s ON s.id = r.subscription_id WHERE r.token_sha256 = +?`,
      )
      .get(tokenSha256);
  }

  noteTaken(tokenSha256: Buffer): void {
    this.#db.prepare('UPDATE push_receipts SET taken = 1 WHERE token_sha256 = ?').run(tokenSha256);
  }

  noteShown(tokenSha256: Buffer, nowMs: number): void {
    this.#db
      .prepare('UPDATE push_receipts SET shown_ms = coalesce(shown_ms, ?) WHERE token_sha256 = ?')
      .run(nowMs, tokenSha256);
  }

  removeReceipt(tokenSha256: Buffer): void {
    this.#db.prepare('DELETE FROM push_receipts WHERE token_sha256 = ?').run(tokenSha256);
  }

  removeReceiptsBefore(ms: number): void {
    this.#db.prepare('DELETE FROM push_receipts WHERE sent_ms < ?').run(ms);
  }

  /** Phones that have the alarm of an incident, or that the push service keeps it for, and are rung up still. */
  phonesWith(incidentId: string): string[] {
    return this.#db
      .prepare<[string], string>(
        `SELECT DISTINCT r.subscription_id FROM push_receipts r JOIN push_subscriptions s ON s.id = r.subscription_id
         WHERE r.about = ? AND r.kind = 'alarm' AND (r.taken = 1 OR r.shown_ms IS NOT NULL) AND s.ended_ms IS NULL`,
      )
      .pluck()
      .all(incidentId);
  }
}
