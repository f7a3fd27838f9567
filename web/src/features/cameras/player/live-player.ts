/**
 * The live picture of one camera: fragmented MP4 first, then WebRTC without a black moment, and back when that fails. What must
 * stay true: it recovers from everything by itself; the last picture stays on the screen; `playing` means that pictures are
 * drawn, whatever the transports believe.
 */
import { followEdge } from '#features/cameras/player/live-edge.ts';
import { LivePump } from '#features/cameras/player/live-pump.ts';
import { MediaSink } from '#features/cameras/player/media-sink.ts';
import { onPicture, WebRtcView, type WebRtcApi } from '#features/cameras/player/webrtc-view.ts';

export type StreamName = 'main' | 'sub';
export type LiveApi = {
  open: (stream: StreamName, signal: AbortSignal) => Promise<Response>;
  webrtc: ((stream: StreamName) => WebRtcApi) | undefined;
};
export type LiveState = {
  phase: 'connecting' | 'playing' | 'lost' | 'refused';
  transport: 'none' | 'fmp4' | 'webrtc';
  transcoded: boolean;
  /** The last thing that went wrong, until pictures come again. */
  trouble: unknown;
  /** What the box said of a camera that is away. */
  reason: string;
};
export type LiveDebug = {
  transport: string;
  codec: string;
  size: string;
  fps: number;
  behindMs: number;
  /** From the camera's picture at the box to this screen, by the box's clock; undefined where unknown. */
  delayMs: number | undefined;
  dropped: number;
  rttMs: number | undefined;
};
export type LiveOptions = {
  /** Two elements, one over the other: fMP4 and WebRTC. */
  fmp4: HTMLVideoElement;
  webrtc: HTMLVideoElement;
  /** Keeps the last picture while a decoder begins anew. */
  still: HTMLCanvasElement;
  api: LiveApi;
  now: () => number;
  /** The box's time of day, for figures. */
  wall: () => number;
  changed: (state: LiveState) => void;
};

const tickMs = 250;
/** Nothing drawn for this long is a lost picture: GOPs and fragments are shorter. */
const lostMs = 5_000;
/** The same when the box said that the camera is away: what is buffered is played out first. */
const toldLostMs = 1_200;
const webrtcAfterMs = 400;
/** WebRTC that worked and broke is tried once more after this; one that never worked stays off. */
const webrtcAgainMs = 30_000;
const webrtcTriesMax = 3;
const restartMs = 500;

export class LivePlayer {
  readonly #options: LiveOptions;
  readonly #pump: LivePump;
  #state: LiveState = {
    phase: 'connecting',
    transport: 'none',
    transcoded: false,
    trouble: undefined,
    reason: '',
  };
  #newest: { wallMs: number; at: number } | undefined;
  #stream: StreamName = 'main';
  #sink: MediaSink | undefined;
  #view: WebRtcView | undefined;
  #webrtcAbort: AbortController | undefined;
  #webrtcTries = 0;
  #webrtcWaitMs = webrtcAfterMs;
  #timer: ReturnType<typeof setInterval> | undefined;
  #later = new Set<ReturnType<typeof setTimeout>>();
  #lastPicture = { fmp4: 0, webrtc: 0 };
  #drawn: number[] = [];
  #position = { at: 0, since: 0 };
  #turn = 0;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#pump = new LivePump((signal) => options.api.open(this.#stream, signal), {
      opened: ({ transcoded }) => {
        this.#sink?.flush();
        this.#set({ transcoded });
      },
      piece: (piece) => {
        this.#sink ??= this.#openSink();
        const at = this.#sink.end;
        this.#sink.push(piece);
        if (piece.kind !== 'media') return;
        if (piece.wallMs !== undefined) this.#newest = { wallMs: piece.wallMs, at };
        this.#set({ reason: '' });
      },
      notice: ({ kind, reason, transcoded }) => {
        if (kind === 'init') this.#set({ transcoded: transcoded === true });
        if (kind === 'lost') this.#set({ reason: reason ?? '' });
      },
      trouble: (trouble, final) => this.#set({ trouble, ...(final ? { phase: 'refused' } : {}) }),
    });
  }

  get state(): LiveState {
    return this.#state;
  }

  start(stream: StreamName): void {
    this.stop();
    this.#turn += 1;
    this.#stream = stream;
    this.#set({ phase: 'connecting', transport: 'none', trouble: undefined });
    this.#lastPicture = { fmp4: 0, webrtc: 0 };
    this.#watch('fmp4', this.#turn);
    this.#watch('webrtc', this.#turn);
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#pump.start();
  }

  /** Goes over to another stream of the camera; the picture stays until the other one is drawn. */
  use(stream: StreamName): void {
    if (stream === this.#stream) return;
    this.#stream = stream;
    if (this.#webrtcTries < webrtcTriesMax) this.#webrtcTries = 0;
    this.#webrtcWaitMs = webrtcAfterMs;
    this.#webrtcAbort?.abort();
    this.#pump.start();
  }

  stop(): void {
    this.#turn += 1;
    clearInterval(this.#timer);
    for (const timer of this.#later) clearTimeout(timer);
    this.#later.clear();
    this.#pump.stop();
    this.#webrtcAbort?.abort();
    this.#keepStill();
    this.#view?.close();
    this.#view = undefined;
    this.#sink?.close();
    this.#sink = undefined;
    this.#set({ transport: 'none' });
  }

  async debug(): Promise<LiveDebug> {
    const video = this.#shown();
    const now = this.#options.now();
    const quality = video.getVideoPlaybackQuality();
    const end = this.#sink?.ranges().at(-1)?.[1] ?? video.currentTime;
    return {
      transport: this.#state.transport,
      codec: this.#sink?.mime.replace(/^.*codecs="|"$/g, '') ?? (this.#view ? 'h264' : ''),
      size: `${String(video.videoWidth)}×${String(video.videoHeight)}`,
      fps: this.#drawn.filter((at) => now - at < 1_000).length,
      delayMs: this.#delayMs(video),
      behindMs: this.#state.transport === 'fmp4' ? Math.round((end - video.currentTime) * 1_000) : 0,
      dropped: quality.droppedVideoFrames,
      rttMs: await this.#view?.rttMs(),
    };
  }

  #delayMs(video: HTMLVideoElement): number | undefined {
    if (this.#state.transport !== 'fmp4' || !this.#newest) return undefined;
    return Math.round(
      this.#options.wall() - (this.#newest.wallMs - (this.#newest.at - video.currentTime) * 1_000),
    );
  }

  #shown(): HTMLVideoElement {
    return this.#state.transport === 'webrtc' ? this.#options.webrtc : this.#options.fmp4;
  }

  #set(patch: Partial<LiveState>): void {
    const next = { ...this.#state, ...patch };
    const isSame = (Object.keys(next) as (keyof LiveState)[]).every((key) => next[key] === this.#state[key]);
    this.#state = next;
    if (!isSame) this.#options.changed(next);
  }

  #openSink(): MediaSink {
    const sink = new MediaSink(this.#options.fmp4, {
      failed: (error) => {
        this.#keepStill();
        this.#sink = undefined;
        this.#pump.stop();
        this.#set({ trouble: error });
        this.#after(restartMs, () => this.#pump.start());
      },
    });
    this.#options.fmp4.play().catch(() => undefined);
    return sink;
  }

  #after(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#later.delete(timer);
      run();
    }, ms);
    this.#later.add(timer);
  }

  /** Notes every picture that is drawn, and swaps to whichever transport draws. */
  #watch(transport: 'fmp4' | 'webrtc', turn: number): void {
    onPicture(this.#options[transport], () => {
      if (turn !== this.#turn) return;
      this.#drew(transport);
      this.#watch(transport, turn);
    });
  }

  #drew(transport: 'fmp4' | 'webrtc'): void {
    const now = this.#options.now();
    this.#lastPicture[transport] = now;
    const { transport: shown } = this.#state;
    if (shown === transport || shown === 'none') this.#drawn = [...this.#drawn.slice(-120), now];
    // A view on its way to be closed may still draw; fMP4 was asked for because it is not wanted any more.
    if (transport === 'webrtc' && this.#webrtcAbort?.signal.aborted) return;
    if (transport === 'fmp4' && shown === 'webrtc' && !this.#webrtcAbort?.signal.aborted) return;
    this.#set({ phase: 'playing', transport, trouble: undefined });
    if (shown === transport) return;
    if (transport === 'fmp4') {
      this.#dropView();
      this.#after(this.#webrtcWaitMs, () => void this.#tryWebRtc());
    } else {
      this.#pump.stop();
      this.#sink?.close();
      this.#sink = undefined;
    }
  }

  #dropView(): void {
    this.#view?.close();
    this.#view = undefined;
    this.#webrtcAbort = undefined;
  }

  async #tryWebRtc(): Promise<void> {
    const { api, webrtc } = this.#options;
    const isFit = !this.#state.transcoded && (this.#sink?.mime.includes('avc') ?? false);
    if (!api.webrtc || !isFit || this.#view || this.#webrtcTries >= webrtcTriesMax) return;
    this.#webrtcTries += 1;
    const abort = new AbortController();
    this.#webrtcAbort = abort;
    const view = new WebRtcView(webrtc, api.webrtc(this.#stream), () => this.#webrtcLost(abort));
    this.#view = view;
    try {
      await view.connect(abort.signal);
    } catch {
      // fMP4 plays on; a network that does not let WebRTC through will not do so in a minute either.
      if (!abort.signal.aborted) this.#webrtcTries = webrtcTriesMax;
      if (this.#view === view) this.#view = undefined;
    }
  }

  /** A view that worked broke: fMP4 takes over, the last picture stays until it draws. */
  #webrtcLost(abort: AbortController): void {
    if (abort.signal.aborted) return;
    abort.abort();
    this.#webrtcWaitMs = webrtcAgainMs;
    this.#pump.start();
  }

  #tick(): void {
    const now = this.#options.now();
    this.#follow(now);
    const last = Math.max(this.#lastPicture.fmp4, this.#lastPicture.webrtc);
    // A hidden tab draws nothing; that says nothing about the camera.
    const limitMs = this.#state.reason === '' ? lostMs : toldLostMs;
    if (document.hidden || now - last < limitMs || this.#state.phase !== 'playing') return;
    this.#set({ phase: 'lost' });
    if (!this.#pump.running) {
      this.#webrtcAbort?.abort();
      this.#pump.start();
    }
  }

  #follow(now: number): void {
    const { fmp4 } = this.#options;
    if (!this.#sink) return;
    if (fmp4.currentTime !== this.#position.at) this.#position = { at: fmp4.currentTime, since: now };
    const ranges = this.#sink.ranges();
    const stalledFor = (now - this.#position.since) / 1_000;
    const act = followEdge({ position: fmp4.currentTime, ranges, stalledFor });
    if (act.seekTo !== undefined) {
      fmp4.currentTime = act.seekTo;
      this.#position = { at: act.seekTo, since: now };
    }
    if (fmp4.playbackRate !== act.rate) fmp4.playbackRate = act.rate;
    if (act.dropBefore !== undefined) this.#sink.remove(0, act.dropBefore);
    if (fmp4.paused && ranges.length > 0) fmp4.play().catch(() => undefined);
  }

  /** Paints the picture that is shown under the videos, where it stays while they begin anew. */
  #keepStill(): void {
    const video = this.#shown();
    const { still } = this.#options;
    if (video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    still.width = video.videoWidth;
    still.height = video.videoHeight;
    still.getContext('2d')?.drawImage(video, 0, 0);
  }
}
