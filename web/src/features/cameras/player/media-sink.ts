/**
 * One `<video>` fed with pieces of fragmented MP4 through Media Source Extensions. What must stay true: pieces are appended in
 * order and never while another is under way; a new start (the camera reconnected, another codec) goes on in the same picture;
 * memory is bounded; after a fault it says so once and takes nothing more.
 */
import type { Mp4Piece } from '#features/cameras/player/mp4-boxes.ts';
import { fragmentTime, readStart, type StreamStart } from '#features/cameras/player/mp4-tracks.ts';

/** `failed` comes while the last picture is still there, so that it can be kept; the sink is closed right after. */
export type SinkEvents = { failed: (error: Error) => void };
type Job =
  | { kind: 'init'; bytes: Uint8Array<ArrayBuffer>; start: StreamStart }
  | { kind: 'media'; bytes: Uint8Array<ArrayBuffer>; offset: number | undefined }
  | { kind: 'remove'; from: number; to: number };
type SourceClass = typeof MediaSource;

/** Half a minute of half-second fragments: a decoder this far behind is stuck. */
const jobsMax = 120;
/** A jump of the stream's clock by more than this is a new beginning. */
const jumpSeconds = 1;

/** Safari on phones knows the managed kind alone. */
function sourceClass(): SourceClass | undefined {
  const known = globalThis as { ManagedMediaSource?: SourceClass; MediaSource?: SourceClass };
  return known.ManagedMediaSource ?? known.MediaSource;
}
/** Can this browser play it by Media Source Extensions? */
export const canPlay = (mime: string): boolean => sourceClass()?.isTypeSupported(mime) ?? false;

export class MediaSink {
  readonly #video: HTMLVideoElement;
  readonly #events: SinkEvents;
  readonly #ended = new AbortController();
  #source: MediaSource | undefined;
  #buffer: SourceBuffer | undefined;
  #url: string | undefined;
  #jobs: Job[] = [];
  #start: StreamStart | undefined;
  /** Where the next fragment is expected on the stream's clock, and what is added to reach the picture's. */
  #expected: number | undefined;
  #offset = 0;
  #end = 0;
  #closed = false;

  constructor(video: HTMLVideoElement, events: SinkEvents) {
    this.#video = video;
    this.#events = events;
  }

  get mime(): string {
    return this.#start?.mime ?? '';
  }
  /** Where what was pushed ends, in seconds of the picture's time. */
  get end(): number {
    return this.#end;
  }
  get pending(): number {
    return this.#jobs.length;
  }

  /** Takes the next piece. `at` puts a fragment at a place of the picture's time; without it, it goes on where the last ended. */
  push(piece: Mp4Piece, at?: number): void {
    if (this.#closed) return;
    try {
      if (piece.kind === 'init') this.#init(piece.bytes);
      else this.#media(piece.bytes, at);
      this.#run();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  ranges(): [number, number][] {
    const buffered = this.#video.buffered;
    return Array.from({ length: buffered.length }, (_, index) => [
      buffered.start(index),
      buffered.end(index),
    ]);
  }

  remove(from: number, to: number): void {
    if (to <= from || this.#jobs.some((job) => job.kind === 'remove')) return;
    this.#jobs.push({ kind: 'remove', from: Math.max(0, from), to });
    this.#run();
  }

  /** Forgets what waits; the next fragment needs a start before it when the codec changes. */
  flush(): void {
    this.#jobs = this.#jobs.filter((job) => job.kind !== 'media');
    this.#expected = undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ended.abort();
    this.#jobs = [];
    if (this.#url !== undefined) URL.revokeObjectURL(this.#url);
    this.#url = undefined;
    this.#source = undefined;
    this.#buffer = undefined;
    this.#video.removeAttribute('src');
    this.#video.load();
  }

  #init(bytes: Uint8Array<ArrayBuffer>): void {
    const start = readStart(bytes);
    if (!canPlay(start.mime)) throw new Error(`This browser cannot play ${start.mime}`);
    this.#start = start;
    this.#expected = undefined;
    if (!this.#source) this.#open();
    this.#jobs.push({ kind: 'init', bytes, start });
  }

  #media(bytes: Uint8Array<ArrayBuffer>, at: number | undefined): void {
    if (!this.#start) return;
    const time = fragmentTime(bytes, this.#start);
    if (!time) return;
    if (this.#jobs.length >= jobsMax) throw new Error('The decoder does not keep up');
    let offset: number | undefined;
    if (at !== undefined) offset = at - time.start;
    else if (this.#expected === undefined || Math.abs(time.start - this.#expected) > jumpSeconds)
      offset = this.#end - time.start;
    if (offset !== undefined) this.#offset = offset;
    this.#expected = time.start + time.duration;
    this.#end = this.#expected + this.#offset;
    this.#jobs.push({ kind: 'media', bytes, offset });
  }

  #open(): void {
    const Source = sourceClass();
    if (!Source) throw new Error('This browser knows no Media Source Extensions');
    const source = new Source();
    this.#source = source;
    // The managed kind refuses to open while the picture could be sent to a television.
    this.#video.disableRemotePlayback = true;
    this.#url = URL.createObjectURL(source);
    this.#video.src = this.#url;
    source.addEventListener('sourceopen', () => this.#run());
    const { signal } = this.#ended;
    const broken = (): void =>
      this.#fail(new Error(this.#video.error?.message ?? 'The picture cannot be decoded'));
    this.#video.addEventListener('error', broken, { signal });
  }

  #run(): void {
    if (this.#closed || this.#source?.readyState !== 'open' || this.#buffer?.updating) return;
    const job = this.#jobs.shift();
    if (!job) return;
    try {
      this.#do(job, this.#source);
    } catch (thrown) {
      if (thrown instanceof DOMException && thrown.name === 'QuotaExceededError') this.#makeRoom(job);
      else this.#fail(thrown);
    }
  }

  #do(job: Job, source: MediaSource): void {
    if (job.kind === 'init') {
      if (!this.#buffer) {
        this.#buffer = source.addSourceBuffer(job.start.mime);
        this.#buffer.mode = 'segments';
        this.#buffer.addEventListener('updateend', () => this.#run());
        this.#buffer.addEventListener('error', () => this.#fail(new Error('The footage cannot be decoded')));
      } else this.#buffer.changeType(job.start.mime);
      this.#buffer.appendBuffer(job.bytes);
      return;
    }
    if (!this.#buffer) return;
    if (job.kind === 'remove') this.#buffer.remove(job.from, job.to);
    else {
      if (job.offset !== undefined) this.#buffer.timestampOffset = job.offset;
      this.#buffer.appendBuffer(job.bytes);
    }
  }

  /** The browser's memory for this picture is full: the past goes, then the piece is tried again. */
  #makeRoom(job: Job): void {
    const oldest = this.ranges()[0]?.[0] ?? 0;
    const keepFrom = this.#video.currentTime - 2;
    if (keepFrom <= oldest) {
      this.#fail(new Error('The footage does not fit into the memory of this browser'));
      return;
    }
    this.#jobs.unshift({ kind: 'remove', from: oldest, to: keepFrom }, job);
    this.#run();
  }

  #fail(thrown: unknown): void {
    if (this.#closed) return;
    this.#events.failed(thrown instanceof Error ? thrown : new Error(String(thrown)));
    this.close();
  }
}
