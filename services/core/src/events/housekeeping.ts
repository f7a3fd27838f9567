/** What runs beside the work: retention in short slices, volume figures, old idempotency keys, old feed changes. */
import type { Logger } from '@siphera/runtime';
import { idempotencyLifeMs } from '../kernel/idempotency.ts';
import type { Tx } from '../kernel/transaction.ts';
import type { Writer } from '../kernel/writer.ts';
import type { Ingest } from './ingest.ts';
import { classesOverLimit } from './store/retention.store.ts';

const turnMs = 1_000;
/** Rows deleted in one turn: a slice of it stays under 5 ms, so that alarms do not wait. */
const eventsPerSlice = 400;
const changesPerSlice = 500;
/** A console that was away longer reads a new snapshot. */
const changesKeptMs = 48 * 3_600_000;

/** `tick` runs in each turn's transaction. */
type HousekeepingParts = { writer: Writer; ingest: Ingest; log: Logger; tick: (tx: Tx) => void };

export class Housekeeping {
  readonly #parts: HousekeepingParts;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#turn(), turnMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #turn(): Promise<void> {
    const { writer, ingest, log, tick } = this.#parts;
    try {
      await writer.submit((tx) => {
        tick(tx);
        ingest.volume.save(tx);
        trimEvents(tx);
        trimChanges(tx);
        tx.db.prepare('DELETE FROM rule_states WHERE expires_ms < ?').run(tx.nowMs);
        tx.db.prepare('DELETE FROM idempotency WHERE at_ms < ?').run(tx.nowMs - idempotencyLifeMs);
      });
    } catch (error) {
      log.debug('housekeeping_waits', { error });
    }
  }
}

function trimEvents(tx: Tx): void {
  for (const limit of classesOverLimit(tx.db, tx.nowMs)) {
    const gone = tx.db
      .prepare(
        // The lower bound keeps the search from walking over what other classes keep longer.
        `DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE seq <= ? AND class = ?
           AND seq > coalesce((SELECT max(seq_max) FROM event_volume WHERE hour < ?), 0) ORDER BY seq LIMIT ?)`,
      )
      .run(limit.seqMax, limit.class, limit.hour, eventsPerSlice).changes;
    if (gone < eventsPerSlice)
      tx.db.prepare('DELETE FROM event_volume WHERE class = ? AND hour <= ?').run(limit.class, limit.hour);
  }
}

function trimChanges(tx: Tx): void {
  const floor = tx.db
    .prepare<[number, number], { seq: number | null }>(
      'SELECT max(seq) AS seq FROM (SELECT seq FROM changes WHERE at_ms < ? ORDER BY seq LIMIT ?)',
    )
    .get(tx.nowMs - changesKeptMs, changesPerSlice)?.seq;
  if (floor === null || floor === undefined) return;
  tx.db.prepare('DELETE FROM changes WHERE seq <= ? AND at_ms < ?').run(floor, tx.nowMs - changesKeptMs);
  tx.db
    .prepare(
      `INSERT INTO facts (name, value) VALUES ('feed_floor', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    )
    .run(String(floor));
}
