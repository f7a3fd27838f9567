/** What a `moof` says of its video: when it is decoded, how long it lasts, whether it begins with a key frame. Pure, safe on any bytes. */
import { boxAt, BoxReader, boxesIn, type Box } from './mp4-box.ts';
import type { ReadInit, Track } from './mp4-init.ts';

export type ReadFragment = {
  /** Undefined when the fragment holds sound alone. */
  video: VideoRun | undefined;
};
export type VideoRun = {
  key: boolean;
  decodeTime: number;
  duration: number;
  samples: number;
  /** Where its first sample lies, from the start of the moof. */
  firstSample: { start: number; end: number };
};
type Run = Omit<VideoRun, 'decodeTime'>;

/** ISO/IEC 14496-12 §8.8.3.1: sample_is_non_sync_sample. */
const nonSync = 0x1_0000;
/** Samples of one run: half a second at 1,000 pictures a second. More is a lie, and not worth the time. */
const samplesMax = 4_096;

/** Undefined when the bytes are no moof of this stream. */
export function readFragment(
  moof: Buffer,
  init: Pick<ReadInit, 'tracks' | 'videoTrackId'>,
): ReadFragment | undefined {
  const root = boxesIn(moof)[0];
  if (root?.type !== 'moof') return undefined;
  const trafs = boxesIn(moof, root.start, root.end).filter((box) => box.type === 'traf');
  if (trafs.length === 0) return undefined;
  for (const traf of trafs) {
    const tfhd = boxAt(traf, 'tfhd');
    const header = tfhd ? readHeader(tfhd, init.tracks) : undefined;
    if (!header) return undefined;
    if (header.trackId !== init.videoTrackId) continue;
    const tfdt = boxAt(traf, 'tfdt');
    const decodeTime = tfdt ? readDecodeTime(tfdt) : undefined;
    const run = readRuns(traf, header);
    if (decodeTime === undefined || run === undefined) return undefined;
    return { video: run.samples === 0 ? undefined : { decodeTime, ...run } };
  }
  return { video: undefined };
}

type Header = { trackId: number; duration: number; size: number; flags: number };

/** §8.8.7. */
function readHeader(tfhd: Box, tracks: ReadonlyMap<number, Track>): Header | undefined {
  const reader = new BoxReader(tfhd);
  const flags = reader.u32() & 0xff_ffff;
  const trackId = reader.u32();
  const track = tracks.get(trackId);
  if (flags & 0x01) reader.skip(8);
  if (flags & 0x02) reader.skip(4);
  const duration = flags & 0x08 ? reader.u32() : (track?.defaultDuration ?? 0);
  const size = flags & 0x10 ? reader.u32() : (track?.defaultSize ?? 0);
  const sampleFlags = flags & 0x20 ? reader.u32() : (track?.defaultFlags ?? 0);
  return reader.ok && track ? { trackId, duration, size, flags: sampleFlags } : undefined;
}

/** §8.8.12. */
function readDecodeTime(tfdt: Box): number | undefined {
  const reader = new BoxReader(tfdt);
  const version = reader.u32() >>> 24;
  const time = version === 1 ? reader.u64() : reader.u32();
  return reader.ok && Number.isSafeInteger(time) ? time : undefined;
}

/** §8.8.8. */
function readRuns(traf: Box, header: Header): Run | undefined {
  let total: Run | undefined;
  for (const trun of boxesIn(traf.bytes, traf.start, traf.end)) {
    if (trun.type !== 'trun') continue;
    const run = readRun(trun, header);
    if (!run || (total?.samples ?? 0) + run.samples > samplesMax) return undefined;
    if (!total || total.samples === 0) total = run;
    else {
      total.duration += run.duration;
      total.samples += run.samples;
    }
  }
  return total ?? { key: false, duration: 0, samples: 0, firstSample: { start: 0, end: 0 } };
}

function readRun(trun: Box, header: Header): Run | undefined {
  const reader = new BoxReader(trun);
  const flags = reader.u32() & 0xff_ffff;
  const samples = reader.u32();
  if (samples > samplesMax) return undefined;
  const start = flags & 0x01 ? reader.u32() : 0;
  let firstFlags = flags & 0x04 ? reader.u32() : undefined;
  let firstSize = header.size;
  let duration = 0;
  for (let index = 0; index < samples; index += 1) {
    duration += flags & 0x1_00 ? reader.u32() : header.duration;
    const size = flags & 0x2_00 ? reader.u32() : header.size;
    const own = flags & 0x4_00 ? reader.u32() : undefined;
    if (index === 0) {
      firstFlags ??= own ?? header.flags;
      firstSize = size;
    }
    if (flags & 0x8_00) reader.skip(4);
  }
  if (!reader.ok) return undefined;
  const key = samples > 0 && ((firstFlags ?? header.flags) & nonSync) === 0;
  return { key, duration, samples, firstSample: { start, end: start + firstSize } };
}
