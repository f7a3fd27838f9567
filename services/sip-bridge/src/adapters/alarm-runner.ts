/**
 * Rings people for an alarm, one after another, until somebody acknowledges it. What must stay true: whose turn it is can be read
 * from the rows, so that a restart goes on where it was; a key counts when core has it, or surely will; it ends when the incident
 * is taken elsewhere; nobody is called who helps everybody (emergency numbers).
 */
import type { AlarmCallOrder, IncidentState } from '@siphera/contract';
import type { AlarmCallRow } from '../store/alarm-call.store.ts';
import { turnAfter } from '../domain/alarm-turn.ts';
import { AlarmAttempt, pause, shutdown, type AlarmParts, type AttemptWaits } from './alarm-attempt.ts';
import { postLine } from './alarm-line.ts';

/** Whoever was asked a moment ago gets time to sit up. */
const roundPauseMs = 20_000;
/** An order of before we were there: what became of its incident since comes on the feed within this, before anybody is rung for nothing. */
const settleMs = 3_000;
const isOldMs = 10_000;
/** When rows cannot be written (a full disk). */
const retryMs = 5_000;
/** Alarm calls that are looked at at once; more wait their turn, as calls would anyway. */
const runsMax = 20;

export type AlarmRunnerOptions = AlarmParts & {
  /** Shorter in tests. */
  waits?: Partial<AttemptWaits & { roundPauseMs: number; settleMs: number }>;
};
type Run = {
  stop: AbortController;
  attempt: AlarmAttempt | undefined;
  /** Somebody took the incident while a key was on its way to core. */
  isTaken: boolean;
  over: Promise<void>;
};

export class AlarmRunner {
  readonly #options: AlarmRunnerOptions;
  readonly #runs = new Map<string, Run>();
  readonly #waiting: string[] = [];
  readonly #counter;
  #stopped = false;

  constructor(options: AlarmRunnerOptions) {
    this.#options = options;
    this.#counter = options.ground.metrics.counter(
      'alarm_attempts_total',
      'People called for an alarm, by what came of it',
      ['outcome'],
    );
  }

  /** Goes on with what was going on. */
  start(): void {
    for (const id of this.#options.store.goingOn()) this.#begin(id, true);
  }

  /** All hang up; the rows stay as they are, for the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { stop } of this.#runs.values()) stop.abort(shutdown);
    await Promise.all([...this.#runs.values()].map(({ over }) => over));
  }

  /** Of core's feed; the same one again changes nothing. @param orderedMs when core wrote it */
  order(order: AlarmCallOrder, scopes: readonly string[], orderedMs: number): void {
    const { store, ground } = this.#options;
    const nowMs = ground.clock.now();
    if (store.add(order, scopes, nowMs)) this.#begin(order.id, nowMs - orderedMs > isOldMs);
  }

  /** Somebody took the incident, or it is over. */
  incident(incidentId: string, state: IncidentState): void {
    if (state === 'new') return;
    const { store, ground } = this.#options;
    for (const id of store.goingOnFor(incidentId)) {
      const run = this.#runs.get(id);
      // Most likely that is this very key: whoever pressed it hears that it was taken, and then hangs up.
      if (run?.attempt?.hasKey()) {
        run.isTaken = true;
        continue;
      }
      store.end(id, 'stopped', ground.clock.now());
      run?.stop.abort();
    }
  }

  /** @returns false for one that had ended. */
  halt(id: string, by: string): boolean {
    const { store, ground } = this.#options;
    const row = store.get(id);
    if (!row || !store.end(id, 'stopped', ground.clock.now())) return false;
    this.#runs.get(id)?.stop.abort();
    this.#line(row, `Alarm call: stopped by ${by}`, { state: 'stopped' });
    return true;
  }

  going(): number {
    return this.#runs.size + this.#waiting.length;
  }

  #begin(id: string, isOld: boolean): void {
    if (this.#stopped || this.#runs.has(id) || this.#waiting.includes(id)) return;
    if (this.#runs.size >= runsMax) {
      this.#waiting.push(id);
      return;
    }
    const stop = new AbortController();
    const run: Run = { stop, attempt: undefined, isTaken: false, over: Promise.resolve() };
    this.#runs.set(id, run);
    const wait = isOld ? pause(this.#options.waits?.settleMs ?? settleMs, stop.signal) : Promise.resolve();
    run.over = wait
      .then(() => this.#run(id, run))
      .catch((error: unknown) => {
        this.#options.ground.log.error('alarm_call_failed', { error, alarm_call_id: id });
        setTimeout(() => this.#begin(id, true), retryMs).unref();
      })
      .finally(() => {
        this.#runs.delete(id);
        const next = this.#waiting.shift();
        if (next !== undefined) this.#begin(next, true);
      });
  }

  async #run(id: string, run: Run): Promise<void> {
    const { store, ground, waits } = this.#options;
    this.#closeBroken(id);
    // Bounded: each pass makes an attempt, and targets times rounds are all there are.
    while (!run.stop.signal.aborted) {
      const row = store.get(id);
      if (row?.state !== 'calling') return;
      const turn = turnAfter(row.attempts.length, row);
      if (!turn) {
        if (store.end(id, 'exhausted', ground.clock.now()))
          this.#line(row, 'Alarm call: nobody acknowledged, all were called', { state: 'exhausted' });
        return;
      }
      if (turn.isNewRound) await pause(waits?.roundPauseMs ?? roundPauseMs, run.stop.signal);
      if (run.stop.signal.aborted) return;
      run.attempt = new AlarmAttempt({ ...this.#options, row, turn, signal: run.stop.signal });
      const outcome = await run.attempt.make();
      this.#counter.inc({ outcome });
      if (outcome === 'acknowledged') store.end(id, 'acknowledged', ground.clock.now());
      else if (run.isTaken) store.end(id, 'stopped', ground.clock.now());
    }
  }

  /** A call that a crash cut off counts as made: if it was the call that brought us down, the others are called all the same. */
  #closeBroken(id: string): void {
    const { store } = this.#options;
    const last = store.get(id)?.attempts.at(-1);
    if (last?.outcome === 'ringing' || last?.outcome === 'speaking')
      store.saveAttempt(id, { ...last, outcome: 'failed', detail: 'The SIP bridge stopped during the call' });
  }

  #line(row: AlarmCallRow, text: string, data: Record<string, unknown>): void {
    postLine(this.#options.ground.outbox, row, text, data);
  }
}
