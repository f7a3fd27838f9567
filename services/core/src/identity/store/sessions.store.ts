/** Device sessions: opening, rotating, ending. A session row never comes back once it ended. */
import type { AccessClaims, Me } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime/base';
import type { z } from 'zod';
import { orgScope } from '../../kernel/access.ts';
import type { WriteContext } from '../../kernel/transaction.ts';
import { sessionExpiry, sessionsPerUserMax } from '../domain/session-life.ts';
import { grantsOf, readMe } from './grants.store.ts';
import { readUser, toSession, type SessionRow, type UserRow } from './identity-rows.ts';
import { revokeSid } from './revocations.store.ts';

/** Claims as the writer saw them at one moment; the HTTP thread, which holds the key, signs them. */
export type UnsignedClaims = Omit<AccessClaims, 'iss' | 'aud' | 'exp'>;
export type SignedInSeed = { claims: UnsignedClaims; me: z.input<typeof Me>; sessionExpiresMs: number };

export type NewSession = {
  sessionId: string;
  deviceName: string;
  address: string;
  userAgent: string;
  refreshSha256: string;
};

export function openSessionOf(context: WriteContext, user: UserRow, input: NewSession): SignedInSeed {
  const { db, nowMs } = context;
  const living = livingSessions(context, user.id);
  for (const old of living.slice(sessionsPerUserMax - 1)) endSession(context, old, 'too many sessions');
  const row: SessionRow = {
    id: input.sessionId,
    org_id: user.org_id,
    user_id: user.id,
    device_name: input.deviceName,
    address: input.address,
    user_agent: input.userAgent,
    refresh_sha256: input.refreshSha256,
    generation: 0,
    rotated_ms: nowMs,
    created_ms: nowMs,
    last_used_ms: nowMs,
    expires_ms: sessionExpiry(nowMs, nowMs),
    revoked_ms: null,
  };
  db.prepare(
    `INSERT INTO sessions (id, org_id, user_id, device_name, address, user_agent, refresh_sha256, generation,
       rotated_ms, created_ms, last_used_ms, expires_ms, revoked_ms)
     VALUES (@id, @org_id, @user_id, @device_name, @address, @user_agent, @refresh_sha256, @generation,
       @rotated_ms, @created_ms, @last_used_ms, @expires_ms, @revoked_ms)`,
  ).run(row);
  db.prepare('UPDATE users SET last_login_ms = ? WHERE id = ?').run(nowMs, user.id);
  sayChanged(context, row, 'created');
  return seedOf(context, { ...user, last_login_ms: nowMs }, row);
}

/** What a token for this session says now. */
export const seedOf = (
  { db, nowMs }: Pick<WriteContext, 'db' | 'nowMs'>,
  user: UserRow,
  session: Pick<SessionRow, 'id' | 'expires_ms'>,
): SignedInSeed => ({
  claims: {
    sub: user.id,
    sid: session.id,
    kind: 'user',
    org: user.org_id,
    name: user.name,
    grants: grantsOf(db, user.id),
    iat: nowMs / 1_000,
  },
  me: readMe(db, user, session.id),
  sessionExpiresMs: session.expires_ms,
});

/** Newest use first. */
const livingSessions = ({ db, nowMs }: Pick<WriteContext, 'db' | 'nowMs'>, userId: string): SessionRow[] =>
  db
    .prepare<[string, number], SessionRow>(
      'SELECT * FROM sessions WHERE user_id = ? AND revoked_ms IS NULL AND expires_ms > ? ORDER BY last_used_ms DESC',
    )
    .all(userId, nowMs);

export function endSession(context: WriteContext, session: SessionRow, reason: string): void {
  context.db.prepare('UPDATE sessions SET revoked_ms = ? WHERE id = ?').run(context.nowMs, session.id);
  revokeSid(context, session.org_id, session.id, reason);
  sayChanged(context, session, 'deleted');
}

/** @param keepSid a session that goes on. */
export function endSessionsOf(
  context: WriteContext,
  userId: string,
  reason: string,
  keepSid?: string,
): number {
  const ended = livingSessions(context, userId).filter((session) => session.id !== keepSid);
  for (const session of ended) endSession(context, session, reason);
  return ended.length;
}

function sayChanged(context: WriteContext, row: SessionRow, action: 'created' | 'deleted'): void {
  const name = readUser(context.db, row.user_id)?.name ?? '';
  context.change({
    kind: 'session',
    action,
    id: row.id,
    orgId: row.org_id,
    audience: 'identity.read',
    scopes: orgScope(row.org_id),
    traceId: context.traceId,
    data:
      action === 'deleted'
        ? { id: row.id, user_id: row.user_id, ended_at: toRfc3339(context.nowMs) }
        : toSession({ ...row, user_name: name }, undefined),
  });
}
