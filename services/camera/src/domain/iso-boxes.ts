/** Boxes of the ISO base media file format (ISO/IEC 14496-12 §4.2): cutting a byte stream into them, and finding one inside another. */

export type Box = {
  type: string;
  /** The whole box, header included. */
  bytes: Buffer;
  /** Where its content begins inside `bytes`. */
  headerBytes: number;
};

/** Larger than any key frame of a camera; a stream that says more is not one. */
const boxBytesMax = 64 * 1024 * 1024;

/** The boxes side by side in `bytes` from `start` on. @throws Error when one does not fit in it. */
export function boxesIn(bytes: Buffer, start = 0): Box[] {
  const boxes: Box[] = [];
  for (let at = start; at < bytes.length;) {
    const head = readHead(bytes, at, bytes.length - at);
    if (!head || head.bytes > bytes.length - at)
      throw new Error('A box reaches past the end of what holds it');
    boxes.push({
      type: head.type,
      bytes: bytes.subarray(at, at + head.bytes),
      headerBytes: head.headerBytes,
    });
    at += head.bytes;
  }
  return boxes;
}

export const childrenOf = (box: Box): Box[] => boxesIn(box.bytes, box.headerBytes);

/** All boxes at a path, e.g. `trak/mdia/mdhd`, below a box. */
export function findBoxes(box: Box, path: string): Box[] {
  let found = [box];
  for (const type of path.split('/'))
    found = found.flatMap((parent) => childrenOf(parent).filter((child) => child.type === type));
  return found;
}

export const findBox = (box: Box, path: string): Box | undefined => findBoxes(box, path)[0];

/** Content of a full box (§4.2): behind version and flags. */
export const fullBox = (box: Box): { version: number; flags: number; content: Buffer } => ({
  version: box.bytes.readUInt8(box.headerBytes),
  flags: box.bytes.readUIntBE(box.headerBytes + 1, 3),
  content: box.bytes.subarray(box.headerBytes + 4),
});

export function makeBox(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const size = 8 + parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(size);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...parts], size);
}

/** Takes bytes as they come, and hands on whole boxes. */
export class BoxCutter {
  readonly #onBox: (box: Box) => void;
  #parts: Buffer[] = [];
  #bytes = 0;
  #wanted = 8;

  constructor(onBox: (box: Box) => void) {
    this.#onBox = onBox;
  }

  /** @throws Error when the bytes are no boxes: what follows cannot be understood either. */
  push(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= this.#wanted) {
      const all = this.#joined();
      const head = readHead(all, 0, all.length);
      if (!head) {
        this.#wanted = 16;
        if (this.#bytes < 16) return;
        throw new Error('A box without a size');
      }
      if (head.bytes > boxBytesMax) throw new Error(`A box of ${head.bytes} bytes`);
      this.#wanted = head.bytes;
      if (this.#bytes < head.bytes) return;
      this.#parts = head.bytes < all.length ? [all.subarray(head.bytes)] : [];
      this.#bytes -= head.bytes;
      this.#wanted = 8;
      this.#onBox({ type: head.type, bytes: all.subarray(0, head.bytes), headerBytes: head.headerBytes });
    }
  }

  #joined(): Buffer {
    const [first] = this.#parts;
    if (this.#parts.length === 1 && first) return first;
    const all = Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [all];
    return all;
  }
}

/** Undefined when more bytes are needed. Size 1: 64 bits follow; size 0, up to the end of a file, makes no sense in a stream. */
function readHead(
  bytes: Buffer,
  at: number,
  left: number,
): { type: string; bytes: number; headerBytes: number } | undefined {
  if (left < 8) return undefined;
  const size = bytes.readUInt32BE(at);
  const type = bytes.toString('latin1', at + 4, at + 8);
  if (size === 1) {
    if (left < 16) return undefined;
    return { type, bytes: checked(Number(bytes.readBigUInt64BE(at + 8)), 16), headerBytes: 16 };
  }
  return { type, bytes: checked(size, 8), headerBytes: 8 };
}

function checked(size: number, least: number): number {
  if (size < least) throw new Error(`A box of ${size} bytes`);
  return size;
}
