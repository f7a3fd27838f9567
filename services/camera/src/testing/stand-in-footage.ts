/** Footage for tests of evidence: made by a real ffmpeg, kept in memory, at times that the test chooses. No recorder and no camera. */
import { execFileSync } from 'node:child_process';
import { runsOf, tracksOf } from '../domain/fragmented-mp4.ts';
import { boxesIn } from '../domain/iso-boxes.ts';
import type { FootageRun, Gap, KeptFootage } from '../domain/kept-footage.ts';

type Piece = { bytes: Buffer; fromMs: number; toMs: number; key: boolean };
type Kept = { run: FootageRun; init: Buffer; pieces: Piece[] };

export type MadeOptions = { seconds: number; codec?: 'h264' | 'h265'; audio?: boolean; width?: number };

const height = 180;
const made = new Map<string, Buffer>();

/** A fragmented MP4 as a relay makes it: key frames each second, fragments of half a second. */
export function makeMp4({ seconds, codec = 'h264', audio = false, width = 320 }: MadeOptions): Buffer {
  const name = `${seconds} ${codec} ${audio} ${width}`;
  const before = made.get(name);
  if (before) return before;
  const encode =
    codec === 'h264'
      ? ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '25', '-bf', '0']
      : [
          '-c:v',
          'libx265',
          '-preset',
          'ultrafast',
          '-x265-params',
          'log-level=none:bframes=0:keyint=25',
          '-tag:v',
          'hvc1',
        ];
  const sound = audio ? ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=8000', '-c:a', 'aac'] : [];
  const bytes = execFileSync(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', `testsrc=size=${width}x${height}:rate=25`],
      ...sound,
      ...[...encode, '-t', String(seconds), '-movflags', 'frag_keyframe+empty_moov+default_base_moof'],
      ...['-frag_duration', '500000', '-f', 'mp4', 'pipe:1'],
    ],
    { maxBuffer: 512 * 1024 * 1024 },
  );
  made.set(name, bytes);
  return bytes;
}

export class StandInFootage implements KeptFootage {
  readonly #kept: Kept[] = [];
  readonly #gaps: (Gap & { cameraId: string })[] = [];
  /** Footage is there up to this moment, as with a recorder that is at it. */
  nowMs: () => number = () => Number.POSITIVE_INFINITY;
  /** Called with each piece that is read, so that a test can be in the middle of it. */
  onRead: () => Promise<void> | void = () => undefined;

  /** Records a stretch that begins then. */
  add(cameraId: string, fromMs: number, options: MadeOptions): void {
    const mp4 = makeMp4(options);
    const boxes = boxesIn(mp4);
    const init = Buffer.concat(
      boxes.filter(({ type }) => type === 'ftyp' || type === 'moov').map(({ bytes }) => bytes),
    );
    const tracks = tracksOf(init);
    const pieces = boxes.flatMap((box, index): Piece[] => {
      const next = boxes[index + 1];
      if (box.type !== 'moof' || next?.type !== 'mdat') return [];
      const bytes = Buffer.concat([box.bytes, next.bytes]);
      const video = runsOf(bytes, tracks).find(({ track }) => track.kind === 'video');
      if (!video) return [];
      const start = fromMs + (video.decodeTime * 1_000) / video.track.timescale;
      return [
        {
          bytes,
          fromMs: start,
          toMs: start + (video.duration * 1_000) / video.track.timescale,
          key: video.samples[0]?.key ?? false,
        },
      ];
    });
    const video = tracks.find(({ kind }) => kind === 'video');
    this.#kept.push({
      init,
      pieces,
      run: {
        cameraId,
        fromMs,
        toMs: pieces.at(-1)?.toMs ?? fromMs,
        bytes: mp4.length,
        video: options.codec ?? 'h264',
        width: video?.width ?? 0,
        height: video?.height ?? 0,
        mime: 'video/mp4',
      },
    });
  }

  gap(cameraId: string, fromMs: number, toMs: number, why: string): void {
    this.#gaps.push({ cameraId, fromMs, toMs, why });
  }

  runs(cameraId: string, fromMs: number, toMs: number): FootageRun[] {
    return this.#kept
      .filter(({ run }) => run.cameraId === cameraId)
      .flatMap(({ run, pieces }) => {
        const there = this.#between(pieces, fromMs, toMs);
        const [first, last] = [there[0], there.at(-1)];
        if (!first || !last || last.toMs <= fromMs || first.fromMs >= toMs) return [];
        const bytes = there.reduce((sum, piece) => sum + piece.bytes.length, 0);
        return [{ ...run, fromMs: first.fromMs, toMs: last.toMs, bytes }];
      });
  }

  async *read(run: FootageRun): AsyncIterable<Buffer> {
    const kept = this.#kept.find(
      (one) => one.run.cameraId === run.cameraId && one.run.fromMs <= run.fromMs && one.run.toMs >= run.toMs,
    );
    if (!kept) throw new Error('There is no such run');
    yield kept.init;
    for (const piece of kept.pieces.filter(({ fromMs, toMs }) => fromMs >= run.fromMs && toMs <= run.toMs)) {
      await this.onRead();
      yield piece.bytes;
    }
  }

  gaps(cameraId: string, fromMs: number, toMs: number): Gap[] {
    return this.#gaps.filter((gap) => gap.cameraId === cameraId && gap.fromMs < toMs && gap.toMs > fromMs);
  }

  #between(pieces: readonly Piece[], fromMs: number, toMs: number): Piece[] {
    const there = pieces.filter((piece) => piece.toMs <= this.nowMs());
    const start = there.findLastIndex((piece) => piece.key && piece.fromMs <= fromMs);
    return there.slice(Math.max(0, start)).filter((piece) => piece.fromMs < toMs);
  }
}
