/**
 * One stream of a camera: connected, watched, connected again, and handed to whoever listens. What must stay true: every
 * listener gets an `init` and then a key fragment, after each connection anew; one that throws harms no other.
 */
import type { Clock, Logger, Random } from '@siphera/runtime';
import { backoffMs } from '../../domain/backoff.ts';
import type { KnownStream } from '../../domain/camera.ts';
import { GopBuffer } from '../../domain/gop-buffer.ts';
import type { Fragment, InitSegment, RtpFeed, StreamListener } from '../../domain/media.ts';
import { rtpFeed, type RelayPorts, type StreamCodecs } from '../../domain/relay-command.ts';
import { problemOf, type StreamProblem } from '../../domain/relay-problem.ts';
import { Bitrate } from './bitrate.ts';
import { RefusedAddressError, type CameraNetwork } from '../camera-network.ts';
import { reach } from './reach.ts';
import { RelayConnection } from './relay-connection.ts';

/** A connection that lived this long was a good one: the next loss is met fast again. */
const steadyMs = 10_000;
/** How long ffmpeg looks at a stream, and how long when that was not enough (key frames far apart, no parameter sets before). */
const analyseMs = 2_000;
const analyseLongMs = 20_000;

export type RelayState =
  | { state: 'connecting' }
  | { state: 'online' }
  /** Online, and what comes is of little use; undefined: it is good again. */
  | { state: 'broken'; problem: StreamProblem | undefined }
  | { state: 'lost'; problem: StreamProblem };

export type RelayParts = {
  ffmpeg: string;
  clock: Clock;
  random: Random;
  log: Logger;
  network: CameraNetwork;
  /** Asked before each connection; the same ones for all its life. Undefined: nobody would listen to RTP, or none are free. */
  ports(): RelayPorts | undefined;
  /** The stream as the directory has it now; undefined while it is not known. */
  stream(): KnownStream | undefined;
  onState(state: RelayState): void;
};

export class Relay {
  readonly #parts: RelayParts;
  readonly #listeners = new Map<StreamListener, { awaitsKey: boolean }>();
  readonly #gop = new GopBuffer();
  readonly #bitrate = new Bitrate();
  #connection: RelayConnection | undefined;
  #ports: RelayPorts | undefined;
  #init: InitSegment | undefined;
  #lastFragmentMs = 0;
  #asked: StreamCodecs = { video: undefined, audio: undefined };
  #learnt: StreamCodecs | undefined;
  #failures = 0;
  #analyseMs = analyseMs;
  #timer: NodeJS.Timeout | undefined;
  #generation = 0;
  #running = false;

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  get pid(): number | undefined {
    return this.#connection?.pid;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#parts.onState({ state: 'connecting' });
    this.#connect();
  }

  async stop(reason = 'The stream was ended.'): Promise<void> {
    this.#running = false;
    await this.#drop(reason);
  }

  /** The camera's address, password or streams changed: what failed before may work now. */
  reconnect(reason: string): void {
    if (!this.#running) return;
    this.#learnt = undefined;
    this.#failures = 0;
    void this.#drop(reason).then(() => {
      if (this.#running && !this.#connection) this.#connect();
    });
  }

  listen(listener: StreamListener, fromKey: boolean): () => void {
    const place = { awaitsKey: true };
    this.#listeners.set(listener, place);
    if (this.#init) {
      this.#tell(listener, () => listener.init(this.#init as InitSegment));
      const kept = fromKey ? [...this.#gop.fragments()] : [];
      if (kept.length > 0) place.awaitsKey = false;
      for (const fragment of kept) this.#tell(listener, () => listener.fragment(fragment));
    }
    return () => void this.#listeners.delete(listener);
  }

  rtp(): RtpFeed | undefined {
    return this.#init && this.#ports ? rtpFeed(this.#asked, this.#ports) : undefined;
  }

  current(): { init: InitSegment; lastFragmentMs: number; bitrateBps: number } | undefined {
    if (!this.#init) return undefined;
    return { init: this.#init, lastFragmentMs: this.#lastFragmentMs, bitrateBps: this.#bitrate.bps() };
  }

  #connect(): void {
    clearTimeout(this.#timer);
    const stream = this.#parts.stream();
    if (!stream) {
      this.#lost({ kind: 'stream', text: 'No stream of this camera is known yet.' });
      return;
    }
    this.#asked = this.#learnt ?? { video: stream.video ?? undefined, audio: stream.audio ?? undefined };
    void this.#open(stream, ++this.#generation);
  }

  /** ffmpeg is given the address that was checked, not a name that it would ask for again. */
  async #open(stream: KnownStream, generation: number): Promise<void> {
    let url: string;
    try {
      url = await this.#parts.network.url(stream.secretUrl);
    } catch (error) {
      if (generation === this.#generation) this.#lost(nowhere(error));
      return;
    }
    if (generation !== this.#generation || !this.#running) return;
    this.#ports = this.#parts.ports();
    this.#connection = new RelayConnection({
      ...this.#parts,
      url,
      ports: this.#ports,
      codecs: this.#asked,
      analyseMs: this.#analyseMs,
      events: {
        init: (init) => generation === this.#generation && this.#begin(init),
        fragment: (fragment) => generation === this.#generation && this.#pass(fragment),
        keyless: (problem) => generation === this.#generation && this.#keyless(problem),
        broken: (problem) =>
          generation === this.#generation && this.#init && this.#parts.onState({ state: 'broken', problem }),
        jumped: (reason) => generation === this.#generation && this.#tellLost(reason),
        end: (why) => generation === this.#generation && this.#ended(why),
      },
    });
  }

  #begin(init: InitSegment): void {
    this.#init = init;
    this.#gop.clear();
    for (const [listener, place] of this.#listeners) {
      place.awaitsKey = true;
      this.#tell(listener, () => listener.init(init));
    }
    this.#parts.onState({ state: 'online' });
  }

  /** The connection stands, and nothing of it is of use: who listens is told, and waits for an `init`. */
  #keyless(problem: StreamProblem): void {
    this.#forget(problem.text);
    this.#parts.onState({ state: 'lost', problem });
  }

  #pass(fragment: Fragment): void {
    const nowMs = this.#parts.clock.now();
    this.#lastFragmentMs = nowMs;
    this.#bitrate.add(fragment.bytes.length, this.#parts.clock.monotonic());
    this.#gop.add(fragment);
    for (const [listener, place] of this.#listeners) {
      if (fragment.key) place.awaitsKey = false;
      if (!place.awaitsKey) this.#tell(listener, () => listener.fragment(fragment));
    }
  }

  #ended({ problem, learnt }: { problem: StreamProblem; learnt: StreamCodecs | undefined }): void {
    const livedMs = this.#parts.clock.monotonic() - (this.#connection?.startedMs ?? 0);
    const wasOnline = this.#init !== undefined;
    this.#connection = undefined;
    this.#forget(problem.text);
    // The stream is not what was said of it: once more at once, with what was learnt.
    if (learnt && !this.#learnt) {
      this.#learnt = learnt;
      this.#connect();
      return;
    }
    this.#learnt = learnt ?? this.#learnt;
    if (wasOnline && livedMs > steadyMs) this.#failures = 0;
    // Its parameters did not come in time: a longer look, until it works.
    this.#analyseMs = !wasOnline && problem.kind === 'stream' ? analyseLongMs : analyseMs;
    this.#lost(problem);
  }

  #lost(problem: StreamProblem): void {
    this.#failures += 1;
    this.#parts.onState({ state: 'lost', problem });
    const waitMs = backoffMs(problem.kind, this.#failures, this.#parts.random.fraction());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#retry(), waitMs);
  }

  /** Asks the port first: a dead camera costs a packet, not a process. */
  async #retry(): Promise<void> {
    const generation = this.#generation;
    const stream = this.#parts.stream();
    const silent = stream ? await reach(stream.secretUrl, this.#parts.network) : undefined;
    if (!this.#running || generation !== this.#generation || this.#connection) return;
    if (silent === undefined) this.#connect();
    else this.#lost(problemOf([silent]));
  }

  async #drop(reason: string): Promise<void> {
    clearTimeout(this.#timer);
    this.#generation += 1;
    const connection = this.#connection;
    this.#connection = undefined;
    this.#forget(reason);
    await connection?.stop();
  }

  #forget(reason: string): void {
    const wasOnline = this.#init !== undefined;
    this.#init = undefined;
    this.#gop.clear();
    this.#bitrate.reset();
    if (wasOnline) this.#tellLost(reason);
  }

  #tellLost(reason: string): void {
    for (const listener of [...this.#listeners.keys()]) this.#tell(listener, () => listener.lost(reason));
  }

  #tell(listener: StreamListener, what: () => void): void {
    try {
      what();
    } catch (error) {
      this.#listeners.delete(listener);
      this.#parts.log.error('listener_failed', { error });
    }
  }
}

const nowhere = (error: unknown): StreamProblem =>
  error instanceof RefusedAddressError
    ? { kind: 'stream', text: `No stream is taken from there: ${error.message}.` }
    : problemOf([(error as NodeJS.ErrnoException).code ?? String(error)]);
