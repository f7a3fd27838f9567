/**
 * Boxes of MP4 (ISO/IEC 14496-12 §4.2), read from bytes that a camera had a hand in: every length is checked against what is
 * there, and nothing here throws on bad bytes.
 */

export type Box = {
  type: string;
  /** The whole box, header included. */
  bytes: Buffer;
  /** Behind its header. */
  content: Buffer;
};

/** Boxes looked at side by side; inside moov and moof more is no stream of a camera, and a file has fewer an hour. */
const boxesMax = 16_384;
const headBytes = 8;

/** The boxes side by side in `bytes`; ends at the first that does not fit. */
export function boxesIn(bytes: Buffer): Box[] {
  const boxes: Box[] = [];
  let at = 0;
  while (at + headBytes <= bytes.length && boxes.length < boxesMax) {
    const size = bytes.readUInt32BE(at);
    // Sizes 0 (to the end) and 1 (64 bits) do not occur in what ffmpeg writes for us.
    if (size < headBytes || at + size > bytes.length) break;
    boxes.push({
      type: bytes.toString('latin1', at + 4, at + headBytes),
      bytes: bytes.subarray(at, at + size),
      content: bytes.subarray(at + headBytes, at + size),
    });
    at += size;
  }
  return boxes;
}

/** The first box of a path below a box, e.g. `mdia/minf/stbl/stsd`. */
export function boxAt(parent: Box, path: string): Box | undefined {
  let box: Box | undefined = parent;
  for (const type of path.split('/')) {
    if (!box) return undefined;
    box = boxesIn(box.content).find((child) => child.type === type);
  }
  return box;
}

/** Where a part of a buffer begins in the whole of it. */
export const offsetIn = (whole: Buffer, part: Buffer): number => part.byteOffset - whole.byteOffset;

export function makeBox(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const size = headBytes + parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(size);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...parts], size);
}

/** Reads the fields of a box one after the other; past its end everything is 0 and `ok` is false. */
export class BoxReader {
  readonly #bytes: Buffer;
  #at: number;
  ok = true;

  constructor(box: Box, skip = 0) {
    this.#bytes = box.content;
    this.#at = skip;
  }

  /** Where the next field begins in the box's content. */
  get at(): number {
    return this.#at;
  }

  u8(): number {
    return this.#has(1) ? this.#bytes.readUInt8(this.#at - 1) : 0;
  }

  u16(): number {
    return this.#has(2) ? this.#bytes.readUInt16BE(this.#at - 2) : 0;
  }

  u32(): number {
    return this.#has(4) ? this.#bytes.readUInt32BE(this.#at - 4) : 0;
  }

  /** As a number: exact up to 2^53, which no clock of a camera reaches. */
  u64(): number {
    return this.u32() * 2 ** 32 + this.u32();
  }

  skip(count: number): void {
    this.#has(count);
  }

  #has(count: number): boolean {
    if (this.#at + count > this.#bytes.length) {
      this.ok = false;
      return false;
    }
    this.#at += count;
    return true;
  }
}
