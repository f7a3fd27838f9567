/**
 * Checks access tokens alone: signature against core's published keys, then the revocations heard on the feed.
 * Revocations are kept for one token life, after which every token they could hit has expired by itself.
 */
import {
  AccessClaims,
  internalPaths,
  InternalRevocations,
  Revocation,
  tokenAudience,
  tokenIssuer,
  type FeedEntry,
} from '@siphera/contract';
import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet } from 'jose';
import { AppError } from './app-error.ts';
import { fromRfc3339, type Clock } from './clock.ts';
import type { InternalClient } from './internal-client.ts';

/** Clock difference between processes of one box; they share the clock, so only rounding. */
const clockToleranceSeconds = 2;

export class Revocations {
  readonly #until = new Map<string, { expires: number; before: number }>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(revocation: Revocation): void {
    const expires = fromRfc3339(revocation.expires_at) ?? 0;
    const before =
      revocation.issued_before === undefined ? Infinity : (fromRfc3339(revocation.issued_before) ?? Infinity);
    for (const key of keysOf(revocation)) {
      const known = this.#until.get(key);
      // Two for one key: what is in force is never weakened by the later one.
      this.#until.set(key, {
        expires: Math.max(expires, known?.expires ?? 0),
        before: Math.max(before, known?.before ?? 0),
      });
    }
    if (this.#until.size > 1_000) this.#prune();
  }

  /** Takes a feed entry of kind `revocation`; others are ignored. */
  hear(entry: FeedEntry): Revocation | undefined {
    if (entry.kind !== 'revocation') return undefined;
    const revocation = Revocation.parse(entry.data);
    this.add(revocation);
    return revocation;
  }

  hits(claims: Pick<AccessClaims, 'sid' | 'sub' | 'iat'>): boolean {
    const now = this.#clock.now();
    return [`sid:${claims.sid}`, `sub:${claims.sub}`].some((key) => {
      const entry = this.#until.get(key);
      return entry !== undefined && entry.expires > now && claims.iat * 1_000 < entry.before;
    });
  }

  #prune(): void {
    const now = this.#clock.now();
    for (const [key, until] of this.#until) if (until.expires <= now) this.#until.delete(key);
  }
}

const keysOf = (revocation: Revocation): string[] => [
  ...(revocation.sid === undefined ? [] : [`sid:${revocation.sid}`]),
  ...(revocation.sub === undefined ? [] : [`sub:${revocation.sub}`]),
];

/** @throws AppError `unauthenticated` or `session_expired`. */
export async function verifyAccessToken(
  token: string,
  keys: ReturnType<typeof createLocalJWKSet>,
  revocations: Revocations,
  nowMs: number,
): Promise<AccessClaims> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: tokenIssuer,
      audience: tokenAudience,
      algorithms: ['EdDSA'],
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(nowMs),
    });
    const claims = AccessClaims.parse(payload);
    // Signed before the clock was set back: it would live for longer than a token may, and past its revocations.
    if (claims.iat * 1_000 > nowMs + clockToleranceSeconds * 1_000)
      throw new AppError(
        'session_expired',
        'The access token is from before the clock of the box was set back.',
      );
    if (revocations.hits(claims)) throw new AppError('session_expired', 'This session was ended.');
    return claims;
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (error instanceof errors.JWTExpired)
      throw new AppError('session_expired', 'The access token has expired.');
    throw new AppError('unauthenticated', 'The access token is not valid.', { cause: error });
  }
}

/** For services other than core. Keys are read at the start and again when an unknown key id shows up (core's keys rotate). */
export class TokenVerifier {
  readonly revocations: Revocations;
  readonly #client: InternalClient;
  readonly #clock: Clock;
  #keys: ReturnType<typeof createLocalJWKSet> | undefined;
  #readAt = -Infinity;

  constructor(options: { client: InternalClient; clock: Clock }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.revocations = new Revocations(options.clock);
  }

  /** Reads the revocations in force. @returns the feed position from which to follow. */
  async start(): Promise<number> {
    const { items, upto } = InternalRevocations.parse(
      await this.#client.call('GET', internalPaths.revocations),
    );
    for (const item of items) this.revocations.add(item);
    await this.#readKeys();
    return upto;
  }

  async verify(token: string): Promise<AccessClaims> {
    if (!this.#keys) await this.#readKeys();
    try {
      return await this.#verifyOnce(token);
    } catch (error) {
      const unknownKey = error instanceof AppError && error.cause instanceof errors.JWKSNoMatchingKey;
      // At most one look a minute, so that forged key ids cannot make us hammer core.
      if (!unknownKey || this.#clock.monotonic() - this.#readAt < 60_000) throw error;
      await this.#readKeys();
      return this.#verifyOnce(token);
    }
  }

  #verifyOnce(token: string): Promise<AccessClaims> {
    if (!this.#keys) throw new AppError('unavailable', 'The signing keys are not known yet.');
    return verifyAccessToken(token, this.#keys, this.revocations, this.#clock.now());
  }

  async #readKeys(): Promise<void> {
    this.#keys = createLocalJWKSet((await this.#client.call('GET', internalPaths.jwks)) as JSONWebKeySet);
    this.#readAt = this.#clock.monotonic();
  }
}
