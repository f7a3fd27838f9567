/**
 * Boxes of an MP4 file (ISO/IEC 14496-12 §4.2), read from bytes that a camera had a hand in: every length is checked
 * against what is there, and nothing here throws on bad bytes.
 */

export type Box = {
  type: string;
  /** Where its content begins in `bytes`, and where it ends. */
  start: number;
  end: number;
  bytes: Buffer;
};

/** Boxes looked at in one parent; more is no stream of a camera. */
const boxesMax = 4_096;

/** The boxes between two offsets; ends at the first that does not fit. */
export function boxesIn(bytes: Buffer, start = 0, end = bytes.length): Box[] {
  const boxes: Box[] = [];
  let at = start;
  while (at + 8 <= end && boxes.length < boxesMax) {
    const size = bytes.readUInt32BE(at);
    // Sizes 0 (to the end) and 1 (64 bits) do not occur inside moov and moof.
    if (size < 8 || at + size > end) break;
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), start: at + 8, end: at + size, bytes });
    at += size;
  }
  return boxes;
}

/** The first box of a path below a box, e.g. `mdia/minf/stbl/stsd`. */
export function boxAt(parent: Box, path: string): Box | undefined {
  let box: Box | undefined = parent;
  for (const type of path.split('/')) {
    if (!box) return undefined;
    box = boxesIn(box.bytes, box.start, box.end).find((child) => child.type === type);
  }
  return box;
}

/** Reads fields one after the other; past the end everything is 0 and `ok` is false. */
export class BoxReader {
  readonly #box: Box;
  #at: number;
  ok = true;

  constructor(box: Box, skip = 0) {
    this.#box = box;
    this.#at = box.start + skip;
  }

  u8(): number {
    return this.#has(1) ? this.#box.bytes.readUInt8(this.#at - 1) : 0;
  }

  u16(): number {
    return this.#has(2) ? this.#box.bytes.readUInt16BE(this.#at - 2) : 0;
  }

  u32(): number {
    return this.#has(4) ? this.#box.bytes.readUInt32BE(this.#at - 4) : 0;
  }

  /** As a number: exact up to 2^53, which no clock of a camera reaches. */
  u64(): number {
    return this.u32() * 2 ** 32 + this.u32();
  }

  skip(count: number): void {
    this.#has(count);
  }

  #has(count: number): boolean {
    if (this.#at + count > this.#box.end) {
      this.ok = false;
      return false;
    }
    this.#at += count;
    return true;
  }
}
