/**
 * Cuts a fragmented MP4 that arrives in arbitrary pieces into what a SourceBuffer takes: starts (`ftyp` + `moov`) and fragments
 * (`moof` + `mdat`), ISO/IEC 14496-12. What must stay true: nothing is handed on before it is whole, and a stream that is not
 * MP4 ends with an error instead of filling the memory.
 */
export type Mp4Piece =
  | { kind: 'init'; bytes: Uint8Array<ArrayBuffer> }
  /** `wallMs`: what the clock on the wall showed at its first picture, where the box said so (`prft`, §8.16.5). */
  | { kind: 'media'; bytes: Uint8Array<ArrayBuffer>; wallMs?: number | undefined };
/** What the box says inside a live stream (docs/design/cameras.md, Live). */
export type Notice = {
  kind: 'init' | 'lost' | 'skipped' | 'end';
  code?: string;
  reason?: string;
  transcoded?: boolean;
};
export type StreamPiece = Mp4Piece | { kind: 'notice'; notice: Notice };
export type Box = { type: string; start: number; body: number; end: number };

/** One fragment is about half a second; 64 MB is far beyond any camera's. */
const boxBytesMax = 64 * 1024 * 1024;
const headBytes = 8;
const largeHeadBytes = 16;
/** Type of our own boxes. */
const noticeType = [
  0x5f, 0x0c, 0x4c, 0x2e, 0x6d, 0x0b, 0x4d, 0x0e, 0x9c, 0x55, 0x5a, 0x1b, 0xe7, 0xa9, 0xd0, 0x01,
];
/** Seconds from the NTP era (1900) to ours. */
const ntpOffsetSeconds = 2_208_988_800;

const typeAt = (view: DataView, at: number): string =>
  String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));

/** The box that begins at `at`; undefined while its head has not arrived. Its end may lie beyond the bytes there are. */
function boxAt(bytes: Uint8Array, at: number): Box | undefined {
  if (bytes.length - at < headBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const short = view.getUint32(at);
  const isLarge = short === 1;
  if (isLarge && bytes.length - at < largeHeadBytes) return undefined;
  const size = isLarge ? Number(view.getBigUint64(at + headBytes)) : short;
  const head = isLarge ? largeHeadBytes : headBytes;
  if (size < head || size > boxBytesMax) throw new Error('The stream is not a fragmented MP4');
  return { type: typeAt(view, at + 4), start: at, body: at + head, end: at + size };
}

/** The whole boxes of a range, in order. */
export function boxesIn(bytes: Uint8Array, from = 0, to = bytes.length): Box[] {
  const boxes: Box[] = [];
  for (let at = from; at < to;) {
    const box = boxAt(bytes, at);
    if (!box || box.end > to) break;
    boxes.push(box);
    at = box.end;
  }
  return boxes;
}

export class BoxReader {
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #fileType: Uint8Array<ArrayBuffer> | undefined;
  #fragmentHead: Uint8Array<ArrayBuffer> | undefined;
  #wallMs: number | undefined;

  /** Takes the next bytes; gives what became whole with them. */
  push(chunk: Uint8Array): StreamPiece[] {
    this.#rest = joined(this.#rest, chunk);
    const pieces: StreamPiece[] = [];
    let at = 0;
    for (;;) {
      const box = boxAt(this.#rest, at);
      if (!box || box.end > this.#rest.length) break;
      const piece = this.#take(box.type, this.#rest.slice(box.start, box.end));
      if (piece) pieces.push(piece);
      at = box.end;
    }
    this.#rest = this.#rest.slice(at);
    return pieces;
  }

  #take(type: string, bytes: Uint8Array<ArrayBuffer>): StreamPiece | undefined {
    if (type === 'ftyp') this.#fileType = bytes;
    else if (type === 'prft') this.#wallMs = wallOf(bytes);
    else if (type === 'uuid') return noticeOf(bytes);
    else if (type === 'moof') this.#fragmentHead = bytes;
    else if (type === 'moov') return { kind: 'init', bytes: joined(this.#fileType, bytes) };
    else if (type === 'mdat' && this.#fragmentHead) {
      const media = joined(this.#fragmentHead, bytes);
      const wallMs = this.#wallMs;
      this.#fragmentHead = undefined;
      this.#wallMs = undefined;
      return { kind: 'media', bytes: media, wallMs };
    }
    // Indexes, free space and the like: no player needs them.
    return undefined;
  }
}

function joined(first: Uint8Array | undefined, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array((first?.length ?? 0) + second.length);
  if (first) all.set(first, 0);
  all.set(second, first?.length ?? 0);
  return all;
}

function wallOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < headBytes + 16) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const seconds = view.getUint32(headBytes + 8) - ntpOffsetSeconds;
  return seconds * 1_000 + (view.getUint32(headBytes + 12) / 2 ** 32) * 1_000;
}

function noticeOf(bytes: Uint8Array): StreamPiece | undefined {
  if (!noticeType.every((value, index) => bytes[headBytes + index] === value)) return undefined;
  const text = new TextDecoder().decode(bytes.subarray(headBytes + noticeType.length));
  return { kind: 'notice', notice: JSON.parse(text) as Notice };
}
