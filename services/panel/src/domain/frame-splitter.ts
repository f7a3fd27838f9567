/**
 * Cuts a byte stream into DC-09 frames: several frames in one read, one frame in many reads, garbage between.
 * What must stay true: the buffer never holds more than one longest frame; work is linear in the bytes read; a frame
 * with a wrong length cannot swallow the good frame behind it, because the first CR ends a frame, whatever its length
 * field claims.
 */
import { carriageReturn, frameBytesMax, lineFeed, readPrefix } from './frame.ts';

/** LF, a CRC of two raw bytes, 0LLL and the quote: before that many bytes it is open whether a CR is part of the CRC. */
const binaryPrefixBytes = 8;

export class FrameSplitter {
  #buffer: Buffer = Buffer.alloc(0);
  #garbageBytes = 0;

  /** Bytes dropped so far because they were in no frame. */
  get garbageBytes(): number {
    return this.#garbageBytes;
  }

  /** Bytes of a frame that has begun and not ended. */
  get pendingBytes(): number {
    return this.#buffer.length;
  }

  /** Takes a read; returns the frames it completed, each from LF to CR. */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const frames: Buffer[] = [];
    let position = 0;
    for (;;) {
      const start = this.#drop(position, indexOrEnd(bytes, lineFeed, position));
      if (start === bytes.length) {
        this.#buffer = Buffer.alloc(0);
        return frames;
      }
      const end = indexOrEnd(bytes, carriageReturn, searchFrom(bytes, start));
      if (end - start >= frameBytesMax) {
        position = this.#drop(start, end - frameBytesMax + 1);
      } else if (end === bytes.length || isUndecided(bytes, start, end)) {
        this.#buffer = Buffer.from(bytes.subarray(start));
        return frames;
      } else {
        const from = this.#drop(start, innerStart(bytes, start, end));
        frames.push(Buffer.from(bytes.subarray(from, end + 1)));
        position = end + 1;
      }
    }
  }

  /** The end of a datagram: a last frame without its CR counts too; its CRC and length decide. */
  flush(): Buffer[] {
    const rest = this.#buffer;
    this.#buffer = Buffer.alloc(0);
    if (readPrefix(rest, 0)) return [rest];
    this.#garbageBytes += rest.length;
    return [];
  }

  #drop(from: number, to: number): number {
    this.#garbageBytes += to - from;
    return to;
  }
}

function indexOrEnd(bytes: Buffer, byte: number, from: number): number {
  const at = bytes.indexOf(byte, from);
  return at < 0 ? bytes.length : at;
}

/** The raw CRC bytes of the binary form may look like CR, so the search for the end starts behind them. */
const searchFrom = (bytes: Buffer, start: number): number => readPrefix(bytes, start)?.bodyStart ?? start + 1;

const isUndecided = (bytes: Buffer, start: number, end: number): boolean =>
  end - start <= 2 && bytes.length - start < binaryPrefixBytes;

/**
 * An LF inside means that the frame in front was cut off and another began. The one whose length reaches exactly to
 * the CR is whole; else the last one that looks like a frame; else all of it, so that it is seen as a bad frame.
 */
function innerStart(bytes: Buffer, start: number, end: number): number {
  let best = start;
  for (let at = start; at >= 0 && at < end; at = bytes.indexOf(lineFeed, at + 1)) {
    const prefix = readPrefix(bytes, at);
    if (!prefix) continue;
    if (prefix.bodyStart + prefix.bodyLength === end) return at;
    best = at;
  }
  return best;
}
