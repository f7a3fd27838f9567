/**
 * One connection to a camera's stream, from the start of ffmpeg to its end: bytes → boxes → fragments with a wall time.
 * It ends once, with a reason; connecting again is the relay's.
 */
import type { Clock, Logger } from '@siphera/runtime';
import { BrokenWords } from '../../domain/broken-words.ts';
import { holdsPicture } from '../../domain/key-picture.ts';
import type { Fragment, InitSegment } from '../../domain/media.ts';
import { readFragment, type TrackRun } from '../../domain/mp4-fragment.ts';
import { readInit, type ReadInit } from '../../domain/mp4-init.ts';
import { Mp4Splitter, type Piece } from '../../domain/mp4-splitter.ts';
import {
  InputReader,
  isRightFor,
  relayArguments,
  type RelayPorts,
  type StreamCodecs,
} from '../../domain/relay-command.ts';
import { problemOf, secretsOf, withoutSecrets, type StreamProblem } from '../../domain/relay-problem.ts';
import { WallTime } from '../../domain/wall-time.ts';
import { FfmpegProcess } from './ffmpeg-process.ts';

/** ffmpeg looks at a stream before it writes; what came meanwhile comes at once and is timed together. */
const burstMs = 100;
/** No fragment for this long, and the connection is given up: cameras hang without closing. */
const stallMs = 10_000;
/** The same before the first: with what ffmpeg takes to look at the stream. */
const firstFragmentMs = 12_000;
/** Without a key frame for this long nothing can begin, so the camera is asked for one by connecting again. */
const keyMsMax = 600_000;
/** With pictures but none to begin with, it is said after this long: "smart" codecs leave ten seconds between them. */
const keylessMs = 20_000;
const watchMs = 1_000;
const brokenText =
  'The camera sends pictures that are broken. What can be read of them is recorded. Restart it, or set its encoder anew.';
const keylessText =
  'Something comes from the camera, but no picture that can be shown or recorded. Restart it, or set its encoder anew.';

export type ConnectionEvents = {
  init(init: InitSegment): void;
  fragment(fragment: Fragment): void;
  /** Something comes and nothing of it can be shown; an `init` follows when that changes. */
  keyless(problem: StreamProblem): void;
  /** It comes, and ffmpeg finds its pictures broken; or does so no more. They are passed on: somebody may read more of them. */
  broken(problem: StreamProblem | undefined): void;
  /** Our clock or the camera's ticks jumped: an `init` follows. */
  jumped(reason: string): void;
  /** `learnt`: the stream is not what the command was made for; a new one fits it. */
  end(why: { problem: StreamProblem; learnt: StreamCodecs | undefined }): void;
};

export type ConnectionOptions = {
  ffmpeg: string;
  url: string;
  codecs: StreamCodecs;
  ports: RelayPorts | undefined;
  analyseMs: number;
  clock: Clock;
  log: Logger;
  events: ConnectionEvents;
};

type Raw = {
  bytes: Buffer;
  key: boolean;
  decodeTime: number;
  durationMs: number;
  mediaStartMs: number;
  arrivedMs: number;
};

export class RelayConnection {
  readonly #options: ConnectionOptions;
  readonly #process: FfmpegProcess;
  readonly #splitter = new Mp4Splitter();
  readonly #input = new InputReader();
  readonly #broken = new BrokenWords();
  readonly #secrets: readonly string[];
  readonly #watch: NodeJS.Timeout;
  readonly #startedMs: number;
  #wallTime = new WallTime();
  #init: ReadInit | undefined;
  #burst: Raw[] | undefined = [];
  #burstTimer: NodeJS.Timeout | undefined;
  #awaitsKey = true;
  #keyless = false;
  #lastEnd = { decodeTime: 0, startMs: 0 };
  #heardMs: number;
  #keyMs: number;
  #why: StreamProblem | undefined;
  #learnt: StreamCodecs | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#secrets = secretsOf(options.url);
    this.#startedMs = options.clock.monotonic();
    this.#heardMs = this.#startedMs;
    this.#keyMs = this.#startedMs;
    this.#process = new FfmpegProcess(options.ffmpeg, relayArguments(options), {
      data: (chunk) => this.#read(chunk),
      line: (text) => this.#readLine(text),
      end: (lines) => this.#ended(lines),
    });
    this.#watch = setInterval(() => this.#look(), watchMs);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Monotonic time of its start. */
  get startedMs(): number {
    return this.#startedMs;
  }

  stop(): Promise<void> {
    this.#why ??= { kind: 'other', text: 'The stream was ended.' };
    return this.#process.stop();
  }

  #giveUp(kind: StreamProblem['kind'], text: string): void {
    this.#why ??= { kind, text };
    this.#process.kill();
  }

  #read(chunk: Buffer): void {
    if (this.#why) return;
    try {
      for (const piece of this.#splitter.push(chunk)) this.#take(piece);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#giveUp('stream', `The stream cannot be understood: ${text}`);
    }
  }

  #take(piece: Piece): void {
    if (piece.kind === 'init') {
      this.#init = readInit(piece.bytes);
      if (!this.#init) this.#giveUp('stream', 'There is no picture in the stream.');
      else this.#options.events.init(this.#init.segment);
      return;
    }
    const init = this.#init;
    const read = init && readFragment(piece.bytes, init.tracks);
    if (!read) {
      this.#giveUp('stream', 'The stream cannot be understood: a fragment is broken.');
      return;
    }
    this.#heardMs = this.#options.clock.monotonic();
    const { video } = read;
    const key = video !== undefined && isKey(video, piece.bytes, init.segment.video);
    if (key) {
      if (this.#keyless) this.#options.events.init(init.segment);
      this.#keyless = false;
      this.#keyMs = this.#heardMs;
      this.#awaitsKey = false;
    }
    // A player and a file begin with a key frame; what comes before cannot be shown.
    if (this.#awaitsKey) return;
    const toMs = 1_000 / init.segment.timescale;
    this.#place({
      bytes: piece.bytes,
      key,
      decodeTime: video?.decodeTime ?? this.#lastEnd.decodeTime,
      durationMs: (video?.duration ?? 0) * toMs,
      mediaStartMs: (video?.decodeTime ?? this.#lastEnd.decodeTime) * toMs,
      arrivedMs: this.#options.clock.now(),
    });
    if (video) this.#lastEnd.decodeTime = video.decodeTime + video.duration;
  }

  #place(raw: Raw): void {
    if (!this.#burst) {
      this.#emit(raw);
      return;
    }
    this.#burst.push(raw);
    this.#burstTimer ??= setTimeout(() => this.#endBurst(), burstMs);
  }

  #endBurst(): void {
    clearTimeout(this.#burstTimer);
    const burst = this.#burst;
    this.#burst = undefined;
    if (!burst) return;
    // Pieces of sound have no length of their own and say nothing about the delay.
    this.#wallTime.begin(burst.filter((raw) => raw.durationMs > 0));
    for (const raw of burst) this.#emit(raw);
  }

  #emit(raw: Raw): void {
    const { bytes, key, decodeTime, durationMs } = raw;
    const placedMs = durationMs > 0 ? this.#wallTime.at(raw) : this.#lastEnd.startMs;
    if (placedMs === undefined && key) {
      this.#beginAnew(raw);
      return;
    }
    // A clock that was set in the middle of a group of pictures: its rest keeps the old time, or nobody could show it.
    const startMs = placedMs ?? Math.round(this.#lastEnd.startMs);
    this.#lastEnd.startMs = startMs + durationMs;
    this.#options.events.fragment({ bytes, key, decodeTime, startMs, durationMs: Math.round(durationMs) });
  }

  /** Wall time begins again, with this key frame. */
  #beginAnew(raw: Raw): void {
    this.#wallTime = new WallTime();
    this.#options.events.jumped('The clock of the box or of the camera was set.');
    if (this.#init) this.#options.events.init(this.#init.segment);
    this.#emit(raw);
  }

  #readLine(text: string): void {
    this.#options.log.debug('ffmpeg_says', { line: withoutSecrets(text, this.#secrets) });
    this.#broken.line(text, this.#options.clock.monotonic());
    // It cannot be told not to follow one (RFC 2326 §11.3); the address that it names was checked by nobody.
    if (text.includes('Redirecting to '))
      this.#giveUp('stream', 'The camera sends us to another address, which is not followed.');
    const found = this.#input.line(text);
    if (!found || isRightFor(this.#options.codecs, found)) return;
    this.#learnt = found;
    this.#giveUp('stream', 'The stream is of another kind than it said.');
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonic();
    const silentMs = nowMs - this.#heardMs;
    const allowedMs = this.#init ? stallMs : firstFragmentMs + this.#options.analyseMs;
    const broken = this.#init && this.#broken.look(nowMs);
    if (broken !== undefined)
      this.#options.events.broken(broken ? { kind: 'stream', text: brokenText } : undefined);
    if (silentMs > allowedMs) this.#giveUpSilent(silentMs, nowMs);
    else if (nowMs - this.#keyMs > keyMsMax)
      this.#giveUp('stream', 'No key frame came for ten minutes. Set a shorter key frame interval.');
    else if (this.#init && this.#awaitsKey && !this.#keyless && nowMs - this.#keyMs > keylessMs) {
      this.#keyless = true;
      this.#options.events.keyless({ kind: 'stream', text: keylessText });
    }
  }

  /** Nothing came, or nothing that ffmpeg could make anything of. */
  #giveUpSilent(silentMs: number, nowMs: number): void {
    if (this.#broken.isBroken(nowMs)) this.#giveUp('stream', keylessText);
    else this.#giveUp('unreachable', `No picture came for ${Math.round(silentMs / 1_000)} seconds.`);
  }

  #ended(lines: readonly string[]): void {
    clearInterval(this.#watch);
    if (this.#burst && this.#burst.length > 0 && !this.#why) this.#endBurst();
    clearTimeout(this.#burstTimer);
    this.#options.events.end({ problem: this.#why ?? problemOf(lines), learnt: this.#learnt });
  }
}

function isKey({ samples: [first] }: TrackRun, bytes: Buffer, codec: InitSegment['video']): boolean {
  if (!first?.key) return false;
  return codec === 'other' || holdsPicture(bytes, first.start, first.end, codec);
}
