/**
 * The time line of one viewer: it begins at 0 and goes on without a gap, whatever the camera's own clock does, when it
 * connects again, and when fragments are left out. So a player appends and stays at the end, with no arithmetic of its own.
 */
import { prftBox } from './live-boxes.ts';
import type { Fragment, InitSegment } from './media.ts';
import { readFragment, type ReadFragment } from './mp4-fragment.ts';
import { tracksOf, type Track } from './mp4-init.ts';

/** Many viewers get the same fragment: it is read once. */
const known = new WeakMap<Buffer, ReadFragment>();

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
    const read = readOnce(fragment.bytes, this.#tracks);
    const video = read?.runs.find(({ track }) => track.kind === 'video');
    if (!read || !video) return [];
    this.#shift ??= joinAt(
      this.#ends,
      read.runs.map(({ track, decodeTime }) => ({ kind: track.kind, start: decodeTime / track.timescale })),
    );
    const shift = this.#shift;
    const head = Buffer.from(fragment.bytes.subarray(0, read.moofEnd));
    for (const { track, decodeTimeAt, is64, decodeTime, duration } of read.runs) {
      const moved = moveTicks(decodeTime, shift, track.timescale);
      if (is64) head.writeBigUInt64BE(BigInt(moved), decodeTimeAt);
      else head.writeUInt32BE(moved % 2 ** 32, decodeTimeAt);
      this.#ends.set(track.kind, (moved + duration) / track.timescale);
    }
    const mediaTime = moveTicks(video.decodeTime, shift, video.track.timescale);
    return [
      prftBox(video.track.id, fragment.startMs, mediaTime),
      head,
      fragment.bytes.subarray(read.moofEnd),
    ];
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

function readOnce(bytes: Buffer, tracks: readonly Track[]): ReadFragment | undefined {
  const before = known.get(bytes);
  if (before) return before;
  const read = readFragment(bytes, tracks);
  if (read) known.set(bytes, read);
  return read;
}
