/** Who looks at which footage, and why. In memory: after a restart the page asks anew, and the audit log has both. */
import { AppError, type Caller, type Clock, type Random } from '@siphera/runtime';

const lifeMs = 12 * 3_600_000;
/** Of one person, and of all: the oldest goes. */
const perPersonMax = 50;
const sessionsMax = 10_000;

export type Session = {
  id: string;
  owner: string;
  cameraIds: readonly string[];
  reason: string;
  expiresMs: number;
};

export class PlaybackSessions {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #sessions = new Map<string, Session>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  open(caller: Caller, cameraIds: readonly string[], reason: string): Session {
    const nowMs = this.#clock.now();
    const owner = ownerOf(caller);
    for (const session of this.#sessions.values())
      if (session.expiresMs <= nowMs) this.#sessions.delete(session.id);
    const own = [...this.#sessions.values()].filter((session) => session.owner === owner);
    if (own.length >= perPersonMax) this.#sessions.delete(own[0]?.id ?? '');
    if (this.#sessions.size >= sessionsMax) this.#sessions.delete(this.#sessions.keys().next().value ?? '');
    const session = {
      id: this.#random.uuid(),
      owner,
      cameraIds: [...cameraIds],
      reason,
      expiresMs: nowMs + lifeMs,
    };
    this.#sessions.set(session.id, session);
    return session;
  }

  /** @throws AppError `forbidden` when it is not the caller's, over, or not of this camera. */
  check(caller: Caller, id: string, cameraId: string): Session {
    const session = this.#sessions.get(id);
    const isGood =
      session?.owner === ownerOf(caller) &&
      session.expiresMs > this.#clock.now() &&
      session.cameraIds.includes(cameraId);
    if (!isGood || !session)
      throw new AppError('forbidden', 'Say first that and why this footage is looked at.', {
        hint: 'POST /camera/playback-sessions with this camera.',
      });
    return session;
  }
}

const ownerOf = ({ claims }: Caller): string => `${claims.org} ${claims.kind} ${claims.sub}`;
