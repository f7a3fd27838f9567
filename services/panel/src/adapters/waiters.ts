/** Panels that wait for the commit of an event. A wait is bounded: an answer that comes too late helps nobody, the panel has sent again by then. */
import type { Clock } from '@siphera/runtime';
import type { Transport } from '../domain/account.ts';

/** DC-09 §5.6.2 lets a panel wait up to 60 s; most give up after 5 to 20 s. */
const waitMsMax = 20_000;

export type Waiter = {
  frameId: number;
  transport: Transport;
  resolve: (outcome: 'committed' | 'refused' | 'expired') => void;
};

export class Waiters {
  readonly #clock: Clock;
  readonly #byEvent = new Map<string, (Waiter & { until: number })[]>();
  #size = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#size;
  }

  add(eventId: string, waiter: Waiter): void {
    const list = this.#byEvent.get(eventId) ?? [];
    list.push({ ...waiter, until: this.#clock.monotonic() + waitMsMax });
    this.#byEvent.set(eventId, list);
    this.#size += 1;
  }

  /** @returns the ids of the frames whose panels were still waiting. */
  answer(eventId: string, outcome: 'committed' | 'refused'): ReadonlySet<number> {
    const list = this.#byEvent.get(eventId) ?? [];
    this.#byEvent.delete(eventId);
    this.#size -= list.length;
    for (const waiter of list) waiter.resolve(outcome);
    return new Set(list.map((waiter) => waiter.frameId));
  }

  /** Lets go of those that waited too long. */
  expire(): Waiter[] {
    const now = this.#clock.monotonic();
    const expired: Waiter[] = [];
    for (const [eventId, list] of this.#byEvent) {
      const kept = list.filter((waiter) => waiter.until > now);
      if (kept.length === list.length) continue;
      expired.push(...list.filter((waiter) => waiter.until <= now));
      if (kept.length > 0) this.#byEvent.set(eventId, kept);
      else this.#byEvent.delete(eventId);
    }
    this.#size -= expired.length;
    for (const waiter of expired) waiter.resolve('expired');
    return expired;
  }
}
