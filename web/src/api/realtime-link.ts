/**
 * Keeps the console's live feed: the socket of signaling first, core's own event stream when the socket is silent.
 * What must stay true: no entry is lost (resume overlaps on purpose) and none is applied twice (dedupe by seq), whichever
 * way it came; the state never says `live` while the socket is silent. Time and transports are injected.
 */
import type { FeedEntry, FeedLine, SocketBye } from '@siphera/contract';

/** `idle` signed out · `connecting` first moments · `live` socket · `fallback` core's stream · `offline` neither. */
export type LinkState = 'idle' | 'connecting' | 'live' | 'fallback' | 'offline';
export type ByeReason = SocketBye['reason'];

export type SocketHandle = { close(): void; renew(token: string): void };
export type SocketEvents = {
  frame: (frame: FeedLine) => void;
  bye: (reason: ByeReason) => void;
  /** The server refused the token at connect. */
  refused: () => void;
};
export type StreamHandle = { close(): void };
export type StreamEvents = {
  line: (line: FeedLine) => void;
  /** `ended`: the server closed it in order, as it does when the token ends; a number: it refused with that status. */
  closed: (why: number | 'ended' | 'failed') => void;
};

export type LinkDeps = {
  /** Monotonic milliseconds. */
  now: () => number;
  every: (ms: number, run: () => void) => () => void;
  openSocket: (after: () => number | undefined, events: SocketEvents) => SocketHandle;
  openStream: (after: number | undefined, events: StreamEvents) => StreamHandle;
  onState: (state: LinkState) => void;
  onEntries: (entries: readonly FeedEntry[]) => void;
  /** What was missed cannot be replayed any more: read every snapshot again. */
  onGap: () => void;
  /** The session was ended by somebody else. */
  onRevoked: () => void;
  onTokenRefused: () => void;
};

/** Contract: after this much silence from signaling the console reads core directly (socket.ts `silenceMsMax`). */
const silenceMsMax = 2_000;
/** Core's stream sends at least a heartbeat a second; five missed ones mean it is gone too. */
const streamSilenceMsMax = 5_000;
/** A stream that just opened gets this long for its first line before the guard is told that nothing answers. */
const openingMsMax = 1_000;
const watchdogMs = 250;
/** Pause before the stream is tried again, so that a dead box is not hammered. */
const streamRetryMs = 1_500;
/** Rooms are framed apart, so frames may overtake each other by a frame or two: resume from this far back. */
const overlapMs = 1_000;
/** Seqs remembered for dedupe: 20 s at 1,000 events/s, far more than the overlap holds. */
const seenMax = 20_000;

export class RealtimeLink {
  readonly #deps: LinkDeps;
  readonly #seen = new Set<number>();
  #state: LinkState = 'idle';
  #socket: SocketHandle | undefined;
  #stream: StreamHandle | undefined;
  #stopWatchdog: (() => void) | undefined;
  #socketHeardAt = 0;
  #streamHeardAt = Number.NEGATIVE_INFINITY;
  #streamOpenedAt = Number.NEGATIVE_INFINITY;
  #upto: number | undefined;
  #resume: { at: number; upto: number | undefined; next: number | undefined } = {
    at: 0,
    upto: undefined,
    next: undefined,
  };

  constructor(deps: LinkDeps) {
    this.#deps = deps;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Newest feed position seen. */
  get upto(): number | undefined {
    return this.#upto;
  }

  /** Starts after the position of the first snapshot, or from now on. */
  start(after: number | undefined): void {
    if (this.#state !== 'idle') return;
    const now = this.#deps.now();
    this.#upto = after;
    this.#resume = { at: now, upto: after, next: after };
    this.#socketHeardAt = now;
    this.#streamHeardAt = Number.NEGATIVE_INFINITY;
    this.#setState('connecting');
    this.#openSocket();
    this.#stopWatchdog = this.#deps.every(watchdogMs, () => this.#watch());
  }

  stop(): void {
    this.#stopWatchdog?.();
    this.#socket?.close();
    this.#closeStream();
    this.#stopWatchdog = undefined;
    this.#socket = undefined;
    this.#seen.clear();
    this.#upto = undefined;
    this.#setState('idle');
  }

  /** Hands a fresh access token to the open socket. */
  renew(token: string): void {
    this.#socket?.renew(token);
  }

  #openSocket(): void {
    this.#socket = this.#deps.openSocket(() => this.#resume.upto, {
      frame: (frame) => {
        this.#socketHeardAt = this.#deps.now();
        this.#closeStream();
        this.#accept(frame);
        this.#setState('live');
      },
      bye: (reason) => this.#onBye(reason),
      refused: () => this.#deps.onTokenRefused(),
    });
  }

  #onBye(reason: ByeReason): void {
    if (reason === 'revoked') {
      this.#deps.onRevoked();
      return;
    }
    if (reason === 'expired') {
      this.#deps.onTokenRefused();
      return;
    }
    if (reason === 'gap') this.#startOver();
  }

  /** The server no longer keeps what we missed: forget the position and read the snapshots again. */
  #startOver(): void {
    this.#upto = undefined;
    this.#resume = { at: this.#deps.now(), upto: undefined, next: undefined };
    this.#deps.onGap();
  }

  #watch(): void {
    const now = this.#deps.now();
    const socketSilent = now - this.#socketHeardAt >= silenceMsMax;
    if (!socketSilent) return;
    if (!this.#stream && now - this.#streamOpenedAt >= streamRetryMs) this.#openStream(now);
    const streamHeard = this.#stream !== undefined && now - this.#streamHeardAt < streamSilenceMsMax;
    if (streamHeard) {
      this.#setState('fallback');
      return;
    }
    const openFor = now - this.#streamOpenedAt;
    if (this.#stream && this.#state !== 'offline' && openFor < openingMsMax) {
      this.#setState('connecting');
      return;
    }
    if (this.#stream && openFor >= streamSilenceMsMax) this.#closeStream();
    this.#setState('offline');
  }

  #openStream(now: number): void {
    this.#streamOpenedAt = now;
    const handle = this.#deps.openStream(this.#resume.upto, {
      line: (line) => {
        if (this.#stream !== handle) return;
        this.#streamHeardAt = this.#deps.now();
        this.#accept(line);
        if (this.#state !== 'live') this.#setState('fallback');
      },
      closed: (why) => {
        if (this.#stream !== handle) return;
        this.#stream = undefined;
        // After an orderly end the next one may open at once, so that the guard sees no moment of "offline".
        if (why === 'ended') this.#streamOpenedAt = Number.NEGATIVE_INFINITY;
        else this.#streamHeardAt = Number.NEGATIVE_INFINITY;
        if (why === 401) this.#deps.onTokenRefused();
        if (why === 410) this.#startOver();
      },
    });
    this.#stream = handle;
  }

  #closeStream(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#streamHeardAt = Number.NEGATIVE_INFINITY;
    stream?.close();
  }

  #accept(line: FeedLine): void {
    const fresh = line.entries.filter((entry) => !this.#seen.has(entry.seq));
    for (const entry of fresh) this.#seen.add(entry.seq);
    this.#forgetOldSeqs();
    this.#upto = Math.max(this.#upto ?? 0, line.upto);
    this.#advanceResume();
    if (fresh.length > 0) this.#deps.onEntries(fresh);
  }

  /** Moves the resume position along, always at least `overlapMs` behind the newest frame. */
  #advanceResume(): void {
    const now = this.#deps.now();
    this.#resume.upto ??= this.#upto;
    this.#resume.next ??= this.#upto;
    if (now - this.#resume.at < overlapMs) return;
    this.#resume = { at: now, upto: this.#resume.next, next: this.#upto };
  }

  #forgetOldSeqs(): void {
    if (this.#seen.size <= seenMax) return;
    let extra = this.#seen.size - seenMax;
    for (const seq of this.#seen) {
      this.#seen.delete(seq);
      extra -= 1;
      if (extra === 0) return;
    }
  }

  #setState(state: LinkState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#deps.onState(state);
  }
}
