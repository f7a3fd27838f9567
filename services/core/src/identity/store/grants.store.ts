/** What a user may do, from his bindings and those of his groups; and what an actor may hand on to others. */
import {
  rolePermissions,
  scopeKey,
  type Grant,
  type Permission,
  type Role,
  type Scope,
} from '@siphera/contract/base';
import type { Me } from '@siphera/contract';
import { AppError, type Sqlite } from '@siphera/runtime/base';
import { isGranted } from '@siphera/contract/base';
import type { z } from 'zod';
import { scopesOf } from '../../kernel/access.ts';
import type { Actor } from '../../kernel/actor.ts';
import { bindingsOfUser, readUser, scopeOf, toUser, type UserRow } from './identity-rows.ts';

/** One grant a scope, with all that the roles on it give. */
export function grantsOf(db: Sqlite, userId: string): Grant[] {
  const byScope = new Map<string, Set<Permission>>();
  for (const binding of bindingsOfUser(db, userId)) {
    const key = scopeKey(scopeOf(binding));
    const held = byScope.get(key) ?? new Set();
    for (const permission of rolePermissions[binding.role]) held.add(permission);
    byScope.set(key, held);
  }
  return [...byScope].map(([scope, held]) => ({ scope, permissions: [...held] }));
}

/** @throws AppError `forbidden`: nobody hands on what he does not hold there himself. */
export function requireHolds(
  db: Sqlite,
  actor: Actor,
  permissions: readonly Permission[],
  scope: Scope,
): void {
  // A scope that is gone gives nothing any more; what is left of it counts as the org's.
  const scopes = scopesOf(db, scope)?.scopes ?? [`org:${actor.orgId}`];
  const missing = permissions.filter((permission) => !isGranted(actor.grants, permission, scopes));
  if (missing.length > 0)
    throw new AppError('forbidden', `You do not hold ${missing.join(', ')} there yourself.`);
}

export const requireHoldsRole = (db: Sqlite, actor: Actor, role: Role, scope: Scope): void =>
  requireHolds(db, actor, rolePermissions[role], scope);

/** @throws AppError `forbidden` unless the actor holds all that the user holds: nobody changes who stands above him. */
export function requireAbove(db: Sqlite, actor: Actor, userId: string): void {
  for (const binding of bindingsOfUser(db, userId))
    requireHoldsRole(db, actor, binding.role, scopeOf(binding));
}

/** The signed-in user as the console sees himself. */
export function readMe(db: Sqlite, user: UserRow, sessionId: string): z.input<typeof Me> {
  const org = db.prepare<[string], { name: string }>('SELECT name FROM orgs WHERE id = ?').get(user.org_id);
  return {
    user: toUser(db, user),
    session_id: sessionId,
    org: { id: user.org_id, name: org?.name ?? '' },
    permissions: grantsOf(db, user.id).flatMap((grant) =>
      grant.permissions.map((permission) => ({ permission, scope: grant.scope })),
    ),
  };
}

/** @throws AppError `conflict` when no active org admin is left: nobody could let anybody in any more. */
export function requireOrgAdminLeft(db: Sqlite, orgId: string): void {
  const row = db
    .prepare<[string, string], { found: number }>(
      `SELECT 1 AS found FROM users u WHERE u.active = 1 AND u.deleted_ms IS NULL AND u.password_hash IS NOT NULL AND u.id IN (
         SELECT b.user_id FROM role_bindings b WHERE b.role = 'admin' AND b.scope_kind = 'org' AND b.scope_id = ?
         UNION
         SELECT m.user_id FROM role_bindings b JOIN group_members m ON m.group_id = b.group_id
           WHERE b.role = 'admin' AND b.scope_kind = 'org' AND b.scope_id = ?) LIMIT 1`,
    )
    .get(orgId, orgId);
  if (!row)
    throw new AppError('conflict', 'This would take away the last admin of the organisation.', {
      hint: 'Make somebody else an admin first.',
    });
}

/** Users with a binding inside what the actor may see; `all` for who may see the whole org. */
export function visibleUsers(db: Sqlite, actor: Actor, permission: Permission): ReadonlySet<string> | 'all' {
  if (isGranted(actor.grants, permission, [`org:${actor.orgId}`])) return 'all';
  const rows = db
    .prepare<[string], { user_id: string; scope_kind: Scope['kind']; scope_id: string }>(
      `SELECT coalesce(b.user_id, m.user_id) AS user_id, b.scope_kind, b.scope_id FROM role_bindings b
       LEFT JOIN group_members m ON m.group_id = b.group_id
       WHERE b.org_id = ? AND coalesce(b.user_id, m.user_id) IS NOT NULL`,
    )
    .all(actor.orgId);
  return new Set(
    rows.filter((row) => seesScope(db, actor, permission, scopeOf(row))).map((row) => row.user_id),
  );
}

export function seesScope(db: Sqlite, actor: Actor, permission: Permission, scope: Scope): boolean {
  const path = scopesOf(db, scope);
  return path?.orgId === actor.orgId && isGranted(actor.grants, permission, path.scopes);
}

/** The user if the actor may see him. @throws AppError `not_found`. */
export function requireVisibleUser(db: Sqlite, actor: Actor, id: string): UserRow {
  const user = readUser(db, id);
  const visible = user && user.org_id === actor.orgId ? visibleUsers(db, actor, 'identity.read') : undefined;
  if (!user || !visible || (visible !== 'all' && !visible.has(id)))
    throw new AppError('not_found', 'There is no such user, or you may not see him.');
  return user;
}
