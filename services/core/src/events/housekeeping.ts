/** What runs beside the work: volume figures, what the box heard, and taking off what is kept no longer. */
import type { Logger } from '@siphera/runtime/base';
import type { Tx } from '../kernel/transaction.ts';
import type { Writer } from '../kernel/writer.ts';
import type { Ingest } from './ingest.ts';
import { readPolicies } from './store/retention.store.ts';
import { EventTrim, trimChanges, trimDeliveries, trimIdempotency } from './store/trim.store.ts';

const turnMs = 1_000;
/** Between two looks for what is kept too long. */
const trimEveryMs = 10_000;
/** Between two slices: 200 rows in 5 ms and their own time are some 20,000 a second, twice what a box takes in. */
const sliceGapMs = 5;
/** Slices of one kind before the next one has its turn. */
const slicesPerTurn = 1_000;

/** `tick` runs in each turn's transaction. */
type HousekeepingParts = { writer: Writer; ingest: Ingest; log: Logger; tick: (tx: Tx) => void };

export class Housekeeping {
  readonly #parts: HousekeepingParts;
  readonly #events = new EventTrim();
  #timer: NodeJS.Timeout | undefined;
  #trimTimer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#turn(), turnMs);
    void this.#trim();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#trimTimer);
  }

  async #turn(): Promise<void> {
    const { writer, ingest, log, tick } = this.#parts;
    try {
      await writer.submit((tx) => {
        tick(tx);
        ingest.volume.save(tx);
        tx.db.prepare('DELETE FROM rule_states WHERE expires_ms < ?').run(tx.nowMs);
      });
    } catch (error) {
      log.debug('housekeeping_waits', { error });
    }
  }

  async #trim(): Promise<void> {
    try {
      const policies = await this.#parts.writer.submit((tx) => readPolicies(tx.db));
      for (const policy of policies) await this.#slices((tx) => this.#events.slice(tx, policy));
      for (const slice of [trimChanges, trimIdempotency, trimDeliveries]) await this.#slices(slice);
    } catch (error) {
      if (!this.#stopped) this.#parts.log.warn('trim_waits', { error });
    }
    if (!this.#stopped) this.#trimTimer = setTimeout(() => void this.#trim(), trimEveryMs);
  }

  async #slices(slice: (tx: Tx) => boolean): Promise<void> {
    for (let n = 0; n < slicesPerTurn && !this.#stopped; n++) {
      if (!(await this.#parts.writer.submit(slice))) return;
      await new Promise((resolve) => setTimeout(resolve, sliceGapMs));
    }
  }
}
