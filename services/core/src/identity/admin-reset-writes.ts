/** The way back in for root when no admin can sign in any more. Reached by the internal API alone. */
import { AppError } from '@siphera/runtime/base';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import type { Actor } from '../kernel/actor.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { insertBinding } from './group-writes.ts';
import { actorOfUser } from './session-writes.ts';
import type { UserRow } from './store/identity-rows.ts';
import { revokeTokensOf } from './store/revocations.store.ts';
import { endSessionsOf } from './store/sessions.store.ts';
import { sayUserChanged } from './user-writes.ts';

export const adminResetWrites = {
  /** A new password for an admin, who is also made active and an org admin again. */
  resetAdmin: (
    context: WriteContext,
    input: { email: string | undefined; passwordHash: string },
  ): { email: string; name: string } => {
    const user = input.email === undefined ? oldestAdmin(context) : userByEmail(context, input.email);
    if (!user) throw new AppError('not_found', 'There is no such user.', { hint: 'Name one with --email.' });
    context.db
      .prepare('UPDATE users SET password_hash = ?, active = 1 WHERE id = ?')
      .run(input.passwordHash, user.id);
    const actor: Actor = { ...actorOfUser(user, ''), kind: 'system', id: 'root', name: 'root on the box' };
    const own: WriteContext = { ...context, actor };
    if (!isOrgAdmin(context, user))
      insertBinding(own, {
        subject: { kind: 'user', id: user.id },
        role: 'admin',
        scope: { kind: 'org', id: user.org_id },
      });
    const ended = endSessionsOf(own, user.id, 'admin was reset');
    revokeTokensOf(own, user.org_id, user.id, 'admin was reset');
    context.db.prepare(`DELETE FROM login_failures`).run();
    appendAudit(own, {
      actor,
      action: 'admin.reset',
      target: `user:${user.id}`,
      detail: { sessions_ended: ended },
    });
    sayUserChanged(own, user.id, user.org_id, 'updated');
    return { email: user.email, name: user.name };
  },
};

const userByEmail = ({ db }: WriteContext, email: string): UserRow | undefined =>
  db.prepare<[string], UserRow>('SELECT * FROM users WHERE email = ? AND deleted_ms IS NULL').get(email);

const oldestAdmin = ({ db }: WriteContext): UserRow | undefined =>
  db
    .prepare<[], UserRow>(
      `SELECT u.* FROM users u JOIN role_bindings b ON b.user_id = u.id AND b.role = 'admin' AND b.scope_kind = 'org'
       WHERE u.deleted_ms IS NULL ORDER BY u.active DESC, u.id LIMIT 1`,
    )
    .get();

const isOrgAdmin = ({ db }: WriteContext, user: UserRow): boolean =>
  db
    .prepare(
      `SELECT 1 FROM role_bindings WHERE user_id = ? AND role = 'admin' AND scope_kind = 'org' AND scope_id = ?`,
    )
    .get(user.id, user.org_id) !== undefined;
