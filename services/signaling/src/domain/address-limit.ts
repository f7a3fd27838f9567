/** At most so many calls from one address and span of time. Pure: told the time. Bounded in memory, whoever calls. */

export class AddressLimit {
  readonly #options: { callsMax: number; spanMs: number; addressesMax: number };
  readonly #counts = new Map<string, number>();
  #spanStartMs = -Infinity;

  /** When more than `addressesMax` call in one span, those that come later share one count. */
  constructor(options: { callsMax: number; spanMs: number; addressesMax: number }) {
    this.#options = options;
  }

  /** @param nowMs never goes back. @returns false when the address has had its calls. */
  take(address: string, nowMs: number): boolean {
    const { callsMax, spanMs, addressesMax } = this.#options;
    if (nowMs - this.#spanStartMs >= spanMs) {
      this.#counts.clear();
      this.#spanStartMs = nowMs;
    }
    const key = this.#counts.has(address) || this.#counts.size < addressesMax ? address : '';
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count <= callsMax;
  }
}
