/** Setting up, signing in, refreshing and signing out: where passwords, refresh tokens and cookies are handled. */
import { createHash } from 'node:crypto';
import { accessTokenLifeSeconds } from '@siphera/contract';
import { AppError, type Call, type Handlers } from '@siphera/runtime';
import type { Route } from '@siphera/contract';
import { contextOf, type AppDeps } from '../../app-deps.ts';
import type { identityRoutes } from '../../http-routes.ts';
import { systemActor } from '../../kernel/actor.ts';
import { productVersion } from '../../system/adapters/product.ts';
import { addressSubject } from '../domain/login-throttle.ts';
import { makeRefreshToken, readRefreshToken } from '../domain/refresh-token.ts';
import { passwordProblem } from '../domain/password-rules.ts';
import { wrongSetupCode } from '../setup-writes.ts';
import type { SignedInSeed } from '../store/sessions.store.ts';
import type { Authenticator } from './authenticator.ts';
import { clearCookie, readCookie, requireConsole, setCookie } from './cookies.ts';
import { removeSetupCode, setupIsNeeded } from './setup-code.ts';

type Names = 'getSetup' | 'runSetup' | 'login' | 'refresh' | 'logout' | 'changePassword';
type PublicCall = Pick<Call<Route>, 'request' | 'response' | 'address' | 'userAgent' | 'traceId'>;

const deviceCookieLifeMs = 365 * 86_400_000;
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** @throws AppError `validation_failed` with what is wrong with it. */
export function requireGoodPassword(password: string, known: readonly string[], field: string): void {
  const problem = passwordProblem(password, known);
  if (problem === undefined) return;
  throw new AppError('validation_failed', `This password is easy to guess. ${problem}`, {
    hint: 'Take four or more words that do not belong together.',
    extra: { errors: [{ path: `body.${field}`, message: problem }] },
  });
}

export function signInHandlers(
  app: AppDeps,
  authenticator: Authenticator,
): Pick<Handlers<identityRoutes>, Names> {
  const { hasher, keys } = authenticator;
  const digest = (text: string): string => keys.digest('refresh', text);
  const outside = (call: PublicCall) => ({
    actor: { ...systemActor(''), address: call.address },
    traceId: call.traceId,
  });
  const answer = async (call: PublicCall, seed: SignedInSeed, refreshToken: string | undefined) => {
    if (refreshToken !== undefined)
      setCookie(call.response, 'refresh', refreshToken, seed.sessionExpiresMs - app.clock.now());
    return {
      access_token: await keys.sign(seed.claims),
      expires_in: accessTokenLifeSeconds,
      me: seed.me,
    };
  };
  const newSession = (call: PublicCall, deviceName: string) => {
    const sessionId = app.random.uuid();
    const refreshToken = makeRefreshToken(digest, sessionId, 0);
    const session = {
      sessionId,
      deviceName,
      address: call.address,
      userAgent: call.userAgent,
      refreshSha256: sha256(refreshToken),
    };
    return { refreshToken, session };
  };
  /**
   * A device that signed in as this user before counts its failures by itself (OWASP, device cookies): whoever guesses
   * elsewhere cannot keep the user out at his own desk.
   */
  const knownDevice = (email: string, nonce: string): string =>
    `${nonce}.${keys.digest('known-device', `${email.toLowerCase()}\n${nonce}`)}`;
  const subjectsOf = (call: PublicCall, email: string) => {
    const cookie = readCookie(call.request, 'device') ?? '';
    const nonce = cookie.split('.')[0] ?? '';
    const known = nonce !== '' && knownDevice(email, nonce) === cookie;
    return {
      account: known ? `device:${sha256(nonce)}` : `email:${sha256(email.toLowerCase())}`,
      address: addressSubject(call.address),
    };
  };
  const rememberDevice = (call: PublicCall, email: string): void =>
    setCookie(
      call.response,
      'device',
      knownDevice(email, app.random.bytes(16).toString('base64url')),
      deviceCookieLifeMs,
    );

  return {
    getSetup: () =>
      Promise.resolve({
        needed: setupIsNeeded(app),
        box_name: app.config.PUBLIC_HOST_NAME,
        version: productVersion,
      }),

    runSetup: async (call) => {
      const { body } = call;
      const begun = await app.box.write('beginSetup', outside(call), {
        code: body.code,
        addressSubject: addressSubject(call.address),
      });
      if (begun === 'wrong_code') throw wrongSetupCode();
      requireGoodPassword(body.password, [body.email, body.name, body.org_name], 'password');
      const { refreshToken, session } = newSession(call, body.device_name);
      const seed = await app.box.write('runSetup', outside(call), {
        ...session,
        code: body.code,
        orgName: body.org_name,
        siteName: body.site_name,
        timeZone: body.time_zone,
        name: body.name,
        email: body.email,
        passwordHash: await hasher.hash(body.password),
      });
      removeSetupCode(app);
      rememberDevice(call, body.email);
      return answer(call, seed, refreshToken);
    },

    login: async (call) => {
      const { body } = call;
      const subjects = subjectsOf(call, body.email);
      const found = await app.box.write('beginLogin', outside(call), { email: body.email, subjects });
      const fits = await hasher.fits(found?.passwordHash, body.password);
      if (!found || !fits) {
        app.log.warn('login_failed', { address: call.address, known: found !== undefined });
        if (found)
          await app.box.write('noteFailedLogin', outside(call), {
            userId: found.userId,
            address: call.address,
          });
        throw new AppError('bad_credentials', 'The e-mail address or the password is wrong.');
      }
      const { refreshToken, session } = newSession(call, body.device_name);
      const seed = await app.box.write('openSession', outside(call), { ...session, ...found, subjects });
      rememberDevice(call, body.email);
      return answer(call, seed, refreshToken);
    },

    refresh: async (call) => {
      requireConsole(call.request);
      const cookie = readCookie(call.request, 'refresh');
      if (cookie === undefined) throw new AppError('unauthenticated', 'There is no session to go on with.');
      const presented = readRefreshToken(digest, cookie);
      // Two tabs that swap the same token at once get the same successor.
      const next = presented && makeRefreshToken(digest, presented.sid, presented.generation + 1);
      const result =
        presented &&
        (await app.box.write('rotateSession', outside(call), {
          ...presented,
          nextSha256: sha256(next ?? ''),
          address: call.address,
          userAgent: call.userAgent,
        }));
      if (result?.kind !== 'rotated') {
        clearCookie(call.response, 'refresh');
        throw new AppError('session_expired', 'The session has ended.', { hint: 'Sign in again.' });
      }
      return answer(call, result.seed, next);
    },

    logout: async (call) => {
      requireConsole(call.request);
      await app.box.write('logout', contextOf(call), {});
      clearCookie(call.response, 'refresh');
    },

    changePassword: async (call) => {
      const subjects = {
        account: `password:${call.caller.claims.sub}`,
        address: addressSubject(call.address),
      };
      const context = contextOf(call);
      const { passwordHash, name, email } = await app.box.write('beginPasswordCheck', context, { subjects });
      if (!(await hasher.fits(passwordHash === '' ? undefined : passwordHash, call.body.current)))
        throw new AppError('bad_credentials', 'The current password is wrong.');
      requireGoodPassword(call.body.next, [name, email], 'next');
      await app.box.write('changePassword', context, {
        verifiedHash: passwordHash,
        nextHash: await hasher.hash(call.body.next),
        subjects,
      });
    },
  };
}
