/**
 * Footage of one camera on a clock that others share: fetches the pieces around the clock, puts each where the wall says, and
 * keeps the picture at the clock. What must stay true: at most one piece is fetched at a time; a piece that cannot be fetched
 * or decoded is told and left out, and the rest plays on.
 */
import { BoxReader } from '#features/cameras/player/mp4-boxes.ts';
import { MediaSink } from '#features/cameras/player/media-sink.ts';
import { fragmentTime, readStart, type StreamStart } from '#features/cameras/player/mp4-tracks.ts';
import type { PlaybackClock } from '#features/cameras/player/playback-clock.ts';
import { segmentAt, wantedSegments, type PlannedSegment } from '#features/cameras/player/segment-plan.ts';

export type PlaybackState = 'playing' | 'waiting' | 'gap' | 'failed';
export type PlaybackOptions = {
  id: string;
  video: HTMLVideoElement;
  clock: PlaybackClock;
  /** The pieces around a moment; the player keeps what it was given. */
  list: (from: number, to: number) => Promise<PlannedSegment[]>;
  /** A piece, whole or from the key frame at or before `from` on. */
  open: (
    segment: PlannedSegment,
    how: { transcode: boolean; from: number | undefined },
    signal: AbortSignal,
  ) => Promise<Response>;
  canPlay: (mime: string) => boolean;
  now: () => number;
  changed: (state: PlaybackState, transcoded: boolean) => void;
};

const tickMs = 120;
/** Buffered ahead at normal speed; pieces are about 30 s long. */
const aheadMs = 20_000;
const listAroundMs = 10 * 60_000;
/** Footage that is being recorded grows; its list is asked for again so often near its end. */
const growMs = 2_500;
/** The picture may lag the clock by so much before it is nudged, and by so much before it jumps. */
const nudgeSeconds = 0.08;
const jumpSeconds = 0.7;
const keepBehindSeconds = 60;
/** A camera that has nothing after this holds the others no longer. */
const holdMs = 6_000;
const failedAgainMs = 5_000;

export class PlaybackPlayer {
  readonly #options: PlaybackOptions;
  /** What stands at 0 of the picture's time: near it, so that a double keeps microseconds. */
  #origin: number;
  #sink: MediaSink | undefined;
  #segments: PlannedSegment[] = [];
  #listed: { from: number; to: number; at: number } | undefined;
  #listing = false;
  /** How far each piece is in the buffer, wall time. */
  #fetched = new Map<number, number>();
  #failed = new Map<number, number>();
  /** Time of a piece's first fragment on the piece's own clock, in seconds. */
  #firstTimes = new Map<number, number>();
  #loading: { id: number; abort: AbortController } | undefined;
  #state: PlaybackState = 'waiting';
  #transcoded = false;
  #waitingSince: number | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: PlaybackOptions) {
    this.#options = options;
    this.#origin = options.clock.position - 3_600_000;
  }

  get segments(): readonly PlannedSegment[] {
    return this.#segments;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#tick(), tickMs);
    this.#tick();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#loading?.abort.abort();
    this.#options.clock.wait(this.#options.id, false);
    this.#closeSink();
  }

  /** The clock jumped: what is under way is of no use unless it is what is wanted now. */
  seeked(): void {
    this.#waitingSince = undefined;
    const at = this.#options.clock.position;
    // Times far from the origin would lose precision, and a negative one cannot be.
    if (at - this.#origin < 60_000 || at - this.#origin > 6 * 3_600_000) {
      this.#origin = at - 3_600_000;
      this.#closeSink();
    }
    const wanted = segmentAt(this.#segments, at);
    if (this.#loading && this.#loading.id !== wanted?.id) {
      this.#fetched.delete(this.#loading.id);
      this.#loading.abort.abort();
      this.#loading = undefined;
    }
    this.#tick();
  }

  #closeSink(): void {
    this.#loading?.abort.abort();
    this.#loading = undefined;
    this.#sink?.close();
    this.#sink = undefined;
    this.#fetched.clear();
  }

  #set(state: PlaybackState, transcoded = this.#transcoded): void {
    if (state === this.#state && transcoded === this.#transcoded) return;
    this.#state = state;
    this.#transcoded = transcoded;
    this.#options.changed(state, transcoded);
  }

  #tick(): void {
    const { clock } = this.#options;
    const at = clock.position;
    void this.#refreshList(at);
    this.#fetchNext(at);
    this.#follow(at);
  }

  async #refreshList(at: number): Promise<void> {
    const now = this.#options.now();
    const listed = this.#listed;
    const end = this.#segments.at(-1)?.to ?? 0;
    const isInside = listed && at > listed.from + 30_000 && at < listed.to - 60_000;
    const isAtEnd = at > end - 15_000;
    if (this.#listing || (isInside && (!isAtEnd || now - listed.at < growMs))) return;
    if (listed && !isInside && now - listed.at < 500) return;
    this.#listing = true;
    const [from, to] = [at - listAroundMs, at + listAroundMs];
    try {
      this.#segments = await this.#options.list(from, to);
      this.#listed = { from, to, at: this.#options.now() };
    } catch {
      // The page shows that the box is away; this asks again.
      this.#listed = { from: at - 31_000, to: at + 61_000, at: this.#options.now() };
      this.#set('failed');
    } finally {
      this.#listing = false;
    }
  }

  #fetchNext(at: number): void {
    if (this.#loading) return;
    const now = this.#options.now();
    const wanted = wantedSegments(this.#segments, at, this.#options.clock.rate, aheadMs).find((one) => {
      if (now - (this.#failed.get(one.id) ?? -failedAgainMs) < failedAgainMs) return false;
      // A piece that grew since it was fetched is fetched again; what is there already is overwritten with itself.
      return (this.#fetched.get(one.id) ?? 0) < one.to - 400;
    });
    if (wanted) void this.#fetch(wanted);
  }

  async #fetch(segment: PlannedSegment): Promise<void> {
    const abort = new AbortController();
    this.#loading = { id: segment.id, abort };
    const transcode = !segment.playable || !this.#options.canPlay(segment.mime);
    // A piece that grew is asked for its end alone, where its own clock is known; a transcode has a clock of its own.
    const grown = this.#fetched.get(segment.id);
    const from = transcode || !this.#firstTimes.has(segment.id) ? undefined : grown;
    try {
      const response = await this.#options.open(segment, { transcode, from }, abort.signal);
      await this.#append(segment, response, from !== undefined, abort.signal);
      if (abort.signal.aborted) return;
      this.#fetched.set(segment.id, segment.to);
      this.#set(this.#state, transcode);
    } catch {
      if (!abort.signal.aborted) this.#failed.set(segment.id, this.#options.now());
    } finally {
      if (this.#loading?.abort === abort) this.#loading = undefined;
    }
  }

  async #append(
    segment: PlannedSegment,
    response: Response,
    isPart: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const reader = response.body?.getReader();
    if (!reader) throw new Error('The footage is empty');
    const boxes = new BoxReader();
    let start: StreamStart | undefined;
    let shift: number | undefined;
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) break;
      for (const piece of boxes.push(value)) {
        if (piece.kind === 'notice') continue;
        this.#sink ??= this.#openSink();
        if (piece.kind === 'init') {
          start = readStart(piece.bytes);
          this.#sink.push(piece);
          continue;
        }
        const time = start && fragmentTime(piece.bytes, start);
        if (!time) continue;
        // The first fragment of a whole piece stands at its beginning; the others where its own clock puts them.
        if (!isPart)
          this.#firstTimes.set(
            segment.id,
            (shift === undefined ? time.start : this.#firstTimes.get(segment.id)) ?? time.start,
          );
        shift ??= (segment.from - this.#origin) / 1_000 - (this.#firstTimes.get(segment.id) ?? time.start);
        this.#sink.push(piece, time.start + shift);
      }
    }
  }

  #openSink(): MediaSink {
    return new MediaSink(this.#options.video, {
      failed: () => {
        const now = this.#options.now();
        if (this.#loading) this.#failed.set(this.#loading.id, now);
        this.#sink = undefined;
        this.#fetched.clear();
        this.#loading?.abort.abort();
        this.#loading = undefined;
      },
    });
  }

  /** Keeps the picture at the clock: by its speed while the two are near, by a jump when they are not. */
  #follow(at: number): void {
    const { video, clock } = this.#options;
    const target = (at - this.#origin) / 1_000;
    const hasFootage = segmentAt(this.#segments, at) !== undefined;
    const isBuffered =
      this.#sink?.ranges().some(([from, to]) => target >= from - 0.1 && target < to - 0.02) ?? false;
    this.#hold(hasFootage, isBuffered);
    if (!isBuffered) {
      if (!video.paused) video.pause();
      return;
    }
    const drift = video.currentTime - target;
    const runs = clock.playing && !clock.waiting;
    if (Math.abs(drift) > (runs ? jumpSeconds * Math.max(1, clock.rate / 2) : 0.02))
      video.currentTime = target;
    if (runs && video.paused) video.play().catch(() => undefined);
    if (!runs && !video.paused) video.pause();
    const nudge = Math.abs(drift) < nudgeSeconds ? 1 : drift > 0 ? 0.93 : 1.07;
    const rate = Math.min(16, clock.rate * nudge);
    if (runs && Math.abs(video.playbackRate - rate) > 0.001) video.playbackRate = rate;
    this.#sink?.remove(0, target - keepBehindSeconds);
    this.#forget(at);
  }

  /** What was dropped behind the clock must be fetched again when somebody goes back to it. */
  #forget(at: number): void {
    for (const segment of this.#segments)
      if (segment.from < at - keepBehindSeconds * 1_000) this.#fetched.delete(segment.id);
  }

  #hold(hasFootage: boolean, isBuffered: boolean): void {
    const { clock, id } = this.#options;
    if (isBuffered) {
      this.#waitingSince = undefined;
      this.#set('playing');
      clock.wait(id, false);
      return;
    }
    const isUnknown = this.#listed === undefined;
    this.#set(hasFootage || isUnknown ? 'waiting' : 'gap');
    const now = this.#options.now();
    this.#waitingSince ??= now;
    clock.wait(id, (hasFootage || isUnknown) && now - this.#waitingSince < holdMs);
  }
}
