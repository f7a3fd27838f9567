/**
 * What waits for one viewer. A viewer that is slower than the camera loses whole groups of pictures, never parts of one, and
 * is given up when that does not help. Bounded in bytes; pure, so that every such course is a test.
 */
import type { Fragment, InitSegment } from './media.ts';
import type { Notice } from './live-boxes.ts';

export type QueueItem =
  | { kind: 'init'; init: InitSegment }
  | { kind: 'fragment'; fragment: Fragment }
  | { kind: 'notice'; notice: Notice };

export type QueueLimits = {
  /** Fragments waiting, beyond which they are dropped up to the next key frame. */
  bytesMax: number;
  /** Drops in a row, the queue never having been empty between, after which the viewer is given up. */
  dropsMax: number;
};

export class ViewerQueue {
  readonly #limits: QueueLimits;
  #items: QueueItem[] = [];
  #bytes = 0;
  #drops = 0;
  #waitsForKey = true;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whatever of the old stream still waits is of no use any more. */
  init(init: InitSegment): void {
    this.#clearMedia();
    this.#waitsForKey = true;
    this.#items.push({ kind: 'init', init });
  }

  notice(notice: Notice): void {
    this.#items.push({ kind: 'notice', notice });
  }

  /** @returns `given_up` when the viewer is too slow for this stream. */
  fragment(fragment: Fragment): 'kept' | 'dropped' | 'given_up' {
    if (this.#waitsForKey && !fragment.key) return 'dropped';
    if (this.#bytes > 0 && this.#bytes + fragment.bytes.length > this.#limits.bytesMax)
      return this.#drop(fragment);
    this.#waitsForKey = false;
    this.#items.push({ kind: 'fragment', fragment });
    this.#bytes += fragment.bytes.length;
    return 'kept';
  }

  take(): QueueItem | undefined {
    const item = this.#items.shift();
    if (item?.kind === 'fragment') this.#bytes -= item.fragment.bytes.length;
    if (this.#items.length === 0) this.#drops = 0;
    return item;
  }

  #drop(fragment: Fragment): 'kept' | 'dropped' | 'given_up' {
    this.#drops += 1;
    if (this.#drops > this.#limits.dropsMax) return 'given_up';
    const inits = this.#items.filter(({ kind }) => kind === 'init');
    this.#items = [...inits, { kind: 'notice', notice: { kind: 'skipped' } }];
    this.#bytes = 0;
    this.#waitsForKey = true;
    return fragment.key ? this.fragment(fragment) : 'dropped';
  }

  #clearMedia(): void {
    this.#items = this.#items.filter(({ kind }) => kind === 'notice');
    this.#bytes = 0;
  }
}
