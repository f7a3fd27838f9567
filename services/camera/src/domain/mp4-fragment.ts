/**
 * What a fragment (ISO/IEC 14496-12 §8.8: `moof` and its `mdat`) brings of each track: when its samples are decoded, where they
 * lie, which stand alone. Pure, safe on any bytes.
 */
import { boxAt, BoxReader, boxesIn, offsetIn, type Box } from './mp4-box.ts';
import type { Track } from './mp4-init.ts';

export type Sample = {
  /** Where it lies in the fragment. What a stream says of it: it may lie outside. */
  start: number;
  end: number;
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
  /** Where that stands in the bytes, and whether in 64 bits or 32. */
  decodeTimeAt: number;
  is64: boolean;
  /** Ticks. */
  duration: number;
  samples: Sample[];
};

export type ReadFragment = {
  /** Where its `moof` ends. */
  moofEnd: number;
  /** Of the tracks that are known. */
  runs: readonly TrackRun[];
  /** The run of its picture; undefined when it holds sound alone. */
  video: TrackRun | undefined;
};

/** ISO/IEC 14496-12 §8.8.3.1: sample_is_non_sync_sample. */
const nonSync = 0x1_0000;
/** Samples of one track: half a second of sound, sample by sample. More is a lie, and not worth the time. */
const samplesMax = 16_384;

/**
 * `bytes`: the fragment, or its `moof` alone. Positions of samples hold where data begins at the `moof` (default-base-is-moof),
 * as ffmpeg is asked to write. Undefined when the bytes are no fragment.
 */
export function readFragment(bytes: Buffer, tracks: readonly Track[]): ReadFragment | undefined {
  const moof = boxesIn(bytes).find((box) => box.type === 'moof');
  if (!moof) return undefined;
  const trafs = boxesIn(moof.content).filter((box) => box.type === 'traf');
  if (trafs.length === 0) return undefined;
  const moofStart = offsetIn(bytes, moof.bytes);
  const runs: TrackRun[] = [];
  for (const traf of trafs) {
    const run = readTraf(bytes, moofStart, traf, tracks);
    if (run === 'broken') return undefined;
    if (run) runs.push(run);
  }
  const video = runs.find(({ track, samples }) => track.kind === 'video' && samples.length > 0);
  return { moofEnd: moofStart + moof.bytes.length, runs, video };
}

/** Undefined for a track that is not known. */
function readTraf(
  bytes: Buffer,
  moofStart: number,
  traf: Box,
  tracks: readonly Track[],
): TrackRun | undefined | 'broken' {
  const tfhd = boxAt(traf, 'tfhd');
  const header = tfhd && readHeader(tfhd, tracks);
  if (!header) return 'broken';
  const { track } = header;
  if (!track) return undefined;
  const tfdt = boxAt(traf, 'tfdt');
  const base = tfdt && readDecodeTime(tfdt);
  if (!base) return 'broken';
  const samples = readRuns(traf, { ...header, moofStart, decodeTime: base.decodeTime });
  if (!samples) return 'broken';
  const last = samples.at(-1);
  return {
    track,
    decodeTime: base.decodeTime,
    decodeTimeAt: offsetIn(bytes, tfdt.content) + base.at,
    is64: base.is64,
    duration: last ? last.decodeTime + last.duration - base.decodeTime : 0,
    samples,
  };
}

type Header = { track: Track | undefined; duration: number; size: number; flags: number };

/** §8.8.7: each flag says that its field is there. */
function readHeader(tfhd: Box, tracks: readonly Track[]): Header | undefined {
  const reader = new BoxReader(tfhd);
  const flags = reader.u32() & 0xff_ffff;
  const id = reader.u32();
  const track = tracks.find((one) => one.id === id);
  if (flags & 0x01) reader.skip(8);
  if (flags & 0x02) reader.skip(4);
  const duration = flags & 0x08 ? reader.u32() : (track?.defaults.duration ?? 0);
  const size = flags & 0x10 ? reader.u32() : (track?.defaults.size ?? 0);
  const sampleFlags = flags & 0x20 ? reader.u32() : (track?.defaults.flags ?? 0);
  return reader.ok ? { track, duration, size, flags: sampleFlags } : undefined;
}

/** §8.8.12. */
function readDecodeTime(tfdt: Box): { decodeTime: number; at: number; is64: boolean } | undefined {
  const reader = new BoxReader(tfdt);
  const is64 = reader.u32() >>> 24 === 1;
  const { at } = reader;
  const decodeTime = is64 ? reader.u64() : reader.u32();
  return reader.ok && Number.isSafeInteger(decodeTime) ? { decodeTime, at, is64 } : undefined;
}

type Place = Header & { moofStart: number; decodeTime: number };

/** §8.8.8. */
function readRuns(traf: Box, place: Place): Sample[] | undefined {
  const samples: Sample[] = [];
  for (const trun of boxesIn(traf.content)) {
    if (trun.type === 'trun' && !readRun(trun, place, samples)) return undefined;
  }
  return samples;
}

/** Adds to `samples`. @returns false when it is broken. */
function readRun(trun: Box, place: Place, samples: Sample[]): boolean {
  const reader = new BoxReader(trun);
  const head = reader.u32();
  const version = head >>> 24;
  const flags = head & 0xff_ffff;
  const count = reader.u32();
  if (samples.length + count > samplesMax) return false;
  const before = samples.at(-1);
  // Without an offset of its own it goes on where the last run ended.
  let start = flags & 0x01 ? place.moofStart + reader.u32() : (before?.end ?? place.moofStart);
  let decodeTime = before ? before.decodeTime + before.duration : place.decodeTime;
  const firstFlags = flags & 0x04 ? reader.u32() : undefined;
  for (let index = 0; index < count; index += 1) {
    const duration = flags & 0x1_00 ? reader.u32() : place.duration;
    const size = flags & 0x2_00 ? reader.u32() : place.size;
    const own = flags & 0x4_00 ? reader.u32() : undefined;
    const raw = flags & 0x8_00 ? reader.u32() : 0;
    const sampleFlags = index === 0 ? (firstFlags ?? own ?? place.flags) : (own ?? place.flags);
    samples.push({
      start,
      end: start + size,
      decodeTime,
      duration,
      offset: version === 0 ? raw : raw | 0,
      key: (sampleFlags & nonSync) === 0,
    });
    start += size;
    decodeTime += duration;
  }
  return reader.ok;
}
