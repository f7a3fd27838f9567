/** Signing in and out. Passwords are checked before, in the HTTP thread; here stand the rows and what follows from them. */
import { AppError } from '@siphera/runtime/base';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { authorise, orgScope } from '../kernel/access.ts';
import type { Actor } from '../kernel/actor.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { accountThrottle, addressThrottle } from './domain/login-throttle.ts';
import { judgeRefresh, sessionExpiry } from './domain/session-life.ts';
import { visibleUsers } from './store/grants.store.ts';
import { readUser, type SessionRow, type UserRow } from './store/identity-rows.ts';
import { attemptSucceeded, takeAttempt } from './store/login-failures.store.ts';
import {
  endSession,
  endSessionsOf,
  openSessionOf,
  seedOf,
  type NewSession,
  type SignedInSeed,
} from './store/sessions.store.ts';

type Subjects = { account: string; address: string };

const badCredentials = (): AppError =>
  new AppError('bad_credentials', 'The e-mail address or the password is wrong.');

/** The user acting for himself, before there is a token that says so. */
export const actorOfUser = (user: UserRow, address: string, sid?: string): Actor => ({
  kind: 'user',
  id: user.id,
  name: user.name,
  orgId: user.org_id,
  grants: [],
  address,
  ...(sid === undefined ? {} : { sid }),
});

/** The caller as a user. @throws AppError `forbidden` for API keys and services, which have no session. */
export function requireUser(context: Pick<WriteContext, 'actor' | 'db'>): UserRow {
  const user = context.actor.kind === 'user' ? readUser(context.db, context.actor.id) : undefined;
  if (!user) throw new AppError('forbidden', 'Only a signed-in user has this.');
  return user;
}

export const sessionWrites = {
  /** Counts the attempt and answers with what to check the password against; undefined for nobody. */
  beginLogin: (context: WriteContext, input: { email: string; subjects: Subjects }) => {
    takeAttempt(context, input.subjects.account, accountThrottle);
    takeAttempt(context, input.subjects.address, addressThrottle);
    const user = context.db
      .prepare<[string], UserRow>('SELECT * FROM users WHERE email = ? AND active = 1 AND deleted_ms IS NULL')
      .get(input.email);
    return user?.password_hash ? { userId: user.id, passwordHash: user.password_hash } : undefined;
  },

  /** The password was wrong for a user that exists: said in the audit, since somebody may be guessing. */
  noteFailedLogin: (context: WriteContext, input: { userId: string }): void => {
    const user = readUser(context.db, input.userId);
    if (!user) return;
    appendAudit(context, {
      actor: { ...actorOfUser(user, context.actor.address), kind: 'system', id: 'system', name: 'Siphera' },
      action: 'login.failed',
      target: `user:${user.id}`,
    });
  },

  /** @param input.passwordHash the one that the password was found to fit; it may have changed in between. */
  openSession: (
    context: WriteContext,
    input: NewSession & { userId: string; passwordHash: string; subjects: Subjects },
  ): SignedInSeed => {
    const user = readUser(context.db, input.userId);
    if (user?.active !== 1 || user.password_hash !== input.passwordHash) throw badCredentials();
    attemptSucceeded(context, input.subjects);
    const seed = openSessionOf(context, user, input);
    appendAudit(context, {
      actor: actorOfUser(user, input.address),
      action: 'session.opened',
      target: `session:${seed.claims.sid}`,
      detail: { device_name: input.deviceName },
    });
    return seed;
  },

  /**
   * Swaps a refresh token for its successor. A token that was swapped before is taken once more within a short grace;
   * after it, two parties hold the same token, and the session ends for both. Answers instead of throwing: the end must
   * be committed.
   */
  rotateSession: (
    context: WriteContext,
    input: { sid: string; generation: number; nextSha256: string; address: string; userAgent: string },
  ): { kind: 'ended' } | { kind: 'rotated'; seed: SignedInSeed } => {
    const { db, nowMs } = context;
    const session = livingSession(context, input.sid);
    const user = session ? readUser(db, session.user_id) : undefined;
    if (!session || user?.active !== 1) return { kind: 'ended' };
    const verdict = judgeRefresh(session, input.generation, nowMs);
    if (verdict === 'stolen') {
      endSession(context, session, 'refresh token used twice');
      appendAudit(context, {
        actor: actorOfUser(user, input.address, session.id),
        action: 'session.refresh_reused',
        target: `session:${session.id}`,
      });
    }
    if (verdict === 'stolen' || verdict === 'unknown') return { kind: 'ended' };
    const expires_ms = sessionExpiry(session.created_ms, nowMs);
    if (verdict === 'rotate')
      db.prepare(
        `UPDATE sessions SET refresh_sha256 = ?, generation = generation + 1, rotated_ms = ?, last_used_ms = ?,
           expires_ms = ?, address = ?, user_agent = ? WHERE id = ?`,
      ).run(input.nextSha256, nowMs, nowMs, expires_ms, input.address, input.userAgent, session.id);
    return { kind: 'rotated', seed: seedOf(context, user, { ...session, expires_ms }) };
  },

  logout: (context: WriteContext, _input: Record<string, never>): void => {
    requireUser(context);
    const session = livingSession(context, context.actor.sid ?? '');
    if (!session) return;
    endSession(context, session, 'signed out');
    appendAudit(context, { actor: context.actor, action: 'session.closed', target: `session:${session.id}` });
  },

  revokeSession: (context: WriteContext, input: { id: string }): void => {
    const session = livingSession(context, input.id);
    const own = session?.user_id === context.actor.id;
    const visible =
      session?.org_id === context.actor.orgId && !own
        ? visibleUsers(context.db, context.actor, 'identity.read')
        : undefined;
    if (!session || (!own && (!visible || (visible !== 'all' && !visible.has(session.user_id)))))
      throw new AppError('not_found', 'There is no such session, or you may not see it.');
    if (!own) authorise(context.actor, 'identity.manage', orgScope(session.org_id));
    endSession(context, session, own ? 'ended by its user' : 'ended by an admin');
    appendAudit(context, {
      actor: context.actor,
      action: 'session.revoked',
      target: `session:${session.id}`,
      detail: { user_id: session.user_id },
    });
  },

  /** Counts a check of the current password like a sign-in, so that an open console is no way to guess it. */
  beginPasswordCheck: (context: WriteContext, input: { subjects: Subjects }) => {
    const user = requireUser(context);
    takeAttempt(context, input.subjects.account, accountThrottle);
    return { passwordHash: user.password_hash ?? '', name: user.name, email: user.email };
  },

  changePassword: (
    context: WriteContext,
    input: { verifiedHash: string; nextHash: string; subjects: Subjects },
  ): void => {
    const user = requireUser(context);
    if (user.password_hash !== input.verifiedHash) throw badCredentials();
    attemptSucceeded(context, input.subjects);
    context.db.prepare('UPDATE users SET password_hash = ? WHERE id = ?').run(input.nextHash, user.id);
    const ended = endSessionsOf(context, user.id, 'password changed', context.actor.sid);
    appendAudit(context, {
      actor: context.actor,
      action: 'user.password_changed',
      target: `user:${user.id}`,
      detail: { sessions_ended: ended },
    });
  },
};

const livingSession = ({ db, nowMs }: WriteContext, id: string): SessionRow | undefined =>
  db
    .prepare<[string, number], SessionRow>(
      'SELECT * FROM sessions WHERE id = ? AND revoked_ms IS NULL AND expires_ms > ?',
    )
    .get(id, nowMs);
