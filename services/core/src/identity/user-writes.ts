/** Adding, changing and removing users and groups. Who changes a user must hold all that the user holds. */
import { AppError } from '@siphera/runtime/base';
import type { User } from '@siphera/contract';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { authorise, orgScope } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { readMe, requireAbove, requireOrgAdminLeft, requireVisibleUser } from './store/grants.store.ts';
import { bindingsOfUser, readUser, scopeOf, toUser, type UserRow } from './store/identity-rows.ts';
import { revokeTokensOf } from './store/revocations.store.ts';
import { endSessionsOf } from './store/sessions.store.ts';
import { requireUser } from './session-writes.ts';
import { scopesOf } from '../kernel/access.ts';

/** A site box serves one building's staff; more would be an import gone wrong. */
const usersMax = 5_000;

export type UserChanges = {
  name?: string | undefined;
  email?: string | undefined;
  active?: boolean | undefined;
  locale?: 'en' | 'de' | undefined;
  passwordHash?: string | undefined;
};

/** Tells the feed; `data` is the user as REST shows him. */
export function sayUserChanged(
  context: WriteContext,
  id: string,
  orgId: string,
  action: 'created' | 'updated' | 'deleted',
): void {
  const row = action === 'deleted' ? undefined : readUser(context.db, id);
  context.change({
    kind: 'user',
    action,
    id,
    orgId,
    audience: 'identity.read',
    scopes: orgScope(orgId),
    traceId: context.traceId,
    ...(row ? { data: toUser(context.db, row) } : {}),
  });
}

export const userWrites = {
  updateMe: (
    context: WriteContext,
    input: { name?: string | undefined; locale?: 'en' | 'de' | undefined },
  ) => {
    const user = requireUser(context);
    context.db
      .prepare('UPDATE users SET name = coalesce(?, name), locale = coalesce(?, locale) WHERE id = ?')
      .run(input.name ?? null, input.locale ?? null, user.id);
    appendAudit(context, {
      actor: context.actor,
      action: 'user.updated',
      target: `user:${user.id}`,
      detail: { ...input },
    });
    sayUserChanged(context, user.id, user.org_id, 'updated');
    return readMe(context.db, readUser(context.db, user.id) ?? user, context.actor.sid ?? '');
  },

  createUser: (
    context: WriteContext,
    input: { name: string; email: string; passwordHash: string; locale: 'en' | 'de' },
  ): User => {
    const { actor, db } = context;
    authorise(actor, 'identity.manage', orgScope(actor.orgId));
    refuseTakenEmail(context, input.email);
    const count = db
      .prepare<[], { n: number }>('SELECT count(*) AS n FROM users WHERE deleted_ms IS NULL')
      .get();
    if ((count?.n ?? 0) >= usersMax)
      throw new AppError('unprocessable', `The box keeps at most ${usersMax} users.`);
    const id = insertUser(context, { ...input, orgId: actor.orgId });
    appendAudit(context, {
      actor,
      action: 'user.created',
      target: `user:${id}`,
      detail: { name: input.name },
    });
    sayUserChanged(context, id, actor.orgId, 'created');
    return toUser(db, readUser(db, id) as UserRow);
  },

  updateUser: (context: WriteContext, input: { id: string; changes: UserChanges }): User => {
    const { actor, db } = context;
    const user = requireManageable(context, input.id);
    const { changes } = input;
    if (changes.email !== undefined && changes.email.toLowerCase() !== user.email.toLowerCase())
      refuseTakenEmail(context, changes.email);
    const active = changes.active === undefined ? user.active : Number(changes.active);
    db.prepare(
      `UPDATE users SET name = coalesce(?, name), email = coalesce(?, email), locale = coalesce(?, locale),
         password_hash = coalesce(?, password_hash), active = ? WHERE id = ?`,
    ).run(
      changes.name ?? null,
      changes.email ?? null,
      changes.locale ?? null,
      changes.passwordHash ?? null,
      active,
      user.id,
    );
    if (active === 0) requireOrgAdminLeft(db, user.org_id);
    const { passwordHash, ...shown } = changes;
    endWhatChanged(context, user, {
      deactivated: user.active === 1 && active === 0,
      newPassword: passwordHash !== undefined,
    });
    appendAudit(context, {
      actor,
      action: 'user.updated',
      target: `user:${user.id}`,
      detail: { ...shown, ...(passwordHash === undefined ? {} : { new_secret: true }) },
    });
    sayUserChanged(context, user.id, user.org_id, 'updated');
    return toUser(db, readUser(db, user.id) as UserRow);
  },

  deleteUser: (context: WriteContext, input: { id: string }): void => {
    const { actor, db, nowMs } = context;
    const user = requireManageable(context, input.id);
    db.prepare('DELETE FROM role_bindings WHERE user_id = ?').run(user.id);
    db.prepare('DELETE FROM group_members WHERE user_id = ?').run(user.id);
    // The name stays for audit and timelines; what could be used to sign in does not.
    db.prepare('UPDATE users SET deleted_ms = ?, active = 0, password_hash = NULL WHERE id = ?').run(
      nowMs,
      user.id,
    );
    requireOrgAdminLeft(db, user.org_id);
    endWhatChanged(context, user, { deactivated: true, newPassword: false });
    appendAudit(context, {
      actor,
      action: 'user.deleted',
      target: `user:${user.id}`,
      detail: { name: user.name },
    });
    sayUserChanged(context, user.id, user.org_id, 'deleted');
  },
};

export function insertUser(
  { db, random, nowMs }: Pick<WriteContext, 'db' | 'random' | 'nowMs'>,
  input: { orgId: string; name: string; email: string; passwordHash: string; locale: 'en' | 'de' },
): string {
  const id = random.uuid();
  db.prepare(
    'INSERT INTO users (id, org_id, name, email, password_hash, active, locale, created_ms) VALUES (?, ?, ?, ?, ?, 1, ?, ?)',
  ).run(id, input.orgId, input.name, input.email, input.passwordHash, input.locale, nowMs);
  return id;
}

function endWhatChanged(
  context: WriteContext,
  user: UserRow,
  { deactivated, newPassword }: { deactivated: boolean; newPassword: boolean },
): void {
  if (!deactivated && !newPassword) return;
  const reason = deactivated ? 'user is no longer active' : 'password was set by an admin';
  endSessionsOf(context, user.id, reason);
  revokeTokensOf(context, user.org_id, user.id, reason);
}

/** A user whom the actor may change: identity.manage on each of his scopes, and nothing held that the actor lacks. */
function requireManageable(context: WriteContext, id: string): UserRow {
  const user = requireVisibleUser(context.db, context.actor, id);
  const bindings = bindingsOfUser(context.db, id);
  if (bindings.length === 0) authorise(context.actor, 'identity.manage', orgScope(user.org_id));
  for (const binding of bindings)
    authorise(
      context.actor,
      'identity.manage',
      scopesOf(context.db, scopeOf(binding))?.scopes ?? orgScope(user.org_id),
    );
  requireAbove(context.db, context.actor, id);
  return user;
}

function refuseTakenEmail({ db }: WriteContext, email: string): void {
  if (db.prepare('SELECT 1 FROM users WHERE email = ? AND deleted_ms IS NULL').get(email))
    throw new AppError('duplicate', 'A user with this e-mail address exists already.');
}
