/**
 * The table of a segment's fragments as it lies in the database: for each, its length, how much later than the one before
 * it begins, and whether it is a key. Unsigned LEB128 numbers (DWARF 5 §7.6), about 5 bytes a fragment.
 */

export type TableEntry = {
  /** Where it begins in the file. */
  offset: number;
  bytes: number;
  startMs: number;
  key: boolean;
};

/** Entries read from one table: an hour without a key frame at two a second. */
const entriesMax = 20_000;

export class FragmentTable {
  readonly #entries: TableEntry[] = [];
  readonly #fromMs: number;
  #end: number;

  /** `initBytes`: what lies in the file before the first fragment. */
  constructor(fromMs: number, initBytes: number) {
    this.#fromMs = fromMs;
    this.#end = initBytes;
  }

  add(fragment: { bytes: number; startMs: number; key: boolean }): void {
    this.#entries.push({ offset: this.#end, ...fragment });
    this.#end += fragment.bytes;
  }

  entries(): readonly TableEntry[] {
    return this.#entries;
  }

  /** Bytes of the file up to the end of the last fragment. */
  get fileBytes(): number {
    return this.#end;
  }

  /** Forgets what begins at or after a moment: the same time was written elsewhere. */
  cutAt(startMs: number): void {
    while ((this.#entries.at(-1)?.startMs ?? Number.NEGATIVE_INFINITY) >= startMs) {
      this.#end = this.#entries.pop()?.offset ?? this.#end;
    }
  }

  encode(): Buffer {
    const bytes: number[] = [];
    let lastMs = this.#fromMs;
    for (const entry of this.#entries) {
      pushNumber(bytes, entry.bytes);
      // Smoothed time never goes back; the key flag takes the lowest bit.
      const laterMs = Math.max(0, Math.round(entry.startMs) - lastMs);
      pushNumber(bytes, laterMs * 2 + (entry.key ? 1 : 0));
      lastMs += laterMs;
    }
    return Buffer.from(bytes);
  }
}

/** Reads a table; ends where it is broken. */
export function decodeFragments(table: Buffer, fromMs: number, initBytes: number): TableEntry[] {
  const entries: TableEntry[] = [];
  let at = 0;
  let offset = initBytes;
  let startMs = fromMs;
  const next = (): number => {
    let value = 0;
    for (let shift = 1; at < table.length; shift *= 128) {
      const byte = table[at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
    return Number.NaN;
  };
  while (at < table.length && entries.length < entriesMax) {
    const bytes = next();
    const time = next();
    if (!Number.isSafeInteger(bytes) || !Number.isSafeInteger(time)) break;
    startMs += Math.floor(time / 2);
    entries.push({ offset, bytes, startMs, key: time % 2 === 1 });
    offset += bytes;
  }
  return entries;
}

function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}
