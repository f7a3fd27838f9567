/**
 * Gives the time by which footage, locks, clips, stills and exports go for their age, and says so when the clock jumped. What
 * must stay true: a jump is kept before anything is deleted after it, and no full disk stops this from giving a time.
 */
import type { InternalHeartbeat } from '@siphera/contract';
import { toRfc3339, type Clock, type Logger } from '@siphera/runtime';
import { believed, expiryTimeOf, lookAtClock, waitLeftMs, type ExpiryState } from '../domain/expiry-time.ts';
import type { ExpiryClockStore } from '../store/expiry-clock.store.ts';

/** The time that is believed is kept this often: a restart knows it this well. */
const saveEveryMs = 60_000;
const hourMs = 3_600_000;

export class ExpiryClock {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #store: ExpiryClockStore;
  #state: ExpiryState;
  #lookedAt: number;
  #savedAt = -Infinity;

  constructor(options: { clock: Clock; log: Logger; store: ExpiryClockStore }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#store = options.store;
    this.#lookedAt = this.#clock.monotonic();
    const kept = this.#store.get();
    this.#state = kept ?? believed(this.#clock.now());
    // What was said before a restart is said again.
    if (kept?.heldMs !== undefined && kept.heldMs !== null) this.#say('clock_jumped');
    this.now();
  }

  /** What is past its days by this time may go. Looks at the clock first. */
  now(): number {
    const [nowMs, at] = [this.#clock.now(), this.#clock.monotonic()];
    const before = this.#state;
    this.#state = lookAtClock(before, nowMs, at - this.#lookedAt);
    this.#lookedAt = at;
    const isNews = before.heldMs !== this.#state.heldMs || before.strayMs !== this.#state.strayMs;
    if (isNews || at - this.#savedAt >= saveEveryMs) this.save();
    if (isNews) {
      if (this.#state.heldMs !== null) this.#say('clock_jumped');
      else if (before.heldMs !== null) this.#log.info('clock_believed', { now: toRfc3339(nowMs) });
    }
    return expiryTimeOf(this.#state, nowMs);
  }

  /** Called at the end too. */
  save(): void {
    this.#savedAt = this.#clock.monotonic();
    try {
      this.#store.put(this.#state);
    } catch (error) {
      this.#log.error('expiry_clock_not_kept', { error });
    }
  }

  /** A line of the heartbeat. */
  check(): InternalHeartbeat['checks'][number] {
    this.now();
    return this.#state.heldMs === null
      ? { name: 'clock', state: 'ok', detail: 'goes on' }
      : { name: 'clock', state: 'degraded', detail: this.#words() };
  }

  #say(event: string): void {
    this.#log.warn(event, { detail: this.#words() });
  }

  #words(): string {
    const hours = Math.round((this.#state.strayMs ?? 0) / hourMs);
    const jump = hours < 72 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
    const until = toRfc3339(this.#clock.now() + waitLeftMs(this.#state));
    return `The clock jumped by ${jump}: nothing is deleted by age until ${until}. Set it right if it is wrong.`;
  }
}
