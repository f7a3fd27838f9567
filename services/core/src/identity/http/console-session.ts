/** What a console holds after signing in: an access token, the refresh cookie, and the mark of a known device. */
import { createHash } from 'node:crypto';
import { accessTokenLifeSeconds, type Me, type Route } from '@siphera/contract';
import type { Call } from '@siphera/runtime';
import type { z } from 'zod';
import type { AppDeps } from '../../app-deps.ts';
import { systemActor } from '../../kernel/actor.ts';
import type { CallContext } from '../../kernel/box.ts';
import type { SigningKeys } from '../adapters/signing-keys.ts';
import { addressSubject } from '../domain/login-throttle.ts';
import { makeRefreshToken, readRefreshToken } from '../domain/refresh-token.ts';
import type { NewSession, SignedInSeed } from '../store/sessions.store.ts';
import { readCookie, setCookie } from './cookies.ts';

export type PublicCall = Pick<Call<Route>, 'request' | 'response' | 'address' | 'userAgent' | 'traceId'>;
type SignedInAnswer = { access_token: string; expires_in: number; me: z.input<typeof Me> };

const deviceCookieLifeMs = 365 * 86_400_000;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A caller who has not signed in: nobody, from some address. */
export const outside = (call: PublicCall): CallContext => ({
  actor: { ...systemActor(''), address: call.address },
  traceId: call.traceId,
});

export class ConsoleSessions {
  readonly #app: Pick<AppDeps, 'clock' | 'random'>;
  readonly #keys: SigningKeys;

  constructor(app: Pick<AppDeps, 'clock' | 'random'>, keys: SigningKeys) {
    this.#app = app;
    this.#keys = keys;
  }

  /** The first refresh token of a session that is about to be opened. */
  begin(call: PublicCall, deviceName: string): { refreshToken: string; session: NewSession } {
    const sessionId = this.#app.random.uuid();
    const refreshToken = makeRefreshToken(this.#digest, sessionId, 0);
    const { address, userAgent } = call;
    const session = { sessionId, deviceName, address, userAgent, refreshSha256: sha256(refreshToken) };
    return { refreshToken, session };
  }

  /** What a presented refresh token stands for, and its successor; two tabs that swap it at once get the same one. */
  successor(
    token: string,
  ): { sid: string; generation: number; next: string; nextSha256: string } | undefined {
    const read = readRefreshToken(this.#digest, token);
    if (!read) return undefined;
    const next = makeRefreshToken(this.#digest, read.sid, read.generation + 1);
    return { ...read, next, nextSha256: sha256(next) };
  }

  async answer(call: PublicCall, seed: SignedInSeed, refreshToken: string): Promise<SignedInAnswer> {
    setCookie(call.response, 'refresh', refreshToken, seed.sessionExpiresMs - this.#app.clock.now());
    return {
      access_token: await this.#keys.sign(seed.claims),
      expires_in: accessTokenLifeSeconds,
      me: seed.me,
    };
  }

  /**
   * Under which names failures count. A device that signed in as this user before counts by itself (OWASP, device
   * cookies): whoever guesses elsewhere cannot keep the user out at his own desk.
   */
  subjects(call: PublicCall, email: string): { account: string; address: string } {
    const cookie = readCookie(call.request, 'device') ?? '';
    const nonce = cookie.split('.')[0] ?? '';
    const known = nonce !== '' && this.#deviceMark(email, nonce) === cookie;
    return {
      account: known ? `device:${sha256(nonce)}` : `email:${sha256(email.toLowerCase())}`,
      address: addressSubject(call.address),
    };
  }

  rememberDevice(call: PublicCall, email: string): void {
    const nonce = this.#app.random.bytes(16).toString('base64url');
    setCookie(call.response, 'device', this.#deviceMark(email, nonce), deviceCookieLifeMs);
  }

  #deviceMark(email: string, nonce: string): string {
    return `${nonce}.${this.#keys.digest('known-device', `${email.toLowerCase()}\n${nonce}`)}`;
  }

  readonly #digest = (text: string): string => this.#keys.digest('refresh', text);
}
