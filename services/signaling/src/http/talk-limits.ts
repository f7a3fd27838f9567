/** How often a session may do what costs something. Generous: a client that comes back after a night sends all it has. */
import { AppError, type Caller, type Clock } from '@siphera/runtime';
import { Allowance, type AllowanceLimits } from '../domain/allowance.ts';

export const callLimits = {
  /** A person sets up a device now and then. */
  createDevice: { burst: 10, perMinute: 2 },
  /** Opening, attaching, renaming, removing. */
  device: { burst: 60, perMinute: 30 },
  /** One-time keys come in hundreds at most; a lost answer is asked for again. */
  uploadKeys: { burst: 60, perMinute: 60 },
  /** All of the organisation after a long time, then single people. */
  queryKeys: { burst: 120, perMinute: 120 },
  /** Each takes one-time keys of others, which their devices have to replace. */
  claimKeys: { burst: 120, perMinute: 120 },
  signing: { burst: 60, perMinute: 30 },
  /** Each is a guess at a password; core throttles by itself too. */
  resetIdentity: { burst: 5, perMinute: 1 },
  /** Keys of rooms, receipts: some for each message. */
  toDevice: { burst: 2_000, perMinute: 3_000 },
  direct: { burst: 1_000, perMinute: 1_200 },
  /**
   * Bytes that are kept for others or for oneself. A night's messages to twenty devices each are some 24 MB, a backup that is made anew
   * some 70.
   */
  bytes: { burst: 64 * 1024 ** 2, perMinute: 32 * 1024 ** 2 },
} as const satisfies Record<string, AllowanceLimits>;
export type LimitName = keyof typeof callLimits;

export class CallLimits {
  readonly #allowances: Record<LimitName, Allowance>;

  constructor(clock: Clock) {
    const made = Object.entries(callLimits).map(([name, limits]) => [name, new Allowance(limits, clock)]);
    this.#allowances = Object.fromEntries(made) as Record<LimitName, Allowance>;
  }

  /** Takes one, or `count` of them, for the session. @throws AppError `rate_limited` when there are not so many. */
  take(name: LimitName, { claims }: Caller, count = 1): void {
    const seconds = this.#allowances[name].take(claims.sid, count);
    if (seconds !== undefined)
      throw new AppError('rate_limited', 'That was too often in a short time.', {
        extra: { retry_after_seconds: seconds },
      });
  }
}
