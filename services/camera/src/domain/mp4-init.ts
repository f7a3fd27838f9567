/**
 * What the `moov` of a fragmented MP4 says of its tracks: codec string (RFC 6381 §3.3, ISO/IEC 14496-15 Annex E), size, timescale.
 * Pure, and safe on any bytes.
 */
import type { InitSegment } from './media.ts';
import { boxAt, BoxReader, boxesIn, type Box } from './mp4-box.ts';

export type Track = {
  id: number;
  kind: 'video' | 'audio' | 'other';
  /** Ticks a second. */
  timescale: number;
  /** RFC 6381. */
  codec: string;
  /** The sample entry, with the decoder's configuration inside. */
  entry: Box;
  width: number;
  height: number;
  /** Defaults of `trex` (ISO/IEC 14496-12 §8.8.3), which `tfhd` and `trun` may leave out. */
  defaults: { duration: number; size: number; flags: number };
};

export type ReadInit = { segment: InitSegment; tracks: readonly Track[] };

/** Tracks looked at: a camera has two. */
const tracksMax = 8;

/** Undefined when there is no video track in it that can be told. */
export function readInit(bytes: Buffer): ReadInit | undefined {
  const tracks = tracksOf(bytes);
  const video = tracks.find((track) => track.kind === 'video');
  if (!video) return undefined;
  const codecs = tracks.filter((track) => track.codec !== '').map((track) => track.codec);
  return {
    tracks,
    segment: {
      bytes,
      mime: `video/mp4; codecs="${codecs.join(', ')}"`,
      video: videoOf(video.codec),
      width: video.width,
      height: video.height,
      timescale: video.timescale,
    },
  };
}

/** The tracks of an init segment; without those that cannot be told. */
export function tracksOf(init: Buffer): Track[] {
  const moov = boxesIn(init).find((box) => box.type === 'moov');
  if (!moov) return [];
  const children = boxesIn(moov.content);
  const traks = children.filter((box) => box.type === 'trak').slice(0, tracksMax);
  const tracks = traks.flatMap((trak) => readTrack(trak) ?? []);
  const mvex = children.find((box) => box.type === 'mvex');
  if (mvex) readDefaults(mvex, tracks);
  return tracks;
}

/** Content of a box inside the sample entry, e.g. `avcC`. */
export const configurationOf = (track: Track, type: string): Buffer | undefined =>
  insideEntry(track.entry, track.kind).find((box) => box.type === type)?.content;

/** Boxes inside a visual sample entry begin behind 78 bytes of fields (§12.1.3), inside a version 0 audio one behind 28 (§12.2.3). */
const insideEntry = (entry: Box, kind: Track['kind']): Box[] =>
  boxesIn(entry.content.subarray(kind === 'video' ? 78 : 28));

function videoOf(codec: string): InitSegment['video'] {
  if (codec.startsWith('avc')) return 'h264';
  return codec.startsWith('hvc1') || codec.startsWith('hev1') ? 'h265' : 'other';
}

function readTrack(trak: Box): Track | undefined {
  const tkhd = boxAt(trak, 'tkhd');
  const mdhd = boxAt(trak, 'mdia/mdhd');
  const hdlr = boxAt(trak, 'mdia/hdlr');
  const stsd = boxAt(trak, 'mdia/minf/stbl/stsd');
  if (!tkhd || !mdhd || !hdlr || !stsd) return undefined;
  const id = readTrackId(tkhd);
  const timescale = readTimescale(mdhd);
  const handler = hdlr.content.toString('latin1', 8, 12);
  // FullBox header and entry count (§8.5.2).
  const entry = boxesIn(stsd.content.subarray(8))[0];
  if (id === undefined || timescale === undefined || !entry) return undefined;
  const base = { id, timescale, entry, defaults: { duration: 0, size: 0, flags: 0 } };
  if (handler === 'vide') return { ...base, kind: 'video', ...readVisual(entry) };
  const codec = handler === 'soun' ? audioCodec(entry) : '';
  return { ...base, kind: handler === 'soun' ? 'audio' : 'other', codec, width: 0, height: 0 };
}

function readTrackId(tkhd: Box): number | undefined {
  const reader = new BoxReader(tkhd);
  const version = reader.u32() >>> 24;
  reader.skip(version === 1 ? 16 : 8);
  const id = reader.u32();
  return reader.ok && id > 0 ? id : undefined;
}

function readTimescale(mdhd: Box): number | undefined {
  const reader = new BoxReader(mdhd);
  const version = reader.u32() >>> 24;
  reader.skip(version === 1 ? 16 : 8);
  const timescale = reader.u32();
  return reader.ok && timescale > 0 ? timescale : undefined;
}

/** VisualSampleEntry (§12.1.3). */
function readVisual(entry: Box): { codec: string; width: number; height: number } {
  const reader = new BoxReader(entry, 24);
  const width = reader.u16();
  const height = reader.u16();
  const inner = insideEntry(entry, 'video');
  const avcC = inner.find((box) => box.type === 'avcC');
  const hvcC = inner.find((box) => box.type === 'hvcC');
  const codec = avcC ? avcCodec(entry.type, avcC) : hvcC ? hevcCodec(entry.type, hvcC) : entry.type.trim();
  return { codec, width, height };
}

/** ISO/IEC 14496-15 §5.3.3.1: profile, compatibility and level stand in bytes 1 to 3 of the record. */
function avcCodec(type: string, avcC: Box): string {
  return avcC.content.length < 4 ? type : `${type}.${avcC.content.toString('hex', 1, 4)}`;
}

/** ISO/IEC 14496-15 Annex E.3: profile space and id, compatibility bits in reverse, tier and level, constraint bytes. */
function hevcCodec(type: string, hvcC: Box): string {
  const reader = new BoxReader(hvcC, 1);
  const general = reader.u8();
  const compatibility = reader.u32();
  const constraints = Array.from({ length: 6 }, () => reader.u8());
  const level = reader.u8();
  if (!reader.ok) return type;
  const space = ['', 'A', 'B', 'C'][general >> 6] ?? '';
  let reversed = 0;
  for (let bit = 0; bit < 32; bit += 1) if (compatibility & (2 ** bit)) reversed += 2 ** (31 - bit);
  while (constraints.length > 0 && constraints.at(-1) === 0) constraints.pop();
  const parts = [
    type,
    `${space}${general & 31}`,
    reversed.toString(16).toUpperCase(),
    `${general & 32 ? 'H' : 'L'}${level}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ];
  return parts.join('.');
}

/** AudioSampleEntry (§12.2.3); esds of ISO/IEC 14496-14 §5.6. */
function audioCodec(entry: Box): string {
  if (entry.type !== 'mp4a') return entry.type.trim();
  const esds = insideEntry(entry, 'audio').find((box) => box.type === 'esds');
  return esds ? (aacCodec(esds) ?? 'mp4a.40.2') : 'mp4a.40.2';
}

/** ISO/IEC 14496-1 §7.2.6: ES descriptor (3) → decoder configuration (4) → specific information (5). */
function aacCodec(esds: Box): string | undefined {
  const reader = new BoxReader(esds, 4);
  if (reader.u8() !== 3) return undefined;
  descriptorLength(reader);
  reader.skip(2);
  // Optional fields are not used by ffmpeg: its flags are 0.
  if (reader.u8() !== 0 || reader.u8() !== 4) return undefined;
  descriptorLength(reader);
  const objectType = reader.u8();
  reader.skip(12);
  if (objectType !== 0x40 || reader.u8() !== 5)
    return reader.ok ? `mp4a.${objectType.toString(16)}` : undefined;
  descriptorLength(reader);
  const audioObjectType = reader.u8() >> 3;
  return reader.ok && audioObjectType > 0 ? `mp4a.40.${audioObjectType}` : undefined;
}

/** Up to four bytes of seven bits (ISO/IEC 14496-1 §8.3.3). */
function descriptorLength(reader: BoxReader): number {
  let length = 0;
  for (let index = 0; index < 4; index += 1) {
    const byte = reader.u8();
    length = length * 128 + (byte & 127);
    if ((byte & 128) === 0) break;
  }
  return length;
}

function readDefaults(mvex: Box, tracks: readonly Track[]): void {
  for (const trex of boxesIn(mvex.content)) {
    if (trex.type !== 'trex') continue;
    const reader = new BoxReader(trex, 4);
    const id = reader.u32();
    reader.skip(4);
    const defaults = { duration: reader.u32(), size: reader.u32(), flags: reader.u32() };
    const track = tracks.find((one) => one.id === id);
    if (track) track.defaults = defaults;
  }
}
