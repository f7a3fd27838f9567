/** API keys: scoped, hashed, shown once. A key can do no more than its maker could when he made it. */
import type { ApiKey, Permission, Scope } from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import type { z } from 'zod';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { authoriseOn, orgScope, scopesOf } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { requireHolds } from './store/grants.store.ts';
import { scopeOf, toApiKey, type ApiKeyRow } from './store/identity-rows.ts';
import { revokeSid } from './store/revocations.store.ts';

const apiKeysMax = 200;

export type NewApiKey = {
  id: string;
  name: string;
  permissions: readonly Permission[];
  scope: Scope;
  secretSha256: string;
  prefix: string;
  expiresMs: number | undefined;
};

export const apiKeyWrites = {
  createApiKey: (context: WriteContext, input: NewApiKey): z.infer<typeof ApiKey> => {
    const { actor, db, nowMs } = context;
    authoriseOn(actor, { read: 'apikey.manage' }, scopesOf(db, input.scope));
    requireHolds(db, actor, input.permissions, input.scope);
    if (input.expiresMs !== undefined && input.expiresMs <= nowMs)
      throw new AppError('validation_failed', 'The key would have expired already.', {
        extra: { errors: [{ path: 'body.expires_at', message: 'must be in the future' }] },
      });
    const count = db
      .prepare<[string], { n: number }>(
        'SELECT count(*) AS n FROM api_keys WHERE org_id = ? AND revoked_ms IS NULL',
      )
      .get(actor.orgId);
    if ((count?.n ?? 0) >= apiKeysMax)
      throw new AppError('unprocessable', `The box keeps at most ${apiKeysMax} API keys.`);
    insertApiKey(context, { ...input, orgId: actor.orgId, createdBy: actor.name });
    appendAudit(context, {
      actor,
      action: 'api_key.created',
      target: `api_key:${input.id}`,
      detail: {
        name: input.name,
        permissions: input.permissions,
        scope: `${input.scope.kind}:${input.scope.id}`,
      },
    });
    return toApiKey(readKey(context, input.id) as ApiKeyRow);
  },

  deleteApiKey: (context: WriteContext, input: { id: string }): void => {
    const { actor, db } = context;
    const row = readKey(context, input.id);
    const path = row && (scopesOf(db, scopeOf(row)) ?? { orgId: row.org_id, scopes: orgScope(row.org_id) });
    authoriseOn(actor, { read: 'apikey.manage' }, row?.revoked_ms === null ? path : undefined);
    if (!row) return;
    endApiKey(context, row);
    appendAudit(context, {
      actor,
      action: 'api_key.revoked',
      target: `api_key:${row.id}`,
      detail: { name: row.name },
    });
  },

  /** Kept to the minute; it changes nothing that anybody follows. */
  touchApiKey: (context: WriteContext, input: { id: string }): void => {
    context.db.prepare('UPDATE api_keys SET last_used_ms = ? WHERE id = ?').run(context.nowMs, input.id);
  },
};

export function insertApiKey(
  { db, nowMs }: Pick<WriteContext, 'db' | 'nowMs'>,
  input: NewApiKey & { orgId: string; createdBy: string },
): void {
  db.prepare(
    `INSERT INTO api_keys (id, org_id, name, secret_sha256, prefix, permissions, scope_kind, scope_id, created_ms, created_by, expires_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    input.id,
    input.orgId,
    input.name,
    input.secretSha256,
    input.prefix,
    JSON.stringify([...new Set(input.permissions)]),
    input.scope.kind,
    input.scope.id,
    nowMs,
    input.createdBy,
    input.expiresMs ?? null,
  );
}

export function endApiKey(context: WriteContext, row: { id: string; org_id: string }): void {
  context.db.prepare('UPDATE api_keys SET revoked_ms = ? WHERE id = ?').run(context.nowMs, row.id);
  revokeSid(context, row.org_id, row.id, 'API key revoked');
}

const readKey = ({ db }: WriteContext, id: string): ApiKeyRow | undefined =>
  db.prepare<[string], ApiKeyRow>('SELECT * FROM api_keys WHERE id = ?').get(id);
