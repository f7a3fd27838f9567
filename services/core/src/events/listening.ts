/**
 * When the box itself could not hear: it was down, or the broker was away. A rule that waits for silence must not take our
 * deafness for the devices'. Kept as rows, so that a power cut is known after it.
 */
import type { Clock, Sqlite } from '@siphera/runtime/base';
import type { Tx } from '../kernel/transaction.ts';

/** How often "we heard until now" is written; a gap shorter than twice that is not one. */
const noteEveryMs = 10_000;
const gapMsMin = 2 * noteEveryMs;
/** Agents need a while to come back after we do. */
const settleMs = 15_000;
const gapsMax = 200;
const keptMs = 8 * 86_400_000;

type Gap = { from_ms: number; to_ms: number };

export class Listening {
  readonly #clock: Clock;
  #heardMs: number | undefined;
  #notedMs = 0;
  #gaps: Gap[];

  constructor(db: Sqlite, clock: Clock) {
    this.#clock = clock;
    this.#heardMs = readFact<number>(db, 'heard_ms');
    this.#gaps = readFact<Gap[]>(db, 'deaf') ?? [];
  }

  /** Called each second by housekeeping. */
  tick(tx: Tx, connected: boolean): void {
    if (!connected) return;
    const { nowMs } = tx;
    if (this.#heardMs !== undefined && nowMs - this.#heardMs > gapMsMin) {
      const gap = { from_ms: this.#heardMs, to_ms: nowMs + settleMs };
      this.#gaps = [...this.#gaps.filter((one) => nowMs - one.to_ms < keptMs), gap].slice(-gapsMax);
      writeFact(tx, 'deaf', this.#gaps);
    }
    this.#heardMs = nowMs;
    if (nowMs - this.#notedMs < noteEveryMs) return;
    this.#notedMs = nowMs;
    writeFact(tx, 'heard_ms', nowMs);
  }

  /** Milliseconds between the two in which nothing could be heard; the present deafness included. */
  deafMs(fromMs: number, toMs: number): number {
    const now = this.#clock.now();
    const present: Gap[] =
      this.#heardMs !== undefined && now - this.#heardMs > gapMsMin
        ? [{ from_ms: this.#heardMs, to_ms: now + settleMs }]
        : [];
    return [...this.#gaps, ...present].reduce(
      (sum, gap) => sum + Math.max(0, Math.min(toMs, gap.to_ms) - Math.max(fromMs, gap.from_ms)),
      0,
    );
  }
}

function readFact<T>(db: Sqlite, name: string): T | undefined {
  const row = db.prepare<[string], { value: string }>('SELECT value FROM facts WHERE name = ?').get(name);
  return row ? (JSON.parse(row.value) as T) : undefined;
}

function writeFact(tx: Tx, name: string, value: unknown): void {
  tx.db
    .prepare(
      'INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    )
    .run(name, JSON.stringify(value));
}
