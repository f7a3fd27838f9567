/**
 * The time line of one viewer: it begins at 0 and goes on without a gap, whatever the camera's own clock does, when it
 * connects again, and when fragments are left out. So a player appends and stays at the end, with no arithmetic of its own.
 */
import { runsOf, tracksOf, type Track } from './fragmented-mp4.ts';
import { boxesIn, childrenOf, findBox, fullBox, type Box } from './iso-boxes.ts';
import { prftBox } from './live-boxes.ts';
import type { Fragment, InitSegment } from './media.ts';

/** Of one track: where its base time stands in the bytes, and what it covers, in ticks. */
type BaseTime = { track: Track; at: number; is64: boolean; ticks: number; duration: number };
type Moof = { end: number; times: BaseTime[] };

/** Many viewers get the same fragment: it is read once. */
const read = new WeakMap<Buffer, Moof>();

export class LiveTimeline {
  #tracks: Track[] = [];
  /** Seconds on the viewer's time line up to which there is a picture, and sound: they do not end together. */
  readonly #ends = new Map<Track['kind'], number>();
  /** Seconds from the camera's time line to the viewer's; undefined: the next fragment decides. */
  #shift: number | undefined;

  begin(init: InitSegment): void {
    this.#tracks = tracksOf(init.bytes);
    this.#shift = undefined;
  }

  /** Fragments were left out: the next one joins where the last one ended. */
  skip(): void {
    this.#shift = undefined;
  }

  /** What to send of a fragment: its wall time, its moof with the viewer's times, its media data as it is. */
  place(fragment: Fragment): Buffer[] {
    const moof = readMoof(fragment.bytes, this.#tracks);
    const video = moof.times.find(({ track }) => track.kind === 'video');
    if (!video) return [];
    const scale = video.track.timescale;
    this.#shift ??= joinAt(
      this.#ends,
      moof.times.map(({ track, ticks }) => ({ kind: track.kind, start: ticks / track.timescale })),
    );
    const shift = this.#shift;
    const head = Buffer.from(fragment.bytes.subarray(0, moof.end));
    for (const { track, at, is64, ticks, duration } of moof.times) {
      const moved = moveTicks(ticks, shift, track.timescale);
      if (is64) head.writeBigUInt64BE(BigInt(moved), at);
      else head.writeUInt32BE(moved % 2 ** 32, at);
      this.#ends.set(track.kind, (moved + duration) / track.timescale);
    }
    const mediaTime = moveTicks(video.ticks, shift, scale);
    return [prftBox(video.track.id, fragment.startMs, mediaTime), head, fragment.bytes.subarray(moof.end)];
  }
}

/** Sound that began before the first picture would lie before 0. */
const moveTicks = (ticks: number, shift: number, timescale: number): number =>
  Math.max(0, Math.round(ticks + shift * timescale));

/**
 * Seconds to move by, so that a stream that begins anew joins what was sent: no track goes back, the one that reached
 * farthest goes on without a gap. The first picture of all lies at 0.
 */
export function joinAt(
  ends: ReadonlyMap<Track['kind'], number>,
  starts: readonly { kind: Track['kind']; start: number }[],
): number {
  const video = starts.find(({ kind }) => kind === 'video')?.start ?? 0;
  if (ends.size === 0) return -video;
  return Math.max(...starts.map(({ kind, start }) => (ends.get(kind) ?? 0) - start));
}

function readMoof(bytes: Buffer, tracks: readonly Track[]): Moof {
  const known = read.get(bytes);
  if (known) return known;
  const box = boxesIn(bytes).find(({ type }) => type === 'moof');
  const durations = new Map(
    box ? runsOf(bytes, tracks).map(({ track, duration }) => [track.id, duration]) : [],
  );
  const times = box ? childrenOf(box).flatMap((traf) => baseTimeOf(bytes, traf, tracks, durations)) : [];
  const moof = { end: box ? offsetIn(bytes, box.bytes) + box.bytes.length : 0, times };
  read.set(bytes, moof);
  return moof;
}

function baseTimeOf(
  bytes: Buffer,
  traf: Box,
  tracks: readonly Track[],
  durations: ReadonlyMap<number, number>,
): BaseTime[] {
  if (traf.type !== 'traf') return [];
  const [tfhd, tfdt] = [findBox(traf, 'tfhd'), findBox(traf, 'tfdt')];
  if (!tfhd || !tfdt) return [];
  const track = tracks.find(({ id }) => id === fullBox(tfhd).content.readUInt32BE(0));
  if (!track) return [];
  const { version, content } = fullBox(tfdt);
  const is64 = version === 1;
  const ticks = is64 ? Number(content.readBigUInt64BE(0)) : content.readUInt32BE(0);
  return [{ track, at: offsetIn(bytes, content), is64, ticks, duration: durations.get(track.id) ?? 0 }];
}

const offsetIn = (whole: Buffer, part: Buffer): number => part.byteOffset - whole.byteOffset;
