/** What evidence needs of the recorder. Pure types: the seam between the two. */

/** Footage that plays through from one start: no gap, no change of the stream inside. */
export type FootageRun = {
  cameraId: string;
  /** Of its first picture, a key frame. */
  fromMs: number;
  toMs: number;
  bytes: number;
  video: 'h264' | 'h265' | 'other';
  width: number;
  height: number;
  mime: string;
};

export type Gap = { fromMs: number; toMs: number; why: string };

export type KeptFootage = {
  /** What there is between two moments, oldest first; each begins with the key frame at or before. */
  runs(cameraId: string, fromMs: number, toMs: number): FootageRun[];
  /** A fragmented MP4: start, then fragments whose decode times go on from one to the next. @throws when the disk fails. */
  read(run: FootageRun): AsyncIterable<Buffer>;
  /** Why footage is not there where it should be, as far as it is known. */
  gaps(cameraId: string, fromMs: number, toMs: number): Gap[];
};

/** A picture out of the footage, as JPEG; undefined when there is none of that moment. */
export type StillMaker = (cameraId: string, atMs: number) => Promise<Buffer | undefined>;

/** A picture of now, from the camera itself or from its stream. @throws AppError in words. */
export type Snapshooter = (cameraId: string) => Promise<Buffer>;

/** @throws AppError in words when the camera has no PTZ, no such preset, or does not answer. */
export type PresetMover = (cameraId: string, preset: string) => Promise<void>;

/** The longest of what lies between two moments and is covered by none of the runs. */
export function uncovered(runs: readonly FootageRun[], fromMs: number, toMs: number, leastMs: number): Gap[] {
  const gaps: Gap[] = [];
  let at = fromMs;
  for (const run of [...runs].sort((one, two) => one.fromMs - two.fromMs)) {
    if (run.fromMs - at >= leastMs) gaps.push({ fromMs: at, toMs: run.fromMs, why: '' });
    at = Math.max(at, run.toMs);
  }
  if (toMs - at >= leastMs) gaps.push({ fromMs: at, toMs, why: '' });
  return gaps;
}

/** Each piece of missing footage with the reason that the recorder gives for most of it. */
export function explained(missing: readonly Gap[], known: readonly Gap[]): Gap[] {
  return missing.map((gap) => {
    const overlap = (other: Gap): number =>
      Math.min(gap.toMs, other.toMs) - Math.max(gap.fromMs, other.fromMs);
    const [best] = [...known].sort((one, two) => overlap(two) - overlap(one));
    return { ...gap, why: best && overlap(best) > 0 ? best.why : 'Nothing was recorded then.' };
  });
}
