/** Live pictures over HTTP: which stream, made playable or as it is, for how many, and until when. */
import { AppError, type Clock, type Logger, type Metrics } from '@siphera/runtime';
import type { Writable } from 'node:stream';
import type { InitSegment, LiveStreams, StreamKey, StreamListener } from '../../domain/media.ts';
import type { Transcoder } from '../transcode.ts';
import { LiveView, type viewLimits } from './live-view.ts';
import type { SessionEnd } from './session-watch.ts';

/** Four walls of 64 cameras. */
const viewsMax = 256;
/** How long a viewer waits for a camera that is connecting, or for a transcode to begin. */
const firstMsMax = 12_000;

export type LiveViewsOptions = {
  streams: LiveStreams;
  transcoder: Transcoder;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  limits?: Partial<typeof viewLimits>;
};

export type ViewRequest = {
  key: StreamKey;
  /** Codecs the viewer plays, of `InitSegment.video`. */
  plays: readonly string[];
  /** Ends the wait for the first picture: the viewer is gone. */
  signal: AbortSignal;
  /** Called with how to end the view; gives how to let go of what holds it (a session, a link). */
  hold: (end: (why: SessionEnd) => void) => () => void;
};

export type ViewHead = { mime: string; transcoded: boolean };

export class LiveViews {
  readonly #options: LiveViewsOptions;
  readonly #views = new Map<LiveView, string>();
  readonly #count: { set(value: number): void };
  readonly #ends: { inc(labels: { why: string }): void };

  constructor(options: LiveViewsOptions) {
    this.#options = options;
    this.#count = options.metrics.gauge('live_views', 'Live pictures over HTTP');
    this.#ends = options.metrics.counter('live_ends', 'Live pictures that ended', ['why']);
    this.#count.set(0);
  }

  get count(): number {
    return this.#views.size;
  }

  /**
   * Resolves when the picture has begun. `begin` is called with what it is, and gives where it goes.
   * @throws AppError `overloaded` at a bound, `device_unavailable` when the camera sends nothing.
   */
  async open(request: ViewRequest, begin: (head: ViewHead) => Writable): Promise<void> {
    if (this.#views.size >= viewsMax)
      throw new AppError('overloaded', `${viewsMax} live pictures are open, the most there may be.`);
    const source = await this.#source(request);
    try {
      const init = await source.first;
      this.#start(request, { init, source, begin });
    } catch (error) {
      source.stop();
      throw error;
    }
  }

  stop(): void {
    for (const view of [...this.#views.keys()]) view.end('stopping', 'The camera service stops.');
  }

  /** Its stream is gone for good. */
  endCamera(cameraId: string, reason: string): void {
    for (const [view, of] of [...this.#views]) if (of === cameraId) view.end('camera_off', reason);
  }

  /** Listens to the stream itself, or to its transcode when the viewer does not play it. */
  async #source({ key, plays, signal }: ViewRequest): Promise<Source & { transcoded: boolean }> {
    const { streams, transcoder } = this.#options;
    const raw = new Source((listener) => streams.listen(key, listener, { fromKey: true }), signal);
    try {
      const init = await raw.first;
      if (plays.includes(init.video)) return Object.assign(raw, { transcoded: false });
      const made = new Source((listener) => transcoder.listen(key, listener), signal);
      raw.stop();
      return Object.assign(made, { transcoded: true });
    } catch (error) {
      raw.stop();
      throw error;
    }
  }

  #start(
    { key, plays, hold }: ViewRequest,
    from: {
      init: InitSegment;
      source: Source & { transcoded: boolean };
      begin: (head: ViewHead) => Writable;
    },
  ): void {
    const { clock, log, limits } = this.#options;
    const { source, init } = from;
    const { transcoded } = source;
    const output = from.begin({ mime: init.mime, transcoded });
    let letGo = (): void => undefined;
    const view = new LiveView({
      output,
      transcoded,
      clock,
      log,
      ...(limits ? { limits } : {}),
      onEnd: ({ code, reason }) => {
        source.stop();
        letGo();
        this.#views.delete(view);
        this.#count.set(this.#views.size);
        this.#ends.inc({ why: code });
        log.debug('live_view_ended', { code, reason });
      },
    });
    this.#views.set(view, key.cameraId);
    this.#count.set(this.#views.size);
    letGo = hold(({ code, reason }) => view.end(code, reason));
    source.to({
      init: (next) => {
        if (transcoded || plays.includes(next.video)) view.init(next);
        else view.end('codec_changed', `The camera sends ${next.video} now.`);
      },
      fragment: (fragment) => view.fragment(fragment),
      lost: (reason) => view.lost(reason),
    });
  }
}

/** A listener whose first init is waited for; what comes meanwhile is kept, and handed on when it is known where to. */
class Source implements StreamListener {
  readonly first: Promise<InitSegment>;
  readonly #stop: () => void;
  readonly #timer: NodeJS.Timeout;
  #kept: ((listener: StreamListener) => void)[] = [];
  #listener: StreamListener | undefined;
  #resolve: (init: InitSegment) => void = () => undefined;
  #lastReason = 'It sends nothing.';

  constructor(listen: (listener: StreamListener) => () => void, signal: AbortSignal) {
    let reject: (error: Error) => void = () => undefined;
    this.first = new Promise((resolve, refuse) => {
      this.#resolve = resolve;
      reject = refuse;
    });
    // Whoever waits hears it; somebody who no longer does need not.
    this.first.catch(() => undefined);
    this.#timer = setTimeout(
      () =>
        reject(
          new AppError('device_unavailable', `There is no picture of this camera: ${this.#lastReason}`, {
            hint: 'The box goes on trying; see the camera on the cameras page.',
          }),
        ),
      firstMsMax,
    );
    signal.addEventListener('abort', () => reject(new AppError('gone', 'The viewer is gone.')), {
      once: true,
    });
    try {
      this.#stop = listen(this);
    } catch (error) {
      clearTimeout(this.#timer);
      throw error;
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#kept = [];
    this.#stop();
  }

  to(listener: StreamListener): void {
    this.#listener = listener;
    for (const tell of this.#kept.splice(0)) tell(listener);
  }

  init(init: InitSegment): void {
    clearTimeout(this.#timer);
    this.#kept = [];
    this.#pass((listener) => listener.init(init));
    this.#resolve(init);
  }

  fragment(fragment: Parameters<StreamListener['fragment']>[0]): void {
    this.#pass((listener) => listener.fragment(fragment));
  }

  lost(reason: string): void {
    this.#lastReason = reason;
    this.#pass((listener) => listener.lost(reason));
  }

  #pass(tell: (listener: StreamListener) => void): void {
    if (this.#listener) tell(this.#listener);
    else this.#kept.push(tell);
  }
}
