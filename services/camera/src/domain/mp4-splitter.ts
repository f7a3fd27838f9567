/**
 * Cuts the output of ffmpeg into the start of the stream (ftyp and moov) and fragments (moof and mdat), whatever the pieces
 * it arrives in. Bounded: a box above its limit ends the connection, so no camera makes the service hold more than that.
 */

export type Piece = { kind: 'init' | 'fragment'; bytes: Buffer };

/** Largest box taken of each type, in bytes. A key frame of 8K is below 8 MiB; half a second at 100 Mbit/s is 6 MiB. */
export const boxBytesMax: Readonly<Record<string, number>> = {
  ftyp: 4 * 1_024,
  moov: 1_024 * 1_024,
  moof: 1_024 * 1_024,
  mdat: 32 * 1_024 * 1_024,
};
const otherBytesMax = 1_024 * 1_024;

/** The box under way: where its bytes go. Without a target they are passed over. */
type Filling = { type: string; target: Buffer | undefined; filled: number; size: number };

/**
 * Bytes are copied once, straight to where they stay: chunks then die young, which is what keeps the collector quiet with 64
 * cameras.
 */
export class Mp4Splitter {
  readonly #head = Buffer.alloc(8);
  #headBytes = 0;
  #box: Filling | undefined;
  #ftyp: Buffer | undefined;
  #moof: Buffer | undefined;

  /** Bytes waiting for the rest of their box. */
  get heldBytes(): number {
    return this.#headBytes + (this.#box?.target ? this.#box.filled : 0);
  }

  /**
   * @returns what became whole.
   * @throws Error in words for people when the bytes are no fragmented MP4, or too large. The splitter is of no use then.
   */
  push(chunk: Buffer): Piece[] {
    const pieces: Piece[] = [];
    let at = 0;
    while (at < chunk.length || this.#isWhole()) {
      const box = this.#box;
      if (!box) {
        at += this.#readHead(chunk, at);
        continue;
      }
      const take = Math.min(chunk.length - at, box.size - box.filled);
      if (box.target) chunk.copy(box.target, box.filled, at, at + take);
      box.filled += take;
      at += take;
      if (box.filled < box.size) break;
      this.#box = undefined;
      const piece = box.target && this.#take(box.type, box.target);
      if (piece) pieces.push(piece);
    }
    return pieces;
  }

  /** Also a box that is its head alone. */
  #isWhole(): boolean {
    return this.#box !== undefined && this.#box.filled === this.#box.size;
  }

  /** @returns how many bytes it took. */
  #readHead(chunk: Buffer, at: number): number {
    const take = Math.min(8 - this.#headBytes, chunk.length - at);
    chunk.copy(this.#head, this.#headBytes, at, at + take);
    this.#headBytes += take;
    if (this.#headBytes === 8) {
      this.#headBytes = 0;
      this.#box = this.#begin(this.#head.readUInt32BE(0), this.#head.toString('latin1', 4, 8));
    }
    return take;
  }

  #begin(size: number, type: string): Filling {
    const max = boxBytesMax[type] ?? otherBytesMax;
    if (size < 8 || !/^[ -~]{4}$/.test(type)) throw new Error('The stream is no fragmented MP4.');
    if (size > max) throw new Error(`A box ${type} of ${size} bytes is above the limit of ${max}.`);
    // styp, sidx, prft, free, mfra: nothing we need, and nothing a player misses.
    if (boxBytesMax[type] === undefined) return { type, target: undefined, filled: 8, size };
    // A fragment is one buffer: its moof in front of its mdat.
    const front = type === 'mdat' ? this.#moof : undefined;
    const before = front?.length ?? 0;
    const target = Buffer.allocUnsafeSlow(before + size);
    front?.copy(target);
    this.#head.copy(target, before);
    return { type, target, filled: before + 8, size: before + size };
  }

  #take(type: string, bytes: Buffer): Piece | undefined {
    if (type === 'ftyp') {
      this.#ftyp = bytes;
      return undefined;
    }
    if (type === 'moov')
      return { kind: 'init', bytes: this.#ftyp ? Buffer.concat([this.#ftyp, bytes]) : bytes };
    const moof = this.#moof;
    this.#moof = type === 'moof' ? bytes : undefined;
    return type === 'mdat' && moof ? { kind: 'fragment', bytes } : undefined;
  }
}
