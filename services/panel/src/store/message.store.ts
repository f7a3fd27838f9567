/** Messages by sequence number, and the outbox of events that core has not committed. */
import type { Sqlite } from '@siphera/runtime';
import type { Message } from '../domain/judge.ts';
import { sameMessageMs } from '../domain/retransmission.ts';

export type MessageRow = {
  contentHash: Buffer;
  eventId: string;
  committedMs: number | null;
  ackedMs: number | null;
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
  readonly #acked;
  readonly #queue;
  readonly #drop;
  #count: number;

  constructor(db: Sqlite) {
    this.#db = db;
    this.#find = db.prepare<
      [string, string, string],
      {
        content_hash: Buffer;
        event_id: string;
        committed_ms: number | null;
        acked_ms: number | null;
        naks: number;
      }
    >(
      'SELECT content_hash, event_id, committed_ms, acked_ms, naks FROM messages WHERE account = ? AND path = ? AND sequence = ?',
    );
    this.#save = db.prepare(
      `INSERT INTO messages (account, path, sequence, content_hash, event_id, naks, last_ms)
       VALUES (@account, @path, @sequence, @contentHash, @eventId, @naks, @now)
       ON CONFLICT (account, path, sequence) DO UPDATE SET content_hash = @contentHash,
         event_id = @eventId, committed_ms = NULL, acked_ms = NULL, naks = @naks, last_ms = @now`,
    );
    this.#acked = db.prepare<[number, number, string, string, string]>(
      'UPDATE messages SET acked_ms = ?, last_ms = ? WHERE account = ? AND path = ? AND sequence = ?',
    );
    this.#commit = db.prepare<[number, number | null, number, string, string, string, string]>(
      `UPDATE messages SET committed_ms = ?, acked_ms = ?, last_ms = ?
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
        eventId: row.event_id,
        committedMs: row.committed_ms,
        ackedMs: row.acked_ms,
        naks: row.naks,
      }
    );
  }

  /** Takes the place of what was under this number before. An empty event id stands for a message refused for its time. */
  save(message: Message, row: { eventId: string; naks: number }, nowMs: number): void {
    const { account, path, sequence, contentHash } = message;
    this.#save.run({ account, path, sequence, contentHash, ...row, now: nowMs });
    this.#count += 1;
  }

  /** The panel is answered again for a message that core has. */
  acked(message: Pick<Message, 'account' | 'path' | 'sequence'>, nowMs: number): void {
    this.#acked.run(nowMs, nowMs, message.account, message.path, message.sequence);
  }

  /** @returns the row as the pump sends it. */
  enqueue(row: Omit<OutboxRow, 'id'>, nowMs: number): OutboxRow {
    const { lastInsertRowid } = this.#queue.run({ ...row, now: nowMs });
    return { ...row, id: Number(lastInsertRowid) };
  }

  /** Core has it: the row goes, and the message counts as committed from now; `heard` when its panel was answered too. */
  settle(row: OutboxRow, heard: boolean, nowMs: number): void {
    this.#drop.run(row.id);
    this.#commit.run(nowMs, heard ? nowMs : null, nowMs, row.account, row.path, row.sequence, row.event_id);
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
