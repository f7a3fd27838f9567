/** Lists of rules, versions and traces. */
import type { Rule } from '@siphera/contract';
import { authoriseOn, scopesOf, visibleSql } from '../kernel/access.ts';
import { decodeCursor, toPage } from '../kernel/cursor.ts';
import { readFeedSeq } from '../kernel/feed-seq.ts';
import type { ReadContext } from '../kernel/transaction.ts';
import { ruleSelect, toRule, toTrace, type RuleRow, type TraceRow } from './store/rule-rows.ts';

const place = { org: 'r.org_id', site: 'r.site_id', area: null, device: null };

function readVisible({ db, actor }: ReadContext, id: string): RuleRow {
  const row = db.prepare<[string], RuleRow>(`${ruleSelect} WHERE r.id = ?`).get(id);
  authoriseOn(
    actor,
    { read: 'rule.read' },
    row ? scopesOf(db, { kind: 'site', id: row.site_id }) : undefined,
  );
  return row as RuleRow;
}

export const ruleReads = {
  listRules: ({ db, actor }: ReadContext, _input: Record<string, never>) => {
    const visible = visibleSql(db, actor, 'rule.read', place);
    const rows = db
      .prepare<unknown[], RuleRow>(
        `${ruleSelect} WHERE r.deleted_ms IS NULL AND ${visible.sql} ORDER BY r.id`,
      )
      .all(...visible.params);
    return { items: rows.map(toRule), feed_seq: readFeedSeq(db) };
  },

  getRule: (context: ReadContext, input: { id: string }): Rule => toRule(readVisible(context, input.id)),

  listRuleVersions: (context: ReadContext, input: { id: string }) => {
    const current = readVisible(context, input.id);
    const rows = context.db
      .prepare<[string], Pick<RuleRow, 'version' | 'definition' | 'updated_ms' | 'updated_by'>>(
        'SELECT version, definition, updated_ms, updated_by FROM rule_versions WHERE rule_id = ? ORDER BY version DESC LIMIT 200',
      )
      .all(input.id);
    return { items: rows.map((row) => toRule({ ...current, ...row })) };
  },

  listRuleTraces: (
    { db, actor }: ReadContext,
    input: {
      cursor?: string | undefined;
      limit: number;
      rule_id?: string | undefined;
      outcome?: string | undefined;
      event_seq?: number | undefined;
    },
  ) => {
    const visible = visibleSql(db, actor, 'rule.read', place);
    const filters = [visible.sql, 't.n < ?'];
    const params: unknown[] = [
      ...visible.params,
      input.cursor ? Number(decodeCursor(input.cursor)) : Number.MAX_SAFE_INTEGER,
    ];
    if (input.rule_id) {
      filters.push('t.rule_id = ?');
      params.push(input.rule_id);
    }
    if (input.outcome) {
      filters.push('t.outcome = ?');
      params.push(input.outcome);
    }
    if (input.event_seq !== undefined) {
      filters.push('t.event_seq = ?');
      params.push(input.event_seq);
    }
    const rows = db
      .prepare<unknown[], TraceRow>(
        `SELECT t.* FROM rule_traces t JOIN rules r ON r.id = t.rule_id WHERE ${filters.join(' AND ')} ORDER BY t.n DESC LIMIT ?`,
      )
      .all(...params, input.limit + 1);
    return { ...toPage(rows, input.limit, toTrace, (row) => row.n), feed_seq: readFeedSeq(db) };
  },
};
