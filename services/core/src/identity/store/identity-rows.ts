/** Identity rows and how the wire shows them. */
import type {
  ApiKey,
  DeviceSession,
  Group,
  Permission,
  Role,
  RoleBinding,
  Scope,
  User,
} from '@siphera/contract';
import { toRfc3339, type Sqlite } from '@siphera/runtime/base';
import type { z } from 'zod';

export type UserRow = {
  id: string;
  org_id: string;
  name: string;
  email: string;
  password_hash: string | null;
  active: number;
  locale: 'en' | 'de';
  created_ms: number;
  last_login_ms: number | null;
  deleted_ms: number | null;
};
export type GroupRow = { id: string; org_id: string; name: string; created_ms: number };
export type BindingRow = {
  id: string;
  org_id: string;
  user_id: string | null;
  group_id: string | null;
  role: Role;
  scope_kind: Scope['kind'];
  scope_id: string;
  created_ms: number;
};
export type SessionRow = {
  id: string;
  org_id: string;
  user_id: string;
  device_name: string;
  address: string;
  user_agent: string;
  refresh_sha256: string;
  generation: number;
  rotated_ms: number;
  created_ms: number;
  last_used_ms: number;
  expires_ms: number;
  revoked_ms: number | null;
};
export type ApiKeyRow = {
  id: string;
  org_id: string;
  name: string;
  secret_sha256: string;
  prefix: string;
  permissions: string;
  scope_kind: Scope['kind'];
  scope_id: string;
  created_ms: number;
  created_by: string;
  last_used_ms: number | null;
  expires_ms: number | null;
  revoked_ms: number | null;
};

/** A user that was not removed. */
export const readUser = (db: Sqlite, id: string): UserRow | undefined =>
  db.prepare<[string], UserRow>('SELECT * FROM users WHERE id = ? AND deleted_ms IS NULL').get(id);
export const readGroup = (db: Sqlite, id: string): GroupRow | undefined =>
  db.prepare<[string], GroupRow>('SELECT * FROM groups WHERE id = ?').get(id);
export const readBinding = (db: Sqlite, id: string): BindingRow | undefined =>
  db.prepare<[string], BindingRow>('SELECT * FROM role_bindings WHERE id = ?').get(id);

export type NamedBinding = BindingRow & { via: string | null };

/** The user's own bindings and those of his groups. */
export const bindingsOfUser = (db: Sqlite, userId: string): NamedBinding[] =>
  db
    .prepare<[string, string], NamedBinding>(
      `SELECT b.*, NULL AS via FROM role_bindings b WHERE b.user_id = ?
       UNION ALL
       SELECT b.*, g.name AS via FROM group_members m JOIN groups g ON g.id = m.group_id
         JOIN role_bindings b ON b.group_id = m.group_id WHERE m.user_id = ?`,
    )
    .all(userId, userId);
export const bindingsOfGroup = (db: Sqlite, groupId: string): BindingRow[] =>
  db.prepare<[string], BindingRow>('SELECT * FROM role_bindings WHERE group_id = ?').all(groupId);
export const membersOf = (db: Sqlite, groupId: string): { id: string; name: string }[] =>
  db
    .prepare<[string], { id: string; name: string }>(
      'SELECT u.id, u.name FROM group_members m JOIN users u ON u.id = m.user_id WHERE m.group_id = ? ORDER BY u.name',
    )
    .all(groupId);

const scopeTables = { org: 'orgs', site: 'sites', area: 'areas', device: 'devices' } as const;

/** Name of the org, site, area or device; empty once it is gone. */
export const scopeName = (db: Sqlite, scope: Scope): string =>
  db
    .prepare<[string], { name: string }>(`SELECT name FROM ${scopeTables[scope.kind]} WHERE id = ?`)
    .get(scope.id)?.name ?? '';

export const scopeOf = (row: { scope_kind: Scope['kind']; scope_id: string }): Scope => ({
  kind: row.scope_kind,
  id: row.scope_id,
});

export function toUser(db: Sqlite, row: UserRow): User {
  const groups = db
    .prepare<[string], { id: string; name: string }>(
      'SELECT g.id, g.name FROM group_members m JOIN groups g ON g.id = m.group_id WHERE m.user_id = ? ORDER BY g.name',
    )
    .all(row.id);
  return {
    id: row.id,
    org_id: row.org_id,
    name: row.name,
    email: row.email,
    active: row.active === 1,
    locale: row.locale,
    created_at: toRfc3339(row.created_ms),
    ...(row.last_login_ms === null ? {} : { last_login_at: toRfc3339(row.last_login_ms) }),
    groups,
    roles: bindingsOfUser(db, row.id).map((binding) => ({
      role: binding.role,
      scope: scopeOf(binding),
      scope_name: scopeName(db, scopeOf(binding)),
      ...(binding.via === null ? {} : { via: binding.via }),
    })),
  };
}

export const toGroup = (db: Sqlite, row: GroupRow): z.infer<typeof Group> => ({
  id: row.id,
  org_id: row.org_id,
  name: row.name,
  members: membersOf(db, row.id),
  created_at: toRfc3339(row.created_ms),
});

export function toBinding(db: Sqlite, row: BindingRow): z.infer<typeof RoleBinding> {
  const kind = row.user_id === null ? ('group' as const) : ('user' as const);
  const id = row.user_id ?? row.group_id ?? '';
  const named = kind === 'user' ? readUser(db, id) : readGroup(db, id);
  return {
    id: row.id,
    subject: { kind, id, name: named?.name ?? '' },
    role: row.role,
    scope: scopeOf(row),
    scope_name: scopeName(db, scopeOf(row)),
    created_at: toRfc3339(row.created_ms),
  };
}

export const toSession = (
  row: SessionRow & { user_name: string },
  currentSid: string | undefined,
): z.infer<typeof DeviceSession> => ({
  id: row.id,
  user: { id: row.user_id, name: row.user_name },
  device_name: row.device_name,
  address: row.address,
  user_agent: row.user_agent,
  created_at: toRfc3339(row.created_ms),
  last_used_at: toRfc3339(row.last_used_ms),
  expires_at: toRfc3339(row.expires_ms),
  current: row.id === currentSid,
});

export const toApiKey = (row: ApiKeyRow): z.infer<typeof ApiKey> => ({
  id: row.id,
  org_id: row.org_id,
  name: row.name,
  permissions: JSON.parse(row.permissions) as Permission[],
  scope: scopeOf(row),
  prefix: row.prefix,
  created_at: toRfc3339(row.created_ms),
  created_by: row.created_by,
  ...(row.last_used_ms === null ? {} : { last_used_at: toRfc3339(row.last_used_ms) }),
  ...(row.expires_ms === null ? {} : { expires_at: toRfc3339(row.expires_ms) }),
});
