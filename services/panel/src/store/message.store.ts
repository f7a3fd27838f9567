/** Messages by sequence number, and the outbox of events that core has not committed. */
import type { Sqlite } from '@siphera/runtime';
import type { Message } from '../domain/judge.ts';
import { sameMessageMs } from '../domain/retransmission.ts';

export type MessageRow = {
  contentHash: Buffer;
  stamp: string | null;
  eventId: string;
  committedMs: number | null;
  naks: number;
};
export type OutboxRow = {
  id: number;
  event_id: string;
  frame_id: number | null;
  account: string;
  path: string;
  sequence: string;
  events: string;
};

/** Messages kept at most: above it the oldest are forgotten sooner than the window says. */
const messagesMax = 200_000;
const pruneRows = 5_000;

export class MessageStore {
  readonly #db: Sqlite;
  readonly #find;
  readonly #save;
  readonly #commit;
  readonly #queue;
  readonly #drop;
  #count: number;

  constructor(db: Sqlite) {
    this.#db = db;
    this.#find = db.prepare<
      [string, string, string],
      {
        content_hash: Buffer;
        stamp: string | null;
        event_id: string;
        committed_ms: number | null;
        naks: number;
      }
    >(
      'SELECT content_hash, stamp, event_id, committed_ms, naks FROM messages WHERE account = ? AND path = ? AND sequence = ?',
    );
    this.#save = db.prepare(
      `INSERT INTO messages (account, path, sequence, content_hash, stamp, event_id, committed_ms, naks, last_ms)
       VALUES (@account, @path, @sequence, @contentHash, @stamp, @eventId, @committedMs, @naks, @now)
       ON CONFLICT (account, path, sequence) DO UPDATE SET content_hash = @contentHash, stamp = @stamp,
         event_id = @eventId, committed_ms = @committedMs, naks = @naks, last_ms = @now`,
    );
    this.#commit = db.prepare<[number, number, string, string, string, string]>(
      `UPDATE messages SET committed_ms = ?, last_ms = ?
       WHERE account = ? AND path = ? AND sequence = ? AND event_id = ?`,
    );
    this.#queue = db.prepare(
      `INSERT INTO outbox (event_id, frame_id, account, path, sequence, events, created_ms)
       VALUES (@event_id, @frame_id, @account, @path, @sequence, @events, @now)`,
    );
    this.#drop = db.prepare<[number]>('DELETE FROM outbox WHERE id = ?');
    this.#count = db.prepare<[], number>('SELECT count(*) FROM messages').pluck().get() ?? 0;
  }

  find(message: Pick<Message, 'account' | 'path' | 'sequence'>): MessageRow | undefined {
    const row = this.#find.get(message.account, message.path, message.sequence);
    return (
      row && {
        contentHash: row.content_hash,
        stamp: row.stamp,
        eventId: row.event_id,
        committedMs: row.committed_ms,
        naks: row.naks,
      }
    );
  }

  save(
    message: Message,
    row: { eventId: string; committedMs: number | null; naks: number },
    nowMs: number,
  ): void {
    const { account, path, sequence, contentHash, stamp } = message;
    this.#save.run({ account, path, sequence, contentHash, stamp: stamp ?? null, ...row, now: nowMs });
    this.#count += 1;
  }

  /** @returns the row as the pump sends it. */
  enqueue(row: Omit<OutboxRow, 'id'>, nowMs: number): OutboxRow {
    const { lastInsertRowid } = this.#queue.run({ ...row, now: nowMs });
    return { ...row, id: Number(lastInsertRowid) };
  }

  /** Core has it: the row goes, and the message counts as committed from now. */
  settle(row: OutboxRow, nowMs: number): void {
    this.#drop.run(row.id);
    this.#commit.run(nowMs, nowMs, row.account, row.path, row.sequence, row.event_id);
  }

  /** The oldest rows behind `afterId`. */
  waiting(afterId: number, limit: number): OutboxRow[] {
    return this.#db
      .prepare<[number, number], OutboxRow>('SELECT * FROM outbox WHERE id > ? ORDER BY id LIMIT ?')
      .all(afterId, limit);
  }

  waitingCount(): number {
    return this.#db.prepare<[], number>('SELECT count(*) FROM outbox').pluck().get() ?? 0;
  }

  /** Forgets messages whose window is over. What still waits for core stays. Call inside a transaction. */
  prune(nowMs: number): void {
    const before = this.#count > messagesMax ? nowMs : nowMs - sameMessageMs;
    const { changes } = this.#db
      .prepare<[number, number]>(
        `DELETE FROM messages WHERE (account, path, sequence) IN (
           SELECT account, path, sequence FROM messages WHERE last_ms < ? ORDER BY last_ms LIMIT ?)
         AND event_id NOT IN (SELECT event_id FROM outbox)`,
      )
      .run(before, pruneRows);
    this.#count = changes === 0 && before === nowMs ? messagesMax : Math.max(0, this.#count - changes);
  }
}
