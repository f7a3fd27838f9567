/** Builds small fragmented MP4s for tests: one video track, no picture data. */
import type { Notice } from '#features/cameras/player/mp4-boxes.ts';

type Bytes = Uint8Array<ArrayBuffer>;
const text = (value: string): Bytes => new TextEncoder().encode(value);
const u32 = (...values: number[]): Bytes => {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, index) => view.setUint32(index * 4, value));
  return new Uint8Array(view.buffer);
};

export function bytesOf(...parts: Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
export function box(type: string, ...content: Uint8Array[]): Bytes {
  const body = bytesOf(...content);
  return bytesOf(u32(body.length + 8), text(type), body);
}

const avcConfig = (level: number): Bytes => box('avcC', new Uint8Array([1, 0x64, 0x00, level, 0xff]));

/** A start with one H.264 track of id 1; ticks are milliseconds. */
export function initSegment(options: { entry?: Uint8Array; level?: number } = {}): Bytes {
  const entry = options.entry ?? box('avc1', new Uint8Array(78), avcConfig(options.level ?? 0x1f));
  const track = box(
    'trak',
    box('tkhd', u32(0, 0, 0, 1, 0)),
    box(
      'mdia',
      box('mdhd', u32(0, 0, 0, 1_000, 0)),
      box('hdlr', u32(0, 0), text('vide')),
      box('minf', box('stbl', box('stsd', u32(0, 1), entry))),
    ),
  );
  return bytesOf(box('ftyp', text('isom')), box('moov', track));
}

/** Half a second, unless told. */
export function fragment({
  decodeTime,
  samples = 10,
  sampleMs = 50,
}: {
  decodeTime: number;
  samples?: number;
  sampleMs?: number;
}): Bytes {
  const traf = box(
    'traf',
    box('tfhd', u32(0x02_00_08, 1, sampleMs)),
    box('tfdt', u32(0, decodeTime)),
    box('trun', u32(0, samples)),
  );
  return bytesOf(box('moof', traf), box('mdat', new Uint8Array(16)));
}

export function prft(wallMs: number): Bytes {
  const seconds = Math.floor(wallMs / 1_000);
  return box(
    'prft',
    u32(0x01_00_00_00, 1, seconds + 2_208_988_800, Math.floor(((wallMs % 1_000) / 1_000) * 2 ** 32), 0, 0),
  );
}

const noticeType = new Uint8Array([
  0x5f, 0x0c, 0x4c, 0x2e, 0x6d, 0x0b, 0x4d, 0x0e, 0x9c, 0x55, 0x5a, 0x1b, 0xe7, 0xa9, 0xd0, 0x01,
]);
export const notice = (value: Notice): Bytes =>
  box('uuid', noticeType, new TextEncoder().encode(JSON.stringify(value)));
