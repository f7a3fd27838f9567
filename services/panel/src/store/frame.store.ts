/** Raw frames: a ring bounded by rows and bytes. Bad frames have their own, smaller share, so that garbage cannot push out good ones. */
import type { Sqlite } from '@siphera/runtime';
import type { Transport } from '../domain/account.ts';

export type Verdict = 'ack' | 'nak' | 'duh' | 'silent' | 'pending';
export type FrameRow = {
  id: number;
  received_ms: number;
  transport: Transport;
  address: string;
  account: string | null;
  raw: Buffer;
  verdict: Verdict;
  reason: string;
};
export type FrameLimits = { rowsMax: number; bytesMax: number; badRowsMax: number };

/** Defaults: weeks of a normal site; a frame of a real panel has 60 to 200 bytes. */
const frameLimits: FrameLimits = { rowsMax: 200_000, bytesMax: 64 * 1024 * 1024, badRowsMax: 10_000 };
/** Rows removed in one go, so that a prune never holds the file for long. */
const pruneRows = 2_000;

export class FrameStore {
  readonly #db: Sqlite;
  readonly #limits: FrameLimits;
  readonly #insert;
  readonly #settle;
  #rows: number;
  #bytes: number;
  #badRows: number;

  constructor(db: Sqlite, limits: FrameLimits = frameLimits) {
    this.#db = db;
    this.#limits = limits;
    this.#insert = db.prepare<[number, string, string, string | null, Buffer, string, string]>(
      'INSERT INTO frames (received_ms, transport, address, account, raw, verdict, reason) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#settle = db.prepare<[string, string, number]>(
      'UPDATE frames SET verdict = ?, reason = ? WHERE id = ?',
    );
    const sums = db
      .prepare<[], { rows: number; bytes: number; bad: number }>(
        `SELECT count(*) AS rows, coalesce(sum(length(raw)), 0) AS bytes,
                coalesce(sum(verdict = 'silent'), 0) AS bad FROM frames`,
      )
      .get();
    this.#rows = sums?.rows ?? 0;
    this.#bytes = sums?.bytes ?? 0;
    this.#badRows = sums?.bad ?? 0;
  }

  insert(frame: Omit<FrameRow, 'id'>): number {
    const { lastInsertRowid } = this.#insert.run(
      frame.received_ms,
      frame.transport,
      frame.address,
      frame.account,
      frame.raw,
      frame.verdict,
      frame.reason,
    );
    this.#rows += 1;
    this.#bytes += frame.raw.length;
    if (frame.verdict === 'silent') this.#badRows += 1;
    return Number(lastInsertRowid);
  }

  /** At the start: panels whose answer was under way when the service ended have heard nothing. */
  abandonPending(): void {
    this.#db
      .prepare("UPDATE frames SET verdict = 'silent', reason = 'restarted' WHERE verdict = 'pending'")
      .run();
  }

  settle(id: number, verdict: Verdict, reason: string): void {
    this.#settle.run(verdict, reason, id);
  }

  /** Removes the oldest rows above the limits. Call inside a transaction. */
  prune(): void {
    if (this.#badRows > this.#limits.badRowsMax + pruneRows)
      this.#removeOldest("verdict = 'silent'", this.#badRows - this.#limits.badRowsMax);
    while (
      this.#rows > 0 &&
      (this.#rows > this.#limits.rowsMax + pruneRows || this.#bytes > this.#limits.bytesMax)
    )
      this.#removeOldest('1', pruneRows);
  }

  /** Newest first, before `before`. `allowed` undefined means every account. */
  page(options: { before: number | undefined; limit: number; accounts: string[] | undefined }): FrameRow[] {
    const accounts = options.accounts === undefined ? null : JSON.stringify(options.accounts);
    return this.#db
      .prepare<{ before: number; limit: number; accounts: string | null }, FrameRow>(
        `SELECT * FROM frames WHERE id < @before
           AND (@accounts IS NULL OR account IN (SELECT value FROM json_each(@accounts)))
         ORDER BY id DESC LIMIT @limit`,
      )
      .all({ before: options.before ?? Number.MAX_SAFE_INTEGER, limit: options.limit, accounts });
  }

  #removeOldest(where: string, limit: number): void {
    const removed = this.#db
      .prepare<[number], { bytes: number; verdict: string }>(
        `DELETE FROM frames WHERE id IN (SELECT id FROM frames WHERE ${where} ORDER BY id LIMIT ?)
         RETURNING length(raw) AS bytes, verdict`,
      )
      .all(limit);
    this.#rows -= removed.length;
    for (const row of removed) {
      this.#bytes -= row.bytes;
      if (row.verdict === 'silent') this.#badRows -= 1;
    }
    if (removed.length === 0) this.#rows = 0;
  }
}
