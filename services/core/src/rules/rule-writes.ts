/** Rules as admins write them. Every save is a new version; running counts and timers go on. */
import type { Rule, RuleInput } from '@siphera/contract';
import { AppError, toRfc3339 } from '@siphera/runtime/base';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { authoriseOn, scopesOf } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { checkCommands } from './command-targets.ts';
import { toEngineRule } from './rule-runtime.ts';
import { ruleSelect, toRule, type RuleRow } from './store/rule-rows.ts';

/** Rules of one org: the engine stays within its time at this many. */
const rulesMax = 10_000;

const readRule = (context: WriteContext, id: string): RuleRow | undefined =>
  context.db.prepare<[string], RuleRow>(`${ruleSelect} WHERE r.id = ? AND r.deleted_ms IS NULL`).get(id);

export function ruleSaved(
  context: WriteContext,
  deps: WriterDeps,
  id: string,
  action: 'created' | 'updated',
): Rule {
  const row = readRule(context, id);
  if (!row) throw new AppError('not_found', 'There is no such rule.');
  const rule = toRule(row);
  context.db
    .prepare(
      'INSERT INTO rule_versions (rule_id, version, definition, updated_ms, updated_by) VALUES (?, ?, ?, ?, ?)',
    )
    .run(id, row.version, row.definition, row.updated_ms, row.updated_by);
  deps.rules.ruleChanged(context, id, toEngineRule(rule, rule));
  appendAudit(context, {
    actor: context.actor,
    action: `rule.${action}`,
    target: `rule:${id}`,
    detail: { name: rule.name, version: rule.version, enabled: rule.enabled },
  });
  context.change({
    kind: 'rule',
    action,
    id,
    orgId: row.org_id,
    audience: 'rule.read',
    scopes: [`site:${row.site_id}`, `org:${row.org_id}`],
    traceId: context.traceId,
    data: rule,
  });
  return rule;
}

export function insertRule(
  context: WriteContext,
  siteId: string,
  definition: RuleInput,
  builtin: string | null,
): string {
  const id = context.random.uuid();
  context.db
    .prepare(
      'INSERT INTO rules (id, org_id, site_id, version, builtin, definition, updated_ms, updated_by) VALUES (?, ?, ?, 1, ?, ?, ?, ?)',
    )
    .run(
      id,
      context.actor.orgId,
      siteId,
      builtin,
      JSON.stringify(definition),
      context.nowMs,
      context.actor.name,
    );
  return id;
}

/** A rule may only command and name what the org owns. */
function checkReferences(
  context: WriteContext,
  deps: WriterDeps,
  siteId: string,
  definition: RuleInput,
): void {
  checkCommands(context, deps, siteId, definition);
  checkCalls(definition);
  const own = (table: 'procedures' | 'escalations', id: string): boolean =>
    context.db.prepare(`SELECT 1 FROM ${table} WHERE id = ? AND org_id = ?`).get(id, context.actor.orgId) !==
    undefined;
  for (const action of definition.actions) {
    if (action.kind === 'incident' && action.procedure_id !== null && !own('procedures', action.procedure_id))
      throw new AppError('unprocessable', 'The procedure does not exist.');
    if (
      action.kind === 'incident' &&
      action.escalation_id !== null &&
      !own('escalations', action.escalation_id)
    )
      throw new AppError('unprocessable', 'The escalation plan does not exist.');
  }
}

/** @throws AppError `unprocessable` for calls that nobody could acknowledge, or that ring nobody. */
function checkCalls({ actions }: RuleInput): void {
  for (const action of actions) {
    if (action.kind !== 'call') continue;
    if (!actions.some(({ kind }) => kind === 'incident'))
      throw new AppError('unprocessable', 'Calls by phone are for an incident, and this rule opens none.', {
        hint: 'Add the action that opens an incident: whoever is called acknowledges it with a key.',
      });
    if (action.user_ids.length + action.group_ids.length + action.numbers.length === 0)
      throw new AppError('unprocessable', 'The rule calls nobody by phone.', {
        hint: 'Name users, groups or numbers to call.',
      });
  }
}

export const createRuleWrites = (deps: WriterDeps) => ({
  createRule: (
    context: WriteContext,
    input: { site_id?: string | undefined; definition: RuleInput },
  ): Rule => {
    const siteId = input.site_id ?? deps.index.firstSite(context.actor.orgId);
    authoriseOn(
      context.actor,
      { read: 'rule.read', act: 'rule.write' },
      siteId === undefined ? undefined : scopesOf(context.db, { kind: 'site', id: siteId }),
    );
    checkReferences(context, deps, siteId as string, input.definition);
    const count =
      context.db
        .prepare<[string], { n: number }>(
          'SELECT count(*) AS n FROM rules WHERE org_id = ? AND deleted_ms IS NULL',
        )
        .get(context.actor.orgId)?.n ?? 0;
    if (count >= rulesMax) throw new AppError('unprocessable', `An org has at most ${rulesMax} rules.`);
    return ruleSaved(context, deps, insertRule(context, siteId as string, input.definition, null), 'created');
  },

  putRule: (
    context: WriteContext,
    input: { id: string; expected_version?: number | undefined; definition: RuleInput },
  ): Rule => {
    const row = readRule(context, input.id);
    authoriseOn(
      context.actor,
      { read: 'rule.read', act: 'rule.write' },
      row ? scopesOf(context.db, { kind: 'site', id: row.site_id }) : undefined,
    );
    if (input.expected_version !== undefined && row?.version !== input.expected_version) {
      throw new AppError(
        'conflict',
        `${row?.updated_by ?? 'Someone'} saved version ${row?.version ?? 0} in the meantime.`,
        { extra: { by: row?.updated_by, at: toRfc3339(row?.updated_ms ?? 0), version: row?.version } },
      );
    }
    checkReferences(context, deps, row?.site_id ?? '', input.definition);
    context.db
      .prepare(
        'UPDATE rules SET version = version + 1, definition = ?, updated_ms = ?, updated_by = ? WHERE id = ?',
      )
      .run(JSON.stringify(input.definition), context.nowMs, context.actor.name, input.id);
    return ruleSaved(context, deps, input.id, 'updated');
  },

  deleteRule: (context: WriteContext, input: { id: string }): void => {
    const row = readRule(context, input.id);
    authoriseOn(
      context.actor,
      { read: 'rule.read', act: 'rule.write' },
      row ? scopesOf(context.db, { kind: 'site', id: row.site_id }) : undefined,
    );
    context.db.prepare('UPDATE rules SET deleted_ms = ? WHERE id = ?').run(context.nowMs, input.id);
    deps.rules.ruleChanged(context, input.id, undefined);
    appendAudit(context, { actor: context.actor, action: 'rule.deleted', target: `rule:${input.id}` });
    context.change({
      kind: 'rule',
      action: 'deleted',
      id: input.id,
      orgId: context.actor.orgId,
      audience: 'rule.read',
      scopes: [`site:${row?.site_id ?? ''}`, `org:${context.actor.orgId}`],
      traceId: context.traceId,
    });
  },
});
