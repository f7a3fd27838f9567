/** Bits a second over the last minute, in steps of five seconds. */
const stepMs = 5_000;
const steps = 12;

export class Bitrate {
  #buckets: { at: number; bytes: number }[] = [];

  add(bytes: number, nowMs: number): void {
    const at = Math.floor(nowMs / stepMs);
    const last = this.#buckets.at(-1);
    if (last?.at === at) last.bytes += bytes;
    else this.#buckets.push({ at, bytes });
    while (this.#buckets.length > steps) this.#buckets.shift();
  }

  /** 0 until the first step is whole. The step under way does not count. */
  bps(): number {
    const whole = this.#buckets.slice(0, -1);
    const [first] = whole;
    const last = this.#buckets.at(-1);
    if (!first || !last) return 0;
    const bytes = whole.reduce((sum, bucket) => sum + bucket.bytes, 0);
    return Math.round((bytes * 8_000) / ((last.at - first.at) * stepMs));
  }

  reset(): void {
    this.#buckets = [];
  }
}
