/** Reading and checking the audit log. It covers the whole org, so only who may read it there sees any of it. */
import { AppError, fromRfc3339 } from '@siphera/runtime/base';
import { authorise, orgScope } from '../kernel/access.ts';
import { decodeCursor, toPage } from '../kernel/cursor.ts';
import { readFeedSeq } from '../kernel/feed-seq.ts';
import type { ReadContext } from '../kernel/transaction.ts';
import { auditHash, genesisHash } from './store/audit-append.store.ts';
import { toAuditRow, type AuditRow } from './store/audit-rows.ts';

export type AuditFilter = {
  actor_id?: string | undefined;
  action?: string | undefined;
  target?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
};

export const auditReads = {
  /** Newest first. */
  listAudit: (
    { db, actor }: ReadContext,
    input: AuditFilter & { cursor?: string | undefined; limit: number },
  ) => {
    authorise(actor, 'audit.read', orgScope(actor.orgId));
    const { sql, params } = whereOf(actor.orgId, input);
    const before = input.cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(decodeCursor(input.cursor));
    const rows = db
      .prepare<unknown[], AuditRow>(`SELECT * FROM audit WHERE ${sql} AND seq < ? ORDER BY seq DESC LIMIT ?`)
      .all(...params, before, input.limit + 1);
    return {
      ...toPage(rows, input.limit, toAuditRow, (row) => row.seq),
      feed_seq: readFeedSeq(db),
    };
  },

  /** Oldest first, a chunk at a time, for the export. */
  auditChunk: ({ db, actor }: ReadContext, input: AuditFilter & { after: number; limit: number }) => {
    authorise(actor, 'audit.read', orgScope(actor.orgId));
    const { sql, params } = whereOf(actor.orgId, input);
    return db
      .prepare<unknown[], AuditRow>(`SELECT * FROM audit WHERE ${sql} AND seq > ? ORDER BY seq LIMIT ?`)
      .all(...params, input.after, input.limit)
      .map(toAuditRow);
  },

  /**
   * Checks a chunk of the chain. @param input.previous hash of the row before the chunk; absent at the beginning.
   * `done` once the end was reached or a row is wrong.
   */
  verifyAuditChunk: (
    { db, actor }: ReadContext,
    input: { after: number; previous?: string | undefined; limit: number },
  ): { after: number; previous: string; rows: number; done: boolean; badSeq?: number } => {
    authorise(actor, 'audit.read', orgScope(actor.orgId));
    const rows = db
      .prepare<[number, number], AuditRow>('SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?')
      .all(input.after, input.limit);
    let { after, previous = genesisHash } = input;
    for (const [index, row] of rows.entries()) {
      if (row.seq !== after + 1 || auditHash(previous, row) !== row.hash)
        return { after, previous, rows: index, done: true, badSeq: row.seq };
      after = row.seq;
      previous = row.hash;
    }
    return { after, previous, rows: rows.length, done: rows.length < input.limit };
  },
};

function whereOf(orgId: string, filter: AuditFilter): { sql: string; params: unknown[] } {
  const parts = ['org_id = ?'];
  const params: unknown[] = [orgId];
  const add = (sql: string, ...values: unknown[]): void => {
    parts.push(sql);
    params.push(...values);
  };
  if (filter.actor_id !== undefined) add('actor_id = ?', filter.actor_id);
  // `incident` finds all of `incident.…`.
  if (filter.action !== undefined)
    add(
      `(action = ? OR substr(action, 1, ?) = ?)`,
      filter.action,
      filter.action.length + 1,
      `${filter.action}.`,
    );
  if (filter.target !== undefined) add('target = ?', filter.target);
  if (filter.since !== undefined) add('at_ms >= ?', msOf(filter.since));
  if (filter.until !== undefined) add('at_ms < ?', msOf(filter.until));
  return { sql: parts.join(' AND '), params };
}

function msOf(text: string): number {
  const ms = fromRfc3339(text);
  if (ms === undefined) throw new AppError('validation_failed', `${text} is not an RFC 3339 time.`);
  return ms;
}
