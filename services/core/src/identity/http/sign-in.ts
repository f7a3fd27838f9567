/** Setting up, signing in, refreshing and signing out: where passwords are checked. */
import { AppError, type Handlers } from '@siphera/runtime';
import { contextOf, type AppDeps } from '../../app-deps.ts';
import type { identityRoutes } from '../../http-routes.ts';
import { productVersion } from '../../system/adapters/product.ts';
import { addressSubject } from '../domain/login-throttle.ts';
import { passwordProblem } from '../domain/password-rules.ts';
import { wrongSetupCode } from '../setup-writes.ts';
import type { Authenticator } from './authenticator.ts';
import { ConsoleSessions, outside } from './console-session.ts';
import { clearCookie, readCookie, requireConsole } from './cookies.ts';
import { removeSetupCode, setupIsNeeded } from './setup-code.ts';

type SetupNames = 'getSetup' | 'runSetup';
type SessionNames = 'login' | 'refresh' | 'logout' | 'changePassword';

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
): Pick<Handlers<identityRoutes>, SetupNames | SessionNames> {
  const sessions = new ConsoleSessions(app, authenticator.keys);
  return {
    ...setupHandlers(app, authenticator, sessions),
    ...sessionHandlers(app, authenticator, sessions),
  };
}

function setupHandlers(
  app: AppDeps,
  { hasher }: Authenticator,
  sessions: ConsoleSessions,
): Pick<Handlers<identityRoutes>, SetupNames> {
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
      const { refreshToken, session } = sessions.begin(call, body.device_name);
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
      sessions.rememberDevice(call, body.email);
      return sessions.answer(call, seed, refreshToken);
    },
  };
}

function sessionHandlers(
  app: AppDeps,
  { hasher }: Authenticator,
  sessions: ConsoleSessions,
): Pick<Handlers<identityRoutes>, SessionNames> {
  const signIns = app.metrics.counter('sign_ins', 'Sign-ins by outcome', ['outcome']);
  return {
    login: async (call) => {
      const { body } = call;
      const subjects = sessions.subjects(call, body.email);
      const found = await app.box.write('beginLogin', outside(call), { email: body.email, subjects });
      const fits = await hasher.fits(found?.passwordHash, body.password);
      if (!found || !fits) {
        signIns.inc({ outcome: 'refused' });
        app.log.warn('login_failed', { address: call.address, known: found !== undefined });
        if (found) await app.box.write('noteFailedLogin', outside(call), { userId: found.userId });
        throw new AppError('bad_credentials', 'The e-mail address or the password is wrong.');
      }
      const { refreshToken, session } = sessions.begin(call, body.device_name);
      const seed = await app.box.write('openSession', outside(call), { ...session, ...found, subjects });
      signIns.inc({ outcome: 'signed_in' });
      sessions.rememberDevice(call, body.email);
      return sessions.answer(call, seed, refreshToken);
    },

    refresh: async (call) => {
      requireConsole(call.request);
      const cookie = readCookie(call.request, 'refresh');
      if (cookie === undefined) throw new AppError('unauthenticated', 'There is no session to go on with.');
      const presented = sessions.successor(cookie);
      const { address, userAgent } = call;
      const result =
        presented &&
        (await app.box.write('rotateSession', outside(call), { ...presented, address, userAgent }));
      if (result?.kind !== 'rotated') {
        clearCookie(call.response, 'refresh');
        throw new AppError('session_expired', 'The session has ended.', { hint: 'Sign in again.' });
      }
      return sessions.answer(call, result.seed, presented?.next ?? '');
    },

    logout: async (call) => {
      requireConsole(call.request);
      await app.box.write('logout', contextOf(call), {});
      clearCookie(call.response, 'refresh');
    },

    changePassword: async (call) => {
      const context = contextOf(call);
      const subjects = {
        account: `password:${call.caller.claims.sub}`,
        address: addressSubject(call.address),
      };
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
