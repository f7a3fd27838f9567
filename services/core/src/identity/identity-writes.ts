/** All writing use cases of identity. */
import { idempotencyLifeMs } from '../kernel/idempotency.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { adminResetWrites } from './admin-reset-writes.ts';
import { apiKeyWrites } from './api-key-writes.ts';
import { failuresForgottenMs } from './domain/login-throttle.ts';
import { endedSessionKeptMs } from './domain/session-life.ts';
import { groupWrites } from './group-writes.ts';
import { createSelfTestWrites, endWhere } from './self-test-writes.ts';
import { serviceWrites } from './service-writes.ts';
import { sessionWrites } from './session-writes.ts';
import { createSetupWrites } from './setup-writes.ts';
import { userWrites } from './user-writes.ts';

/** Rows taken off in one write, so that no commit waits for a large pruning. */
const pruneRowsMax = 2_000;

export const createIdentityWrites = (deps: WriterDeps) => ({
  ...createSetupWrites(deps),
  ...adminResetWrites,
  ...sessionWrites,
  ...serviceWrites,
  ...userWrites,
  ...groupWrites,
  ...apiKeyWrites,
  ...createSelfTestWrites(deps),

  /** Takes off what has expired. Done by the box itself, now and then. */
  pruneIdentity: (context: WriteContext, _input: Record<string, never>): void => {
    const { db, nowMs } = context;
    endWhere(context, deps, 'expires_ms <= ?', nowMs);
    const prune = (table: string, key: string, condition: string, before: number): void => {
      db.prepare(
        `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE ${condition} LIMIT ${pruneRowsMax})`,
      ).run(before);
    };
    prune('revocations', 'id', 'expires_ms <= ?', nowMs);
    prune('login_failures', 'subject', 'last_ms <= ?', nowMs - failuresForgottenMs);
    prune('sessions', 'id', 'coalesce(revoked_ms, expires_ms) <= ?', nowMs - endedSessionKeptMs);
    prune('setup_codes', 'code_sha256', 'coalesce(used_ms, expires_ms) <= ?', nowMs - endedSessionKeptMs);
    db.prepare('DELETE FROM idempotency WHERE at_ms <= ?').run(nowMs - idempotencyLifeMs);
  },
});
