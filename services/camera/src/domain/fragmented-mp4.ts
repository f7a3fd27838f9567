/** What a live view has to know of fragmented MP4 (ISO/IEC 14496-12 §8.8): tracks, times, and which pictures stand alone. */
import { boxesIn, childrenOf, findBox, findBoxes, fullBox, type Box } from './iso-boxes.ts';

export type Track = {
  id: number;
  kind: 'video' | 'audio' | 'other';
  /** Ticks a second. */
  timescale: number;
  /** Four-character code of the sample entry, e.g. `avc1`, `hvc1`, `mp4a`. */
  format: string;
  /** The sample entry, with the decoder's configuration inside. */
  entry: Box;
  width: number;
  height: number;
  /** Defaults of trex (§8.8.3). */
  defaults: { duration: number; size: number; flags: number };
};

/** The tracks of an init segment (ftyp and moov). @throws Error when there is no moov or it is broken. */
export function tracksOf(init: Buffer): Track[] {
  const moov = boxesIn(init).find((box) => box.type === 'moov');
  if (!moov) throw new Error('There is no moov in the init segment');
  const defaults = new Map(
    findBoxes(moov, 'mvex/trex').map((trex) => {
      const { content } = fullBox(trex);
      return [
        content.readUInt32BE(0),
        {
          duration: content.readUInt32BE(8),
          size: content.readUInt32BE(12),
          flags: content.readUInt32BE(16),
        },
      ];
    }),
  );
  return findBoxes(moov, 'trak').map((trak) => readTrack(trak, defaults));
}

function readTrack(trak: Box, defaults: Map<number, Track['defaults']>): Track {
  const [tkhd, mdhd, hdlr, stsd] = ['tkhd', 'mdia/mdhd', 'mdia/hdlr', 'mdia/minf/stbl/stsd'].map((path) =>
    findBox(trak, path),
  );
  if (!tkhd || !mdhd || !hdlr || !stsd) throw new Error('A track without its boxes');
  const head = fullBox(tkhd);
  const media = fullBox(mdhd);
  const handler = fullBox(hdlr).content.toString('latin1', 4, 8);
  const entry = boxesIn(fullBox(stsd).content, 4)[0];
  if (!entry) throw new Error('A track without a sample entry');
  const id = head.content.readUInt32BE(head.version === 1 ? 16 : 8);
  const isVideo = handler === 'vide';
  return {
    id,
    kind: isVideo ? 'video' : handler === 'soun' ? 'audio' : 'other',
    timescale: media.content.readUInt32BE(media.version === 1 ? 16 : 8),
    format: entry.type,
    entry,
    width: isVideo ? entry.bytes.readUInt16BE(entry.headerBytes + 24) : 0,
    height: isVideo ? entry.bytes.readUInt16BE(entry.headerBytes + 26) : 0,
    defaults: defaults.get(id) ?? { duration: 0, size: 0, flags: 0 },
  };
}

/** Boxes inside a visual sample entry begin behind its 78 bytes (§12.1.3), inside a version 0 audio one behind 28 (§12.2.3). */
export const configurationOf = (track: Track, type: string): Buffer | undefined => {
  const start = track.entry.headerBytes + (track.kind === 'video' ? 78 : 28);
  const box = boxesIn(track.entry.bytes, start).find((candidate) => candidate.type === type);
  return box?.bytes.subarray(box.headerBytes);
};

export type Sample = {
  bytes: Buffer;
  /** Ticks of its track. */
  decodeTime: number;
  duration: number;
  /** Composition minus decode time, ticks. */
  offset: number;
  key: boolean;
};

export type TrackRun = {
  track: Track;
  /** baseMediaDecodeTime (§8.8.12), ticks. */
  decodeTime: number;
  /** Ticks. */
  duration: number;
  samples: Sample[];
};

/** Bit of sample_flags (§8.8.3.1): the sample needs others. */
const isNonSync = 0x0001_0000;
/** A fragment of half a second has a few dozen samples. */
const samplesMax = 100_000;

/** What each track brings in a fragment (a `moof` and its `mdat`; others around it are ignored). @throws Error when it is broken. */
export function runsOf(fragment: Buffer, tracks: readonly Track[]): TrackRun[] {
  const boxes = boxesIn(fragment);
  const moof = boxes.find((box) => box.type === 'moof');
  if (!moof) throw new Error('There is no moof in the fragment');
  const moofStart = moof.bytes.byteOffset - fragment.byteOffset;
  return childrenOf(moof)
    .filter((box) => box.type === 'traf')
    .flatMap((traf) => readTraf(fragment, moofStart, traf, tracks));
}

function readTraf(fragment: Buffer, moofStart: number, traf: Box, tracks: readonly Track[]): TrackRun[] {
  const tfhd = findBox(traf, 'tfhd');
  const tfdt = findBox(traf, 'tfdt');
  if (!tfhd || !tfdt) throw new Error('A traf without tfhd or tfdt');
  const track = tracks.find(({ id }) => id === fullBox(tfhd).content.readUInt32BE(0));
  if (!track) return [];
  const head = readTfhd(tfhd, track);
  const base = fullBox(tfdt);
  const decodeTime =
    base.version === 1 ? Number(base.content.readBigUInt64BE(0)) : base.content.readUInt32BE(0);
  const samples: Sample[] = [];
  let at = decodeTime;
  for (const trun of findBoxes(traf, 'trun')) {
    const run = readTrun(trun, head, { fragment, start: head.baseOffset ?? moofStart, at });
    samples.push(...run.samples);
    at = run.end;
  }
  return [{ track, decodeTime, duration: at - decodeTime, samples }];
}

type Head = { baseOffset: number | undefined; duration: number; size: number; flags: number };

/** §8.8.7: each flag says that its field is there. */
function readTfhd(tfhd: Box, track: Track): Head {
  const { flags, content } = fullBox(tfhd);
  let at = 4;
  const next = (flag: number, bytes: number): number | undefined => {
    if ((flags & flag) === 0) return undefined;
    at += bytes;
    return bytes === 8 ? Number(content.readBigUInt64BE(at - 8)) : content.readUInt32BE(at - 4);
  };
  const baseOffset = next(0x1, 8);
  next(0x2, 4);
  const duration = next(0x8, 4) ?? track.defaults.duration;
  const size = next(0x10, 4) ?? track.defaults.size;
  return { baseOffset, duration, size, flags: next(0x20, 4) ?? track.defaults.flags };
}

/** §8.8.8 */
function readTrun(
  trun: Box,
  head: Head,
  from: { fragment: Buffer; start: number; at: number },
): { samples: Sample[]; end: number } {
  const { version, flags, content } = fullBox(trun);
  const count = content.readUInt32BE(0);
  if (count > samplesMax) throw new Error(`A run of ${count} samples`);
  let read = 4;
  const next = (flag: number): number | undefined => {
    if ((flags & flag) === 0) return undefined;
    read += 4;
    return content.readUInt32BE(read - 4);
  };
  const dataOffset = next(0x1);
  if (dataOffset === undefined) throw new Error('A run without a data offset');
  const firstFlags = next(0x4);
  let byte = from.start + (dataOffset | 0);
  let decodeTime = from.at;
  const samples: Sample[] = [];
  for (let index = 0; index < count; index += 1) {
    const duration = next(0x100) ?? head.duration;
    const size = next(0x200) ?? head.size;
    const own = next(0x400) ?? (index === 0 ? firstFlags : undefined) ?? head.flags;
    const raw = next(0x800) ?? 0;
    if (byte < 0 || byte + size > from.fragment.length) throw new Error('A sample outside its fragment');
    samples.push({
      bytes: from.fragment.subarray(byte, byte + size),
      decodeTime,
      duration,
      offset: version === 0 ? raw : raw | 0,
      key: (own & isNonSync) === 0,
    });
    byte += size;
    decodeTime += duration;
  }
  return { samples, end: decodeTime };
}
