/** Whether pushes get out of the building at all. Pure: told of every try, and of the time. */
import type { PushOutcome } from './push-outcome.ts';

/** One failure is a service's own, or a moment's. */
const failuresMin = 3;
/** What was seen longer ago says nothing about now. */
const recentMs = 10 * 60_000;

export class PushReach {
  #failures = 0;
  #failedMs = -Infinity;

  /** A service that answered, whatever it said, was reached. What was not sent says nothing. */
  note(outcome: PushOutcome, nowMs: number): void {
    if (outcome.kind === 'later' && outcome.network) {
      this.#failures += 1;
      this.#failedMs = nowMs;
    } else if (outcome.kind !== 'refused') this.#failures = 0;
  }

  /** False when the last tries all found nobody. */
  isOpen(nowMs: number): boolean {
    return this.#failures < failuresMin || nowMs - this.#failedMs > recentMs;
  }
}
