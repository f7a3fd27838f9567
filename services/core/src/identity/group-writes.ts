/** Groups and role bindings. Whatever changes what somebody may do makes his old tokens worthless at once. */
import type { Group, Role, RoleBinding, Scope } from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import type { z } from 'zod';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { authorise, authoriseOn, orgScope, scopesOf } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import {
  requireHoldsRole,
  requireOrgAdminLeft,
  requireVisibleUser,
  seesScope,
} from './store/grants.store.ts';
import {
  bindingsOfGroup,
  membersOf,
  readBinding,
  readGroup,
  readUser,
  scopeOf,
  toBinding,
  toGroup,
  type BindingRow,
  type GroupRow,
} from './store/identity-rows.ts';
import { revokeTokensOf } from './store/revocations.store.ts';
import { sayUserChanged } from './user-writes.ts';

const groupsMax = 500;
/** Bindings travel in each access token, which must fit a header. */
const bindingsPerSubjectMax = 20;

type Subject = { kind: 'user' | 'group'; id: string };

export const groupWrites = {
  createGroup: (context: WriteContext, input: { name: string }): z.infer<typeof Group> => {
    const { actor, db } = context;
    authorise(actor, 'identity.manage', orgScope(actor.orgId));
    const count = db
      .prepare<[string], { n: number }>('SELECT count(*) AS n FROM groups WHERE org_id = ?')
      .get(actor.orgId);
    if ((count?.n ?? 0) >= groupsMax)
      throw new AppError('unprocessable', `The box keeps at most ${groupsMax} groups.`);
    const id = context.random.uuid();
    db.prepare('INSERT INTO groups (id, org_id, name, created_ms) VALUES (?, ?, ?, ?)').run(
      id,
      actor.orgId,
      input.name,
      context.nowMs,
    );
    appendAudit(context, {
      actor,
      action: 'group.created',
      target: `group:${id}`,
      detail: { name: input.name },
    });
    return toGroup(db, readGroup(db, id) as GroupRow);
  },

  updateGroup: (
    context: WriteContext,
    input: { id: string; name?: string | undefined; member_ids?: readonly string[] | undefined },
  ): z.infer<typeof Group> => {
    const { actor, db } = context;
    const group = requireManageableGroup(context, input.id);
    const before = new Set(membersOf(db, group.id).map((member) => member.id));
    if (input.name !== undefined)
      db.prepare('UPDATE groups SET name = ? WHERE id = ?').run(input.name, group.id);
    const after = new Set(input.member_ids ?? before);
    for (const id of after) if (!before.has(id)) requireVisibleUser(db, actor, id);
    const added = [...after].filter((id) => !before.has(id));
    const removed = [...before].filter((id) => !after.has(id));
    for (const id of added)
      db.prepare('INSERT INTO group_members (group_id, user_id) VALUES (?, ?)').run(group.id, id);
    for (const id of removed)
      db.prepare('DELETE FROM group_members WHERE group_id = ? AND user_id = ?').run(group.id, id);
    requireOrgAdminLeft(db, group.org_id);
    rolesChanged(context, group.org_id, [...added, ...removed]);
    // A user is shown with the names of his groups.
    if (input.name !== undefined)
      for (const id of after) if (before.has(id)) sayUserChanged(context, id, group.org_id, 'updated');
    appendAudit(context, {
      actor,
      action: 'group.updated',
      target: `group:${group.id}`,
      detail: { ...(input.name === undefined ? {} : { name: input.name }), added, removed },
    });
    return toGroup(db, readGroup(db, group.id) as GroupRow);
  },

  deleteGroup: (context: WriteContext, input: { id: string }): void => {
    const { actor, db } = context;
    const group = requireManageableGroup(context, input.id);
    const members = membersOf(db, group.id).map((member) => member.id);
    db.prepare('DELETE FROM groups WHERE id = ?').run(group.id);
    requireOrgAdminLeft(db, group.org_id);
    rolesChanged(context, group.org_id, members);
    appendAudit(context, {
      actor,
      action: 'group.deleted',
      target: `group:${group.id}`,
      detail: { name: group.name },
    });
  },

  createRoleBinding: (
    context: WriteContext,
    input: { subject: Subject; role: Role; scope: Scope },
  ): z.infer<typeof RoleBinding> => {
    const { actor, db } = context;
    authoriseOn(actor, { read: 'identity.read', act: 'identity.manage' }, scopesOf(db, input.scope));
    requireHoldsRole(db, actor, input.role, input.scope);
    requireSubject(context, input.subject);
    const id = insertBinding(context, input);
    appendAudit(context, {
      actor,
      action: 'role.granted',
      target: `${input.subject.kind}:${input.subject.id}`,
      detail: { role: input.role, scope: `${input.scope.kind}:${input.scope.id}` },
    });
    rolesChanged(context, actor.orgId, usersOf(context, input.subject));
    return toBinding(db, readBinding(db, id) as BindingRow);
  },

  deleteRoleBinding: (context: WriteContext, input: { id: string }): void => {
    const { actor, db } = context;
    const binding = readBinding(db, input.id);
    // The place of a binding may be gone; then it belongs to the org.
    const path =
      binding &&
      (scopesOf(db, scopeOf(binding)) ?? { orgId: binding.org_id, scopes: orgScope(binding.org_id) });
    authoriseOn(actor, { read: 'identity.read', act: 'identity.manage' }, path);
    if (!binding) return;
    requireHoldsRole(db, actor, binding.role, scopeOf(binding));
    db.prepare('DELETE FROM role_bindings WHERE id = ?').run(binding.id);
    requireOrgAdminLeft(db, binding.org_id);
    const subject: Subject =
      binding.user_id === null
        ? { kind: 'group', id: binding.group_id ?? '' }
        : { kind: 'user', id: binding.user_id };
    appendAudit(context, {
      actor,
      action: 'role.taken',
      target: `${subject.kind}:${subject.id}`,
      detail: { role: binding.role, scope: `${binding.scope_kind}:${binding.scope_id}` },
    });
    rolesChanged(context, binding.org_id, usersOf(context, subject));
  },
};

export function insertBinding(
  context: Pick<WriteContext, 'db' | 'random' | 'nowMs' | 'actor'>,
  { subject, role, scope }: { subject: Subject; role: Role; scope: Scope },
): string {
  const { db } = context;
  const column = subject.kind === 'user' ? 'user_id' : 'group_id';
  const known = db
    .prepare<[string], BindingRow>(`SELECT * FROM role_bindings WHERE ${column} = ?`)
    .all(subject.id);
  if (known.some((row) => row.role === role && row.scope_kind === scope.kind && row.scope_id === scope.id))
    throw new AppError('duplicate', 'This role is given there already.');
  if (known.length >= bindingsPerSubjectMax)
    throw new AppError(
      'unprocessable',
      `At most ${bindingsPerSubjectMax} roles can be given to one; use a wider scope.`,
    );
  const id = context.random.uuid();
  db.prepare(
    `INSERT INTO role_bindings (id, org_id, ${column}, role, scope_kind, scope_id, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  ).run(id, context.actor.orgId, subject.id, role, scope.kind, scope.id, context.nowMs);
  return id;
}

const usersOf = ({ db }: WriteContext, subject: Subject): string[] =>
  subject.kind === 'user' ? [subject.id] : membersOf(db, subject.id).map((member) => member.id);

function rolesChanged(context: WriteContext, orgId: string, userIds: readonly string[]): void {
  for (const id of userIds) {
    if (!readUser(context.db, id)) continue;
    revokeTokensOf(context, orgId, id, 'roles changed');
    sayUserChanged(context, id, orgId, 'updated');
  }
}

function requireSubject(context: WriteContext, subject: Subject): void {
  if (subject.kind === 'user') requireVisibleUser(context.db, context.actor, subject.id);
  else requireVisibleGroup(context, subject.id);
}

/** A group without bindings belongs to the org; one with bindings is seen by whoever sees one of their scopes. */
function requireVisibleGroup({ db, actor }: WriteContext, id: string): GroupRow {
  const group = readGroup(db, id);
  const scopes = [{ kind: 'org' as const, id: actor.orgId }, ...bindingsOfGroup(db, id).map(scopeOf)];
  if (group?.org_id !== actor.orgId || !scopes.some((scope) => seesScope(db, actor, 'identity.read', scope)))
    throw new AppError('not_found', 'There is no such group, or you may not see it.');
  return group;
}

/** Members of a group get what it is bound to, so who changes it must be able to give just that. */
function requireManageableGroup(context: WriteContext, id: string): GroupRow {
  const { db, actor } = context;
  const group = requireVisibleGroup(context, id);
  const bindings = bindingsOfGroup(db, id);
  if (bindings.length === 0) authorise(actor, 'identity.manage', orgScope(group.org_id));
  for (const binding of bindings) {
    authorise(actor, 'identity.manage', scopesOf(db, scopeOf(binding))?.scopes ?? orgScope(group.org_id));
    requireHoldsRole(db, actor, binding.role, scopeOf(binding));
  }
  return group;
}
