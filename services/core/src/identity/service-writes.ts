/** What the box's services ask of identity on behalf of a user: a check of his password, the end of one of his sessions, his duty. */
import { AppError } from '@siphera/runtime/base';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { accountThrottle, addressSubject, addressThrottle } from './domain/login-throttle.ts';
import { readUser, type SessionRow } from './store/identity-rows.ts';
import { attemptSucceeded, takeAttempt } from './store/login-failures.store.ts';
import { saveDuty } from './store/duty.store.ts';
import { endSession } from './store/sessions.store.ts';
import { sayUserChanged } from './user-writes.ts';

type Asked = { userId: string; address: string };

/** The same count as that of `changePassword`: one guesser has one budget, whichever way he tries. */
const subjectsOf = ({ userId, address }: Asked) => ({
  account: `password:${userId}`,
  address: addressSubject(address),
});

/** These come from the internal API, where no user signs in; nobody else passes. */
function requireBox({ actor }: WriteContext): void {
  if (actor.kind !== 'system' && actor.kind !== 'service')
    throw new AppError('forbidden', 'Only services of the box ask for this.');
}

export const serviceWrites = {
  /** Comes in any order and more than once; nobody of that id is no error, he may have been removed meanwhile. */
  setDuty: (
    context: WriteContext,
    input: { userId: string; onDuty: boolean; atMs: number },
  ): { changed: boolean } => {
    requireBox(context);
    const user = readUser(context.db, input.userId);
    if (!user || !saveDuty(context.db, input)) return { changed: false };
    sayUserChanged(context, user.id, user.org_id, 'updated');
    return { changed: true };
  },

  /** Counts the attempt like a sign-in. @returns what to check against; undefined for nobody who may sign in. */
  beginServiceCheck: (context: WriteContext, input: Asked): { passwordHash: string } | undefined => {
    requireBox(context);
    const subjects = subjectsOf(input);
    takeAttempt(context, subjects.account, accountThrottle);
    takeAttempt(context, subjects.address, addressThrottle);
    const user = readUser(context.db, input.userId);
    return user?.active === 1 && user.password_hash ? { passwordHash: user.password_hash } : undefined;
  },

  /** @returns whether it holds: the user may have been switched off, or his password changed, while it was checked. */
  endServiceCheck: (context: WriteContext, input: Asked & { verifiedHash: string }): { ok: boolean } => {
    requireBox(context);
    const user = readUser(context.db, input.userId);
    if (user?.active !== 1 || user.password_hash !== input.verifiedHash) return { ok: false };
    attemptSucceeded(context, subjectsOf(input));
    return { ok: true };
  },

  /**
   * One that ended before is done; that of somebody else does not exist.
   * @throws AppError `not_found`
   */
  revokeSessionOf: (context: WriteContext, input: { userId: string; sid: string; reason: string }): void => {
    requireBox(context);
    const session = context.db
      .prepare<[string, string], SessionRow>('SELECT * FROM sessions WHERE id = ? AND user_id = ?')
      .get(input.sid, input.userId);
    if (!session) throw new AppError('not_found', 'The user has no such session.');
    if (session.revoked_ms !== null || session.expires_ms <= context.nowMs) return;
    endSession(context, session, input.reason);
    appendAudit(context, {
      actor: { ...context.actor, orgId: session.org_id },
      action: 'session.revoked',
      target: `session:${session.id}`,
      detail: { user_id: session.user_id, reason: input.reason },
    });
  },
};
