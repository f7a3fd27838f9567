/** Footage for tests of evidence: made by a real ffmpeg, kept in memory, at times that the test chooses. No recorder and no camera. */
import { execFileSync } from 'node:child_process';
import type { FootageRun, Gap, KeptFootage } from '../domain/kept-footage.ts';
import { readFragment } from '../domain/mp4-fragment.ts';
import { readInit } from '../domain/mp4-init.ts';
import { Mp4Splitter } from '../domain/mp4-splitter.ts';

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
    const [start, ...fragments] = new Mp4Splitter().push(mp4);
    const init = readInit(start?.bytes ?? Buffer.alloc(0));
    if (!init) throw new Error('ffmpeg made no footage');
    const pieces = fragments.flatMap(({ bytes }): Piece[] => {
      const video = readFragment(bytes, init.tracks)?.video;
      if (!video) return [];
      const beginMs = fromMs + (video.decodeTime * 1_000) / video.track.timescale;
      return [
        {
          bytes,
          fromMs: beginMs,
          // Beside sound, ffmpeg lets the last picture stand for longer than was asked: footage that would end in the future.
          toMs: Math.min(
            beginMs + (video.duration * 1_000) / video.track.timescale,
            fromMs + options.seconds * 1_000,
          ),
          key: video.samples[0]?.key ?? false,
        },
      ];
    });
    this.#kept.push({
      init: init.segment.bytes,
      pieces,
      run: {
        cameraId,
        fromMs,
        toMs: pieces.at(-1)?.toMs ?? fromMs,
        bytes: mp4.length,
        video: options.codec ?? 'h264',
        width: init.segment.width,
        height: init.segment.height,
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
