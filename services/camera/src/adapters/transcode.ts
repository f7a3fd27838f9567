/**
 * Pictures made anew as H.264, for viewers that cannot play what the camera sends. What must stay true: never more than
 * the set number at once, whoever asks; a live one is shared by all viewers of a stream and ends with the last of them.
 */
import type { InitSegment, LiveStreams, StreamKey, StreamListener } from '../domain/media.ts';
import { readFragment } from '../domain/mp4-fragment.ts';
import { readInit, type ReadInit } from '../domain/mp4-init.ts';
import { Mp4Splitter } from '../domain/mp4-splitter.ts';
import { AppError, type Clock, type Logger, type Metrics } from '@siphera/runtime';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** Input that waits for an encoder; beyond it the encoder is too slow for the stream and starts again at a key frame. */
const waitingBytesMax = 16 * 1024 * 1024;
/** The last viewer is gone this long before a live transcode ends: a page that is reloaded finds it running. */
const lingerMs = 2_000;
/** A picture of one second's distance between key frames, in fragments of at most a quarter second. */
const encode = [
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'baseline'],
  ...[
    '-pix_fmt',
    'yuv420p',
    '-vf',
    "scale='min(1280,iw)':-2",
    '-crf',
    '25',
    '-maxrate',
    '3M',
    '-bufsize',
    '3M',
  ],
  ...['-force_key_frames', 'expr:gte(t,n_forced*1)', '-threads', '2', '-c:a', 'aac', '-b:a', '64k'],
  ...['-movflags', '+empty_moov+default_base_moof+frag_keyframe', '-frag_duration', '250000'],
  ...['-flush_packets', '1', '-f', 'mp4', 'pipe:1'],
];

export type TranscoderOptions = {
  ffmpeg: string;
  streams: LiveStreams;
  /** How many at once, live and whole pieces together; asked each time. */
  max(): number;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
};

type Encoder = ChildProcessByStdio<Writable, Readable, Readable>;

export class Transcoder {
  readonly #options: TranscoderOptions;
  readonly #live = new Map<string, LiveTranscode>();
  readonly #running = new Set<Encoder>();
  #count = 0;

  constructor(options: TranscoderOptions) {
    this.#options = options;
    const gauge = options.metrics.gauge('transcodes', 'Transcodes at work');
    gauge.set(0);
    this.#changed = () => gauge.set(this.#count);
  }
  readonly #changed: () => void;

  get count(): number {
    return this.#count;
  }

  /**
   * A stream as H.264 with AAC, as `LiveStreams.listen` would give it; it begins with the transcode's own last key frame.
   * @throws AppError `overloaded` when the bound is reached. @returns how to end it.
   */
  listen(key: StreamKey, listener: StreamListener): () => void {
    const name = `${key.cameraId} ${key.role}`;
    let live = this.#live.get(name);
    if (!live) {
      const release = this.#take();
      live = new LiveTranscode(
        key,
        this.#options,
        (init) => this.#start(init),
        () => {
          this.#live.delete(name);
          release();
        },
      );
      this.#live.set(name, live);
    }
    return live.add(listener);
  }

  /**
   * A whole MP4 (a segment, a clip) as fragmented H.264. Destroying the answer ends the work.
   * @throws AppError `overloaded` when the bound is reached.
   */
  convert(input: Readable): Readable {
    const release = this.#take();
    const encoder = this.#start(['-i', 'pipe:0']);
    encoder.once('close', release);
    input.on('error', () => encoder.kill('SIGKILL'));
    // The encoder may end before it has read everything (a broken file): its end says so, not the broken pipe.
    encoder.stdin.on('error', () => input.destroy());
    input.pipe(encoder.stdin);
    encoder.stdout.once('close', () => {
      encoder.kill('SIGKILL');
      input.destroy();
    });
    return encoder.stdout;
  }

  stop(): void {
    for (const live of this.#live.values()) live.end();
    for (const encoder of this.#running) encoder.kill('SIGKILL');
  }

  #take(): () => void {
    const max = this.#options.max();
    if (this.#count >= max)
      throw new AppError(
        'overloaded',
        `The box already makes ${max} pictures playable, the most that is set.`,
        {
          hint: 'Close another view that is marked as transcoded, use the sub-stream, or set the camera to H.264.',
        },
      );
    this.#count += 1;
    this.#changed();
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#count -= 1;
      this.#changed();
    };
  }

  #start(input: readonly string[]): Encoder {
    const encoder = spawn(this.#options.ffmpeg, ['-nostdin', '-v', 'error', ...input, ...encode], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#running.add(encoder);
    let words = '';
    encoder.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-2_000);
    });
    encoder.once('error', (error) => this.#options.log.error('transcode_not_started', { error }));
    encoder.once('close', (code, signal) => {
      this.#running.delete(encoder);
      if (code !== 0 && signal === null) this.#options.log.warn('transcode_failed', { code, words });
    });
    return encoder;
  }
}

/** One stream, one encoder, any number of viewers. The encoder starts anew whenever the camera's stream does. */
class LiveTranscode {
  readonly #key: StreamKey;
  readonly #log: Logger;
  readonly #encode: (input: readonly string[]) => Encoder;
  readonly #ended: () => void;
  readonly #listeners = new Set<StreamListener>();
  readonly #stopListening: () => void;
  #encoder: Encoder | undefined;
  #output: TranscodeOutput | undefined;
  #source: InitSegment | undefined;
  #waitsForKey = false;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(
    key: StreamKey,
    options: TranscoderOptions,
    start: (input: readonly string[]) => Encoder,
    ended: () => void,
  ) {
    this.#key = key;
    this.#log = options.log;
    this.#encode = start;
    this.#ended = ended;
    this.#stopListening = options.streams.listen(
      key,
      {
        init: (init) => this.#open(init),
        fragment: (fragment) => this.#feed(fragment),
        lost: (reason) => {
          this.#close();
          for (const listener of this.#listeners) listener.lost(reason);
        },
      },
      { fromKey: true },
    );
  }

  add(listener: StreamListener): () => void {
    clearTimeout(this.#timer);
    this.#listeners.add(listener);
    this.#output?.replay(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#timer = setTimeout(() => this.end(), lingerMs);
    };
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#stopListening();
    this.#close();
    this.#ended();
  }

  #open(init: InitSegment): void {
    this.#close();
    this.#source = init;
    // Little to look at: the init segment names the codecs already.
    const encoder = this.#encode(['-probesize', '32', '-analyzeduration', '0', '-f', 'mp4', '-i', 'pipe:0']);
    const output = new TranscodeOutput(this.#listeners);
    this.#encoder = encoder;
    this.#output = output;
    this.#waitsForKey = true;
    encoder.stdin.on('error', () => this.#restartAtKey(encoder));
    encoder.stdout.on('data', (chunk: Buffer) => {
      if (this.#encoder !== encoder) return;
      try {
        output.push(chunk);
      } catch (error) {
        this.#log.error('transcode_output_broken', { error, camera: this.#key.cameraId });
        encoder.kill('SIGKILL');
      }
    });
    encoder.once('close', () => this.#restartAtKey(encoder));
    encoder.stdin.write(init.bytes);
  }

  #feed(fragment: { bytes: Buffer; key: boolean; startMs: number }): void {
    if (!this.#encoder && this.#source && fragment.key && !this.#over) this.#open(this.#source);
    const encoder = this.#encoder;
    if (!encoder || (this.#waitsForKey && !fragment.key)) return;
    if (encoder.stdin.writableLength > waitingBytesMax) {
      this.#log.warn('transcode_too_slow', { camera: this.#key.cameraId, role: this.#key.role });
      encoder.kill('SIGKILL');
      this.#restartAtKey(encoder);
      return;
    }
    if (this.#waitsForKey) this.#output?.beginsAt(fragment.startMs);
    this.#waitsForKey = false;
    encoder.stdin.write(fragment.bytes);
  }

  /** It ended by itself, or was too slow: the next key frame starts another. */
  #restartAtKey(encoder: Encoder): void {
    if (this.#encoder !== encoder) return;
    this.#encoder = undefined;
    this.#output = undefined;
  }

  #close(): void {
    this.#encoder?.kill('SIGKILL');
    this.#encoder = undefined;
    this.#output = undefined;
  }
}

/** What comes out of one encoder: its init segment, then fragments, of which those since the last key frame are kept. */
class TranscodeOutput {
  readonly #listeners: ReadonlySet<StreamListener>;
  readonly #splitter = new Mp4Splitter();
  #init: ReadInit | undefined;
  #kept: Parameters<StreamListener['fragment']>[0][] = [];
  #startMs = 0;

  constructor(listeners: ReadonlySet<StreamListener>) {
    this.#listeners = listeners;
  }

  /** Wall time of the first picture that goes in. */
  beginsAt(startMs: number): void {
    this.#startMs = startMs;
  }

  /** @throws Error when the bytes are no fragmented MP4 with a picture. */
  push(chunk: Buffer): void {
    for (const { kind, bytes } of this.#splitter.push(chunk)) {
      if (kind === 'init') this.#begin(bytes);
      else this.#fragment(bytes);
    }
  }

  replay(listener: StreamListener): void {
    if (!this.#init) return;
    listener.init(this.#init.segment);
    for (const fragment of this.#kept) listener.fragment(fragment);
  }

  #begin(bytes: Buffer): void {
    this.#init = readInit(bytes);
    if (!this.#init) throw new Error('The transcode has no picture');
    for (const listener of this.#listeners) listener.init(this.#init.segment);
  }

  #fragment(bytes: Buffer): void {
    const run = this.#init && readFragment(bytes, this.#init.tracks)?.video;
    if (!run) return;
    const toMs = (ticks: number): number => (ticks * 1_000) / run.track.timescale;
    const fragment = {
      bytes,
      key: run.samples[0]?.key ?? false,
      startMs: this.#startMs + toMs(run.decodeTime),
      durationMs: toMs(run.duration),
      decodeTime: run.decodeTime,
    };
    if (fragment.key) this.#kept = [];
    this.#kept.push(fragment);
    for (const listener of this.#listeners) listener.fragment(fragment);
  }
}
