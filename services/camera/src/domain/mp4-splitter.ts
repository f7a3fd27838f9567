/**
 * Cuts the output of ffmpeg into the start of the stream (ftyp and moov) and fragments (moof and mdat), whatever the pieces
 * it arrives in. Bounded: a box above its limit ends the connection, so no camera makes the service hold more than that.
 */

export type Piece = { kind: 'init'; bytes: Buffer } | { kind: 'fragment'; moof: Buffer; bytes: Buffer };

/** Largest box taken of each type, in bytes. A key frame of 8K is below 8 MiB; half a second at 100 Mbit/s is 6 MiB. */
export const boxBytesMax: Readonly<Record<string, number>> = {
  ftyp: 4 * 1_024,
  moov: 1_024 * 1_024,
  moof: 1_024 * 1_024,
  mdat: 32 * 1_024 * 1_024,
};
const otherBytesMax = 1_024 * 1_024;

export class Mp4Splitter {
  #chunks: Buffer[] = [];
  #held = 0;
  #ftyp: Buffer | undefined;
  #moof: Buffer | undefined;

  /** Bytes waiting for the rest of their box. */
  get heldBytes(): number {
    return this.#held;
  }

  /**
   * @returns what became whole.
   * @throws Error in words for people when the bytes are no fragmented MP4, or too large. The splitter is of no use then.
   */
  push(chunk: Buffer): Piece[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const pieces: Piece[] = [];
    for (let box = this.#next(); box; box = this.#next()) {
      const piece = this.#take(box.type, box.bytes);
      if (piece) pieces.push(piece);
    }
    return pieces;
  }

  #next(): { type: string; bytes: Buffer } | undefined {
    if (this.#held < 8) return undefined;
    const head = this.#head();
    const size = head.readUInt32BE(0);
    const type = head.toString('latin1', 4, 8);
    const max = boxBytesMax[type] ?? otherBytesMax;
    if (size < 8 || !/^[ -~]{4}$/.test(type)) throw new Error('The stream is no fragmented MP4.');
    if (size > max) throw new Error(`A box ${type} of ${size} bytes is above the limit of ${max}.`);
    if (this.#held < size) return undefined;
    return { type, bytes: this.#cut(size) };
  }

  /** The first 8 bytes, which may lie in several chunks. */
  #head(): Buffer {
    const [first] = this.#chunks;
    if (first && first.length >= 8) return first;
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** Takes `size` bytes off the front; copied, so that a small fragment does not keep a large chunk alive. */
  #cut(size: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(size);
    let filled = 0;
    while (filled < size) {
      const chunk = this.#chunks.shift();
      if (!chunk) break;
      const take = Math.min(chunk.length, size - filled);
      chunk.copy(bytes, filled, 0, take);
      filled += take;
      if (take < chunk.length) this.#chunks.unshift(chunk.subarray(take));
    }
    this.#held -= size;
    return bytes;
  }

  #take(type: string, bytes: Buffer): Piece | undefined {
    switch (type) {
      case 'ftyp':
        this.#ftyp = bytes;
        return undefined;
      case 'moov':
        return { kind: 'init', bytes: this.#ftyp ? Buffer.concat([this.#ftyp, bytes]) : bytes };
      case 'moof':
        this.#moof = bytes;
        return undefined;
      case 'mdat': {
        const moof = this.#moof;
        this.#moof = undefined;
        return moof ? { kind: 'fragment', moof, bytes: Buffer.concat([moof, bytes]) } : undefined;
      }
      default:
        // styp, sidx, prft, free, mfra: nothing we need, and nothing a player misses.
        return undefined;
    }
  }
}
