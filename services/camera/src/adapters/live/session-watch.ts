/**
 * What goes on after its request was answered (live pictures, WebRTC) must not outlive the right to it. Every second each
 * is held against the newest token its session has shown here: revoked, expired or without the permission, it ends. A page
 * that goes on calling the service with fresh tokens therefore goes on watching; one that was signed out does not.
 */
import type { AccessClaims } from '@siphera/contract';
import type { Clock } from '@siphera/runtime';
import type { EndCode } from '../../domain/live-boxes.ts';

/** How soon a revocation is noticed. */
const lookMs = 1_000;

export type SessionEnd = { code: EndCode; reason: string };
type Held = {
  sid: string;
  may(claims: AccessClaims): boolean;
  end(why: SessionEnd): void;
};

export type SessionWatchOptions = {
  clock: Clock;
  isRevoked(claims: AccessClaims): boolean;
};

export class SessionWatch {
  readonly #options: SessionWatchOptions;
  /** Newest claims of each session that holds something. */
  readonly #claims = new Map<string, AccessClaims>();
  readonly #held = new Set<Held>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SessionWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), lookMs);
  }

  stop(why: SessionEnd): void {
    clearInterval(this.#timer);
    for (const held of [...this.#held]) held.end(why);
    this.#held.clear();
  }

  /** Claims of a token that was just found good. Only sessions that hold something are remembered. */
  saw(claims: AccessClaims): void {
    const known = this.#claims.get(claims.sid);
    if (known && claims.exp >= known.exp) this.#claims.set(claims.sid, claims);
  }

  /** How much a session holds. */
  count(sid: string): number {
    return [...this.#held].filter((held) => held.sid === sid).length;
  }

  /**
   * @param may whether these claims still give the right. `end` is called at most once, and never after letting go.
   * @returns how to let go.
   */
  hold(claims: AccessClaims, may: Held['may'], end: Held['end']): () => void {
    const held: Held = { sid: claims.sid, may, end };
    const known = this.#claims.get(claims.sid);
    if (!known || claims.exp > known.exp) this.#claims.set(claims.sid, claims);
    this.#held.add(held);
    return () => this.#letGo(held);
  }

  look(): void {
    for (const held of [...this.#held]) {
      const why = this.#judge(held);
      if (!why) continue;
      this.#letGo(held);
      held.end(why);
    }
  }

  #judge(held: Held): SessionEnd | undefined {
    const claims = this.#claims.get(held.sid);
    if (!claims || this.#options.isRevoked(claims))
      return { code: 'session_ended', reason: 'The session was ended, or its rights have changed.' };
    if (claims.exp * 1_000 <= this.#options.clock.now())
      return { code: 'token_expired', reason: 'The session has not shown a fresh token in time.' };
    if (!held.may(claims))
      return { code: 'forbidden', reason: 'The right to watch this camera was taken away.' };
    return undefined;
  }

  #letGo(held: Held): void {
    this.#held.delete(held);
    if (this.count(held.sid) === 0) this.#claims.delete(held.sid);
  }
}
