/** Watches supervised accounts. Its timers are rows, so a restart changes no outcome. */
import type { Clock, Logger, Random } from '@siphera/runtime';
import { clockStepMs, overdueMs, supervisionEvent } from '../domain/supervision.ts';
import type { AccountStore } from '../store/account.store.ts';
import type { ListeningStore } from '../store/listening.store.ts';
import type { MessageStore } from '../store/message.store.ts';
import type { QueuedRow } from './core-pump.ts';
import { enqueueEvents, makeTraceparent } from './outbox-row.ts';
import type { PanelMetrics } from './panel-metrics.ts';

/** The wall clock is taken as set, not as passed, when it moved by more than this against the monotonic one. */
const clockToleranceMs = 2_000;

export type SupervisorParts = {
  accounts: AccountStore;
  messages: MessageStore;
  listening: ListeningStore;
  record: (change: () => QueuedRow[]) => void;
  clock: Clock;
  random: Random;
  log: Logger;
  metrics: PanelMetrics;
};

export class Supervisor {
  readonly #parts: SupervisorParts;
  #lastWallMs: number;
  #lastMonotonicMs: number;

  /** Time since the last sign of life in the file was spent deaf; it is not a panel's silence. */
  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    const { clock, listening, accounts } = parts;
    this.#lastWallMs = clock.now();
    this.#lastMonotonicMs = clock.monotonic();
    const deafMs = this.#lastWallMs - (listening.aliveMs() ?? this.#lastWallMs);
    parts.record(() => {
      if (deafMs > 0) accounts.shiftHeard(deafMs);
      listening.setAlive(this.#lastWallMs);
      return [];
    });
  }

  /** Called every second. */
  tick(): void {
    const { clock, accounts, listening, record, metrics } = this.#parts;
    const nowMs = clock.now();
    const monotonicMs = clock.monotonic();
    const stepMs = clockStepMs(
      nowMs - this.#lastWallMs,
      monotonicMs - this.#lastMonotonicMs,
      clockToleranceMs,
    );
    this.#lastWallMs = nowMs;
    this.#lastMonotonicMs = monotonicMs;
    record(() => {
      if (stepMs !== 0) accounts.shiftHeard(stepMs);
      listening.setAlive(nowMs);
      return accounts
        .supervised()
        .flatMap(({ account, ...timer }) => this.#judge(account.account, timer, nowMs));
    });
    metrics.supervisionLost.set(accounts.all().filter((account) => account.supervision === 'lost').length);
  }

  #judge(number: string, timer: { supervisionMs: number; heardMs: number }, nowMs: number): QueuedRow[] {
    const { accounts, messages, random, log } = this.#parts;
    const account = accounts.find(number);
    const silentMs = overdueMs(timer, nowMs);
    if (!account || silentMs === undefined) return [];
    accounts.setSupervision(account.id, 'lost');
    log.warn('panel_silent', { account: account.account, silent_ms: silentMs });
    const id = random.uuid();
    const stamp = { id, nowMs, traceparent: makeTraceparent(random) };
    const event = supervisionEvent(account, { type: 'panel.supervision_lost', silentMs }, stamp);
    return [enqueueEvents(messages, { eventId: id, account: account.account }, [event], nowMs)];
  }
}
