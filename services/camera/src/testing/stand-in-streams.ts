/** Streams for tests of the live view: real ffmpeg, no camera and no recorder. Says what a relay says, as domain/media.ts has it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createLogger, createMetrics, systemClock, type Logger } from '@siphera/runtime';
import type {
  Fragment,
  InitSegment,
  LiveStreams,
  RtpFeed,
  StreamKey,
  StreamListener,
} from '../domain/media.ts';
import { readFragment } from '../domain/mp4-fragment.ts';
import { readInit, type ReadInit } from '../domain/mp4-init.ts';
import { Mp4Splitter } from '../domain/mp4-splitter.ts';

export type SourceOptions = {
  /** What ffmpeg reads; a test picture without it. */
  input?: readonly string[];
  codec?: 'h264' | 'h265';
  width?: number;
  height?: number;
  audio?: boolean;
  /** Seconds between key frames. */
  gop?: number;
  /** Also sends RTP to this loopback port. */
  rtpPort?: number;
  /** Encodes the input; without it, an `input` is copied. */
  encode?: boolean;
};

type Running = {
  init: InitSegment | undefined;
  kept: Fragment[];
  bytes: number;
  lastMs: number;
  stop: () => Promise<void>;
  rtp: RtpFeed | undefined;
};

export class StandInStreams implements LiveStreams {
  readonly #listeners = new Map<string, Set<StreamListener>>();
  readonly #running = new Map<string, Running>();

  /** Resolves with the first whole key fragment. */
  async connect(key: StreamKey, options: SourceOptions = {}): Promise<void> {
    const running: Running = {
      init: undefined,
      kept: [],
      bytes: 0,
      lastMs: 0,
      stop: async () => undefined,
      rtp: options.rtpPort === undefined ? undefined : rtpOf(options, options.rtpPort),
    };
    this.#running.set(nameOf(key), running);
    await new Promise<void>((resolve, reject) => {
      running.stop = runFfmpeg(options, {
        init: (init) => {
          running.init = init;
          for (const listener of this.#of(key)) listener.init(init);
        },
        fragment: (fragment) => {
          if (fragment.key) running.kept = [];
          running.kept.push(fragment);
          running.bytes += fragment.bytes.length;
          running.lastMs = fragment.startMs;
          for (const listener of this.#of(key)) listener.fragment(fragment);
          resolve();
        },
        lost: (reason) => reject(new Error(reason)),
      });
    });
  }

  async disconnect(key: StreamKey): Promise<void> {
    const running = this.#running.get(nameOf(key));
    this.#running.delete(nameOf(key));
    await running?.stop();
    for (const listener of this.#of(key)) listener.lost('The camera does not answer.');
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((running) => running.stop()));
  }

  /** How many listen, so that a test sees that nobody was forgotten. */
  listeners(key: StreamKey): number {
    return this.#of(key).size;
  }

  listen(key: StreamKey, listener: StreamListener, options: { fromKey?: boolean } = {}): () => void {
    const set = this.#of(key);
    this.#listeners.set(nameOf(key), set);
    set.add(listener);
    const running = this.#running.get(nameOf(key));
    if (running?.init) {
      listener.init(running.init);
      if (options.fromKey) for (const fragment of running.kept) listener.fragment(fragment);
    }
    return () => set.delete(listener);
  }

  rtp(key: StreamKey): RtpFeed | undefined {
    return this.#running.get(nameOf(key))?.rtp;
  }

  current(key: StreamKey): ReturnType<LiveStreams['current']> {
    const running = this.#running.get(nameOf(key));
    return running?.init && { init: running.init, lastFragmentMs: running.lastMs, bitrateBps: running.bytes };
  }

  #of(key: StreamKey): Set<StreamListener> {
    return this.#listeners.get(nameOf(key)) ?? new Set();
  }
}

const nameOf = (key: StreamKey): string => `${key.cameraId} ${key.role}`;

const rtpOf = (options: SourceOptions, port: number): RtpFeed => ({
  videoPort: port,
  videoCodec: options.codec ?? 'h264',
  audio: undefined,
});

function argumentsOf(options: SourceOptions): string[] {
  const { width = 640, height = 360, gop = 1, codec = 'h264', rtpPort } = options;
  const input = options.input ?? ['-re', '-f', 'lavfi', '-i', `testsrc=size=${width}x${height}:rate=25`];
  const sound = options.audio ? ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'] : [];
  const encode =
    codec === 'h264'
      ? [
          '-c:v',
          'libx264',
          '-preset',
          'ultrafast',
          '-tune',
          'zerolatency',
          '-pix_fmt',
          'yuv420p',
          '-g',
          `${25 * gop}`,
        ]
      : [
          '-c:v',
          'libx265',
          '-preset',
          'ultrafast',
          '-x265-params',
          `log-level=none:bframes=0:keyint=${25 * gop}`,
        ];
  const copies = options.input !== undefined && !options.encode;
  const video = copies ? ['-c:v', 'copy'] : [...encode, '-threads', '1'];
  const tag = codec === 'h265' ? ['-tag:v', 'hvc1'] : [];
  const mp4 = [
    '-f',
    'mp4',
    '-movflags',
    '+empty_moov+default_base_moof+frag_keyframe',
    '-frag_duration',
    '500000',
  ];
  const rtp = [
    ...['-map', '0:v', ...video, '-bsf:v', 'dump_extra=freq=keyframe', '-f', 'rtp', '-payload_type', '96'],
    `rtp://127.0.0.1:${rtpPort}?pkt_size=1200`,
  ];
  return [
    ...['-nostdin', '-v', 'error', ...input, ...sound],
    ...['-map', '0:v', ...(options.audio ? ['-map', '1:a', '-c:a', 'aac'] : []), ...video, ...tag, ...mp4],
    ...['-flush_packets', '1', 'pipe:1', ...(rtpPort === undefined ? [] : rtp)],
  ];
}

function runFfmpeg(options: SourceOptions, to: StreamListener): () => Promise<void> {
  const child: ChildProcess = spawn('ffmpeg', argumentsOf(options), { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  child.stderr?.on('data', (text: Buffer) => (words += text.toString()));
  const source = new Source(to);
  child.stdout?.on('data', (chunk: Buffer) => source.push(chunk));
  const gone = once(child, 'close').then(() => to.lost(`ffmpeg ended: ${words}`));
  return async () => {
    child.kill('SIGKILL');
    await gone;
  };
}

class Source {
  readonly #to: StreamListener;
  readonly #splitter = new Mp4Splitter();
  #init: ReadInit | undefined;

  constructor(to: StreamListener) {
    this.#to = to;
  }

  push(chunk: Buffer): void {
    for (const { kind, bytes } of this.#splitter.push(chunk)) {
      if (kind === 'fragment') this.#fragment(bytes);
      else {
        this.#init = readInit(bytes)!;
        this.#to.init(this.#init.segment);
      }
    }
  }

  #fragment(bytes: Buffer): void {
    const run = readFragment(bytes, this.#init!.tracks)!.video!;
    const durationMs = (run.duration * 1_000) / run.track.timescale;
    this.#to.fragment({
      bytes,
      key: run.samples[0]!.key,
      startMs: systemClock.now() - durationMs,
      durationMs,
      decodeTime: run.decodeTime,
    });
  }
}

export const quietLog: Logger = createLogger({ service: 'camera', destination: { write: () => undefined } });
export const testMetrics = () => createMetrics('camera');
