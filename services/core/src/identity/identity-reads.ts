/** All reading use cases of identity. Who sees a whole org sees everybody; who sees a site sees those bound in it. */
import type { ApiKey, DeviceSession, Group, Me, RoleBinding, User } from '@siphera/contract';
import { isGranted } from '@siphera/contract/base';
import { AppError } from '@siphera/runtime/base';
import type { z } from 'zod';
import { authorise, orgScope } from '../kernel/access.ts';
import { decodeCursor, toPage } from '../kernel/cursor.ts';
import { readFeedSeq } from '../kernel/feed-seq.ts';
import type { ReadContext } from '../kernel/transaction.ts';
import { readMe, requireVisibleUser, seesScope, visibleUsers } from './store/grants.store.ts';
import {
  bindingsOfGroup,
  readUser,
  scopeOf,
  toApiKey,
  toBinding,
  toGroup,
  toSession,
  toUser,
  type ApiKeyRow,
  type BindingRow,
  type GroupRow,
  type SessionRow,
  type UserRow,
} from './store/identity-rows.ts';

type Page = { cursor?: string | undefined; limit: number };
type Items<T> = { items: T[] };

export const identityReads = {
  getMe: ({ db, actor }: ReadContext, _input: Record<string, never>): z.input<typeof Me> => {
    const user = actor.kind === 'user' ? readUser(db, actor.id) : undefined;
    if (!user) throw new AppError('forbidden', 'Only a signed-in user has this.');
    return readMe(db, user, actor.sid ?? '');
  },

  listUsers: ({ db, actor }: ReadContext, input: Page & { q?: string | undefined }) => {
    requireAnywhere(actor, 'identity.read');
    const visible = visibleUsers(db, actor, 'identity.read');
    const only = visible === 'all' ? null : JSON.stringify([...visible]);
    const after = input.cursor === undefined ? '' : String(decodeCursor(input.cursor));
    const like = input.q === undefined ? null : `%${input.q.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    const rows = db
      .prepare<
        [string, string, string | null, string | null, string | null, string | null, string | null, number],
        UserRow
      >(
        `SELECT * FROM users WHERE org_id = ? AND deleted_ms IS NULL AND id > ?
         AND (? IS NULL OR id IN (SELECT value FROM json_each(?)))
         AND (? IS NULL OR name LIKE ? ESCAPE '\\' OR email LIKE ? ESCAPE '\\') ORDER BY id LIMIT ?`,
      )
      .all(actor.orgId, after, only, only, like, like, like, input.limit + 1);
    return {
      ...toPage(
        rows,
        input.limit,
        (row) => toUser(db, row),
        (row) => row.id,
      ),
      feed_seq: readFeedSeq(db),
    };
  },

  getUser: ({ db, actor }: ReadContext, input: { id: string }): User =>
    toUser(db, requireVisibleUser(db, actor, input.id)),

  listGroups: ({ db, actor }: ReadContext, _input: Record<string, never>): Items<z.infer<typeof Group>> => {
    requireAnywhere(actor, 'identity.read');
    const all = isGranted(actor.grants, 'identity.read', orgScope(actor.orgId));
    const rows = db
      .prepare<[string], GroupRow>('SELECT * FROM groups WHERE org_id = ? ORDER BY name, id')
      .all(actor.orgId);
    const seen = rows.filter(
      (row) =>
        all ||
        bindingsOfGroup(db, row.id).some((binding) =>
          seesScope(db, actor, 'identity.read', scopeOf(binding)),
        ),
    );
    return { items: seen.map((row) => toGroup(db, row)) };
  },

  listRoleBindings: (
    { db, actor }: ReadContext,
    _input: Record<string, never>,
  ): Items<z.infer<typeof RoleBinding>> => {
    requireAnywhere(actor, 'identity.read');
    const all = isGranted(actor.grants, 'identity.read', orgScope(actor.orgId));
    const rows = db
      .prepare<[string], BindingRow>('SELECT * FROM role_bindings WHERE org_id = ? ORDER BY id')
      .all(actor.orgId);
    const seen = rows.filter((row) => all || seesScope(db, actor, 'identity.read', scopeOf(row)));
    return { items: seen.map((row) => toBinding(db, row)) };
  },

  listApiKeys: ({ db, actor }: ReadContext, _input: Record<string, never>): Items<z.infer<typeof ApiKey>> => {
    requireAnywhere(actor, 'apikey.manage');
    const all = isGranted(actor.grants, 'apikey.manage', orgScope(actor.orgId));
    const rows = db
      .prepare<[string], ApiKeyRow>(
        'SELECT * FROM api_keys WHERE org_id = ? AND revoked_ms IS NULL ORDER BY id',
      )
      .all(actor.orgId);
    return {
      items: rows.filter((row) => all || seesScope(db, actor, 'apikey.manage', scopeOf(row))).map(toApiKey),
    };
  },

  /** Own sessions; those of another user for whoever may see him. */
  listSessions: (
    { db, actor, nowMs }: ReadContext,
    input: { user_id?: string | undefined },
  ): Items<z.infer<typeof DeviceSession>> => {
    if (actor.kind !== 'user' && input.user_id === undefined)
      throw new AppError('forbidden', 'Only a signed-in user has sessions.');
    const userId = input.user_id ?? actor.id;
    if (userId !== actor.id) requireVisibleUser(db, actor, userId);
    const rows = db
      .prepare<[string, string, number], SessionRow & { user_name: string }>(
        `SELECT s.*, u.name AS user_name FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.user_id = ? AND s.org_id = ? AND s.revoked_ms IS NULL AND s.expires_ms > ? ORDER BY s.last_used_ms DESC`,
      )
      .all(userId, actor.orgId, nowMs);
    return { items: rows.map((row) => toSession(row, actor.sid)) };
  },
};

/** Lists show what the actor may see; who may see nothing of the kind anywhere is refused instead of shown an empty list. */
function requireAnywhere(actor: ReadContext['actor'], permission: 'identity.read' | 'apikey.manage'): void {
  authorise(
    actor,
    permission,
    actor.grants.map((grant) => grant.scope),
  );
}
