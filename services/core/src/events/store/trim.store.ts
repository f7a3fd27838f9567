/**
 * Takes off what is kept no longer, a slice at a time: each statement stays under 5 ms however much is over, so that alarms
 * do not wait, and slices follow each other fast enough to keep up with what comes in.
 */
import type { EventClass, RetentionPolicy } from '@siphera/contract';
import type { z } from 'zod';
import { idempotencyLifeMs } from '../../kernel/idempotency.ts';
import type { Tx } from '../../kernel/transaction.ts';
import { overLimit } from './retention.store.ts';

/** Rows deleted in one slice. */
export const rowsPerSlice = 200;
/** Feed positions searched in one slice: a rare class is not looked for among millions of readings in one statement. */
export const positionsPerSlice = 4_000;
/** A console that was away longer reads a new snapshot. */
const changesKeptMs = 48 * 3_600_000;
/** Deliveries are on their incident's timeline; the list is for finding out why one did not arrive. */
const deliveriesKeptMs = 90 * 86_400_000;

type Policy = z.infer<typeof RetentionPolicy>;

/** Each call deletes one slice. @returns true while there is more to do. */
export class EventTrim {
  /** How far the hour was searched; memory only, a restart searches it again. */
  readonly #searched = new Map<EventClass, { hour: number; upto: number }>();

  slice(tx: Tx, policy: Policy): boolean {
    const limit = overLimit(tx.db, policy, tx.nowMs);
    if (!limit) return false;
    const from = this.#from(tx, policy.class, limit.hour);
    const upto = Math.min(from + positionsPerSlice, limit.seqMax);
    const gone = tx.db
      .prepare(
        'DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE seq > ? AND seq <= ? AND class = ? ORDER BY seq LIMIT ?)',
      )
      .run(from, upto, policy.class, rowsPerSlice).changes;
    const searched = gone < rowsPerSlice;
    const done = searched && upto >= limit.seqMax;
    if (done)
      tx.db.prepare('DELETE FROM event_volume WHERE class = ? AND hour <= ?').run(policy.class, limit.hour);
    // A slice that was rolled back is searched again.
    tx.afterCommit(() => {
      if (done) this.#searched.delete(policy.class);
      else if (searched) this.#searched.set(policy.class, { hour: limit.hour, upto });
    });
    return true;
  }

  #from(tx: Tx, klass: EventClass, hour: number): number {
    const known = this.#searched.get(klass);
    if (known?.hour === hour) return known.upto;
    // Before the hour began; nothing of the class is left there.
    return (
      tx.db
        .prepare<[number], { seq: number | null }>(
          'SELECT max(seq_max) AS seq FROM event_volume WHERE hour < ?',
        )
        .get(hour)?.seq ?? firstSeq(tx)
    );
  }
}

const firstSeq = (tx: Tx): number =>
  (tx.db.prepare<[], { seq: number | null }>('SELECT min(seq) AS seq FROM events').get()?.seq ?? 1) - 1;

export function trimChanges(tx: Tx): boolean {
  const { db, nowMs } = tx;
  const readFloor = db.prepare<[], { value: string }>(`SELECT value FROM facts WHERE name = 'feed_floor'`);
  const before = nowMs - changesKeptMs;
  // By age first: the index gives them in that order, and nothing else is looked at.
  const old = db
    .prepare<[number, number], { seq: number }>(
      'SELECT seq FROM changes WHERE at_ms < ? ORDER BY at_ms, seq LIMIT ?',
    )
    .all(before, rowsPerSlice)
    .map((row) => row.seq);
  if (old.length === 0) return false;
  const remove = db.prepare('DELETE FROM changes WHERE seq = ?');
  for (const seq of old) remove.run(seq);
  const floor = Math.max(...old, Number(readFloor.get()?.value ?? 0));
  db.prepare(
    `INSERT INTO facts (name, value) VALUES ('feed_floor', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  ).run(String(floor));
  return old.length === rowsPerSlice;
}

export const trimIdempotency = (tx: Tx): boolean =>
  tx.db
    .prepare(
      `DELETE FROM idempotency WHERE (actor_id, operation, key) IN
         (SELECT actor_id, operation, key FROM idempotency WHERE at_ms < ? LIMIT ?)`,
    )
    .run(tx.nowMs - idempotencyLifeMs, rowsPerSlice).changes === rowsPerSlice;

/** What waits is never old: it is tried until it arrives. */
export const trimDeliveries = (tx: Tx): boolean =>
  tx.db
    .prepare(
      `DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE id < ? AND state <> 'pending' ORDER BY id LIMIT ?)`,
    )
    .run(uuidBefore(tx.nowMs - deliveriesKeptMs), rowsPerSlice).changes === rowsPerSlice;

/** UUIDv7 begins with its time (RFC 9562 §5.7): below this are those made before. */
function uuidBefore(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
