/**
 * Joins the sockets with the fan-out: lets them in, emits their frames, cuts them when their token ends, is revoked, or
 * when they do not read. What must stay true: after a revocation was heard, no further frame goes to a socket it hits.
 */
import { frameIntervalMs, silenceMsMax, SocketAuth, type FeedLine, type Revocation } from '@siphera/contract';
import {
  fromRfc3339,
  toRfc3339,
  type Clock,
  type InternalClient,
  type Logger,
  type TokenVerifier,
} from '@siphera/runtime';
import type { Cohort } from '../domain/cohort.ts';
import { FanOut } from '../domain/fan-out.ts';
import { roomsOfGrants } from '../domain/rooms.ts';
import type { SignalingMetrics } from '../metrics.ts';
import { socketsOf } from './admission.ts';
import { CatchUp } from './catch-up.ts';
import { acceptRenewals } from './renewal.ts';
import { backpressure, closeSocket, type ByeReason, type ConsoleSocket, type Io } from './socket-server.ts';

/** Five seconds of frames at the full rate. */
const waitingPacketsMax = 100;
const waitingBytesMax = 4 * 1024 * 1024;
/** Tokens are looked through this often; a socket outlives its token by at most that. */
const expiryCheckMs = 500;

export type HubOptions = {
  io: Io;
  client: InternalClient;
  verifier: TokenVerifier;
  clock: Clock;
  log: Logger;
  metrics: SignalingMetrics;
  socketsPerUserMax: number;
  /** Milliseconds since core was heard. */
  feedStaleMs: () => number;
};

export class Hub {
  readonly #options: HubOptions;
  readonly #catchUp: CatchUp;
  #fanOut = new FanOut(0);
  #frameTimer: NodeJS.Timeout | undefined;
  #expiryTimer: NodeJS.Timeout | undefined;
  #wakeReader: (() => void) | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#catchUp = new CatchUp({
      client: options.client,
      log: options.log,
      onFailed: (cohort) => this.#giveUp(cohort),
    });
    options.io.on('connection', (socket) => this.#welcome(socket));
  }

  /** Core was reached; its lines come from `position` on. A second start means that all positions so far are void. */
  start(position: number): void {
    this.#stopTimers();
    this.#cutWhere('gap', () => true);
    this.#fanOut = new FanOut(position);
    this.#frameTimer = setInterval(() => this.#tick(), frameIntervalMs);
    this.#expiryTimer = setInterval(() => this.#cutExpired(), expiryCheckMs);
  }

  stop(): void {
    this.#stopTimers();
    this.#cutWhere('shutting_down', () => true);
  }

  /** Takes a line of core's feed. Resolves when there is room for the next. */
  async hear(line: FeedLine): Promise<void> {
    const { verifier, metrics } = this.#options;
    const revoked = line.entries.flatMap((entry) => verifier.revocations.hear(entry) ?? []);
    if (revoked.length > 0) this.#cutRevoked(revoked);
    metrics.entries.inc(line.entries.length);
    if (!this.#fanOut.dispatch(line)) this.#cutWhere('gap', () => true);
    metrics.position.set(this.#fanOut.position);
    while (this.#fanOut.isFull) await new Promise<void>((resolve) => (this.#wakeReader = resolve));
  }

  /** Places a socket where its grants put it, to be sent everything after `after`. */
  place(socket: ConsoleSocket, after: number | undefined): void {
    const { member, claims } = socket.data;
    const cohort = this.#fanOut.enter(member, roomsOfGrants(claims.grants), after, this.#now());
    if (cohort === undefined) {
      this.cut(socket, 'gap');
      return;
    }
    void socket.join(cohort.id);
    this.#catchUp.add(cohort);
  }

  /** Takes a socket out of its lane. @returns the position it has been sent up to. */
  displace(socket: ConsoleSocket): number | undefined {
    const { member } = socket.data;
    const lane = member.lane;
    if (lane === undefined) return undefined;
    void socket.leave(lane.id);
    this.#fanOut.leave(member);
    return lane.sentUpto;
  }

  cut(socket: ConsoleSocket, reason: ByeReason): void {
    this.#options.metrics.cut.inc({ reason });
    this.displace(socket);
    closeSocket(socket, reason);
  }

  #stopTimers(): void {
    clearInterval(this.#frameTimer);
    clearInterval(this.#expiryTimer);
  }

  #welcome(socket: ConsoleSocket): void {
    const { io, log, metrics, verifier, socketsPerUserMax } = this.#options;
    const { claims } = socket.data;
    socket.data.member = { id: socket.id, lane: undefined };
    metrics.sockets.set(io.of('/').sockets.size);
    socket.on('disconnect', (reason) => {
      this.displace(socket);
      metrics.sockets.set(io.of('/').sockets.size);
      log.debug('socket_closed', { socket: socket.id, user: claims.sub, reason });
    });
    log.debug('socket_opened', { socket: socket.id, user: claims.sub, sid: claims.sid });
    // Between the check of the token and now a revocation may have been heard, or a twin may have taken the last place.
    if (verifier.revocations.hits(claims)) {
      this.cut(socket, 'expired');
      return;
    }
    if (socketsOf(io, claims.sub) > socketsPerUserMax) return void socket.disconnect(true);
    acceptRenewals(socket, { hub: this, verifier, log, nowMs: () => this.#now() });
    this.place(socket, SocketAuth.parse(socket.handshake.auth).after);
  }

  #tick(): void {
    const { io, clock, metrics, feedStaleMs } = this.#options;
    const wallMs = clock.now();
    const at = toRfc3339(wallMs);
    // An empty frame says that the whole way from core stands, so it is not sent while core is silent.
    const tick = this.#fanOut.tick(this.#now(), at, feedStaleMs() <= silenceMsMax);
    for (const { lane, frame } of tick.frames) {
      io.to(lane.id).emit('frame', frame);
      metrics.frames.inc();
      metrics.framesSent.inc(lane.members.size);
      const oldest = frame.entries[0];
      if (oldest === undefined) continue;
      metrics.entriesSent.inc(frame.entries.length * lane.members.size);
      metrics.fanOut.observe(Math.max(0, wallMs - (fromRfc3339(oldest.at) ?? wallMs)) / 1_000);
    }
    for (const { cohort } of tick.merged) {
      io.in(cohort.id).socketsJoin(cohort.view.id);
      io.in(cohort.id).socketsLeave(cohort.id);
    }
    for (const cohort of tick.lost) this.#giveUp(cohort);
    metrics.views.set(this.#fanOut.viewCount);
    this.#catchUp.tick();
    this.#cutSlow();
    this.#wakeReader?.();
    this.#wakeReader = undefined;
  }

  #cutSlow(): void {
    this.#cutWhere('too_slow', (socket) => {
      const { packets, bytes } = backpressure(socket);
      return packets > waitingPacketsMax || bytes > waitingBytesMax;
    });
  }

  #cutExpired(): void {
    const nowSeconds = this.#options.clock.now() / 1_000;
    this.#cutWhere('expired', (socket) => socket.data.claims.exp <= nowSeconds);
  }

  #cutRevoked(heard: readonly Revocation[]): void {
    const { verifier } = this.#options;
    // Ended for good, or only the token: with `issued_before` the session goes on, and its console gets a new token.
    const forGood = heard.filter((revocation) => revocation.issued_before === undefined);
    this.#cutWhere('revoked', ({ data: { claims } }) =>
      forGood.some((revocation) => revocation.sid === claims.sid || revocation.sub === claims.sub),
    );
    this.#cutWhere('expired', ({ data: { claims } }) => verifier.revocations.hits(claims));
  }

  #giveUp(cohort: Cohort): void {
    const members = new Set([...cohort.members].map((member) => member.id));
    this.#cutWhere('gap', (socket) => members.has(socket.id));
  }

  #cutWhere(reason: ByeReason, fits: (socket: ConsoleSocket) => boolean): void {
    const sockets = [...this.#options.io.of('/').sockets.values()].filter(fits);
    for (const socket of sockets) this.cut(socket, reason);
    if (sockets.length > 0) this.#options.log.info('sockets_cut', { reason, sockets: sockets.length });
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}
