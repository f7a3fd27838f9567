/** Netstrings (`<length>:<bytes>,`) out of a stream, as Kamailio's module evapi writes them. What does not fit is an error: the stream has lost its beat. */

/** A report has some hundred bytes; the most that a script of ours could put together stays far below. */
export const netstringBytesMax = 65_536;
const digitsMax = String(netstringBytesMax).length;
const colon = 0x3a;
const comma = 0x2c;

export class NetstringReader {
  #rest: Buffer = Buffer.alloc(0);

  /**
   * @returns the strings that are complete now. What is kept is bounded by the longest string.
   * @throws Error on anything that is no netstring, or one that is too long; then the reader is of no further use.
   */
  read(bytes: Buffer): string[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const complete: string[] = [];
    let offset = 0;
    for (;;) {
      const header = readHeader(this.#rest, offset);
      if (!header || this.#rest.length <= header.end) break;
      if (this.#rest[header.end] !== comma) throw new Error('A netstring does not end with a comma');
      complete.push(this.#rest.toString('utf8', header.start, header.end));
      offset = header.end + 1;
    }
    this.#rest = Buffer.from(this.#rest.subarray(offset));
    return complete;
  }
}

/** @returns where the string begins and ends; undefined while the colon has not come. */
function readHeader(bytes: Buffer, offset: number): { start: number; end: number } | undefined {
  const at = bytes.subarray(offset, offset + digitsMax + 1).indexOf(colon);
  const digits = bytes.toString('latin1', offset, at < 0 ? offset + digitsMax + 1 : offset + at);
  if (!/^\d*$/.test(digits) || digits.length > digitsMax || at === 0)
    throw new Error('Not a netstring where one should begin');
  if (at < 0) return undefined;
  const length = Number(digits);
  if (length > netstringBytesMax) throw new Error(`A netstring of ${length} bytes is too long`);
  return { start: offset + at + 1, end: offset + at + 1 + length };
}
