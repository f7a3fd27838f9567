/** Whole boxes of a stream as it comes: for tests that read what a viewer gets. */
import { boxesIn, type Box } from '../domain/mp4-box.ts';

export class BoxCutter {
  readonly #onBox: (box: Box) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onBox: (box: Box) => void) {
    this.#onBox = onBox;
  }

  push(chunk: Uint8Array): void {
    const all = Buffer.concat([this.#rest, chunk]);
    const boxes = boxesIn(all);
    this.#rest = all.subarray(boxes.reduce((sum, box) => sum + box.bytes.length, 0));
    for (const box of boxes) this.#onBox(box);
  }
}
