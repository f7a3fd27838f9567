/** The fragments since the last key frame, so that a viewer begins at once. Bounded in bytes: a GOP above the bound is not kept. */
import type { Fragment } from './media.ts';

/** Two seconds at 40 Mbit/s, or a minute-long GOP at 1 Mbit/s. */
const gopBytesMax = 10 * 1_024 * 1_024;

export class GopBuffer {
  readonly #bytesMax: number;
  #fragments: Fragment[] = [];
  #bytes = 0;
  #overflowed = true;

  constructor(bytesMax = gopBytesMax) {
    this.#bytesMax = bytesMax;
  }

  add(fragment: Fragment): void {
    if (fragment.key) this.clear(false);
    if (this.#overflowed) return;
    this.#fragments.push(fragment);
    this.#bytes += fragment.bytes.length;
    if (this.#bytes > this.#bytesMax) this.clear(true);
  }

  /** From the last key frame on; empty when none is kept. */
  fragments(): readonly Fragment[] {
    return this.#fragments;
  }

  clear(overflowed = true): void {
    this.#fragments = [];
    this.#bytes = 0;
    this.#overflowed = overflowed;
  }
}
