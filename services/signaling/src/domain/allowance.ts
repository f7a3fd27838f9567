/** How often somebody may do something: a bucket for each key that fills steadily. */
import type { Clock } from '@siphera/runtime';

/** Keys remembered; above that the fullest buckets are forgotten, which forgets nothing that matters. */
const keysMax = 5_000;

export type AllowanceLimits = { burst: number; perMinute: number };

export class Allowance {
  readonly #limits: AllowanceLimits;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { left: number; atMs: number }>();

  constructor(limits: AllowanceLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Takes one, or `count` of them. @returns seconds to wait when there are not so many, else undefined. */
  take(key: string, count = 1): number | undefined {
    const { burst, perMinute } = this.#limits;
    const nowMs = this.#clock.monotonic();
    const left = this.#left(key, nowMs);
    if (left < count) return Math.ceil(((count - left) * 60) / perMinute);
    if (this.#buckets.size >= keysMax) this.#forgetFull(nowMs);
    this.#buckets.delete(key);
    this.#buckets.set(key, { left: Math.min(burst, left) - count, atMs: nowMs });
    return undefined;
  }

  #left(key: string, nowMs: number): number {
    const { burst, perMinute } = this.#limits;
    const bucket = this.#buckets.get(key);
    if (!bucket) return burst;
    return Math.min(burst, bucket.left + ((nowMs - bucket.atMs) / 60_000) * perMinute);
  }

  /** Those that are full again, and the longest unused half when none is: the map is in order of use. */
  #forgetFull(nowMs: number): void {
    for (const key of [...this.#buckets.keys()])
      if (this.#left(key, nowMs) >= this.#limits.burst) this.#buckets.delete(key);
    if (this.#buckets.size < keysMax) return;
    for (const key of [...this.#buckets.keys()].slice(0, keysMax / 2)) this.#buckets.delete(key);
  }
}
