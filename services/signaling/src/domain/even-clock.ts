/**
 * Whether the time of the box can be trusted to delete by. A clock that jumps ahead makes everything look old; so nothing goes for its age
 * until the clock has run evenly for some hours, in which somebody notices and sets it right.
 */
import type { Clock } from '@siphera/runtime';

const hourMs = 3_600_000;
/** A box that is started anew every night still has time to delete. */
const evenMsMin = 6 * hourMs;
/** What the wall clock may gain on the monotonic one between two looks; NTP slews by less. */
const driftMsMax = 60_000;

export class EvenClock {
  readonly #clock: Clock;
  #even: { sinceMs: number; offsetMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be asked every few minutes: each time is a look at the clock. */
  isEven(): boolean {
    const nowMs = this.#clock.monotonic();
    const offsetMs = this.#clock.now() - nowMs;
    const before = this.#even;
    const isSame = before !== undefined && Math.abs(offsetMs - before.offsetMs) <= driftMsMax;
    this.#even = { sinceMs: isSame ? before.sinceMs : nowMs, offsetMs };
    return nowMs - this.#even.sinceMs >= evenMsMin;
  }
}
