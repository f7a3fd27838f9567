/**
 * Ends what was handed out: every service hears a revocation on the feed, in the transaction of its cause, and drops what
 * carries it. Rows are kept for one token life, after which every token they could hit has expired by itself.
 */
import { accessTokenLifeSeconds } from '@siphera/contract/base';
import type { Revocation } from '@siphera/contract';
import { toRfc3339, type Sqlite } from '@siphera/runtime/base';
import { orgScope } from '../../kernel/access.ts';
import type { WriteContext } from '../../kernel/transaction.ts';

/** Slack over the token life for tokens signed just after the commit began. */
const revocationLifeMs = accessTokenLifeSeconds * 1_000 + 10_000;

type Row = {
  sid: string | null;
  sub: string | null;
  issued_before_ms: number | null;
  reason: string;
  expires_ms: number;
};

function add(context: WriteContext, orgId: string, row: Omit<Row, 'expires_ms'>): void {
  const full = { ...row, expires_ms: context.nowMs + revocationLifeMs };
  context.db
    .prepare(
      'INSERT INTO revocations (sid, sub, issued_before_ms, reason, expires_ms) VALUES (@sid, @sub, @issued_before_ms, @reason, @expires_ms)',
    )
    .run(full);
  context.change({
    kind: 'revocation',
    action: 'created',
    id: row.sid ?? row.sub ?? '',
    orgId,
    audience: 'identity.manage',
    scopes: orgScope(orgId),
    traceId: context.traceId,
    data: toRevocation(full),
  });
}

/** Ends one session or API key for good. */
export const revokeSid = (context: WriteContext, orgId: string, sid: string, reason: string): void =>
  add(context, orgId, { sid, sub: null, issued_before_ms: null, reason });

/** Ends the tokens that the user holds now; his living sessions get new ones with what he may do from here on. */
export const revokeTokensOf = (context: WriteContext, orgId: string, userId: string, reason: string): void =>
  // One past now: a token of this very millisecond may carry the old grants.
  add(context, orgId, { sid: null, sub: userId, issued_before_ms: context.nowMs + 1, reason });

const toRevocation = (row: Row): Revocation => ({
  ...(row.sid === null ? {} : { sid: row.sid }),
  ...(row.sub === null ? {} : { sub: row.sub }),
  ...(row.issued_before_ms === null ? {} : { issued_before: toRfc3339(row.issued_before_ms) }),
  reason: row.reason,
  expires_at: toRfc3339(row.expires_ms),
});

export const readRevocations = (db: Sqlite, nowMs: number): Revocation[] =>
  db
    .prepare<[number], Row>(
      'SELECT sid, sub, issued_before_ms, reason, expires_ms FROM revocations WHERE expires_ms > ?',
    )
    .all(nowMs)
    .map(toRevocation);

/** Looks up whether a token was revoked; prepared once, because every request asks. */
export function revocationCheck(
  db: Sqlite,
): (claims: { sid: string; sub: string; iat: number }, nowMs: number) => boolean {
  const find = db.prepare<[string, string, number, number], { found: number }>(
    `SELECT 1 AS found FROM revocations WHERE (sid = ? OR sub = ?) AND expires_ms > ?
     AND (issued_before_ms IS NULL OR issued_before_ms > ?) LIMIT 1`,
  );
  return (claims, nowMs) =>
    find.get(claims.sid, claims.sub, nowMs, Math.round(claims.iat * 1_000)) !== undefined;
}
