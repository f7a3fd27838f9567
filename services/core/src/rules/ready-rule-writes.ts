/** The ready rules: given to the first site by the setup, and the new ones of a release to sites that had the older ones. */
import { readyRules, type ReadyRule } from '@siphera/rules';
import { newTraceId } from '@siphera/runtime/base';
import { systemActor } from '../kernel/actor.ts';
import type { Tx, WriteContext } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { insertRule, ruleSaved } from './rule-writes.ts';

/** The rules a new site starts with. The caller is the setup, which has its own right. */
export function installReadyRules(
  context: WriteContext,
  deps: WriterDeps,
  { siteId }: { siteId: string },
): void {
  for (const ready of readyRules) install(context, deps, siteId, ready);
}

/**
 * At each start: a site that was given ready rules gets those that came since, once. Removed rules keep their rows, so what
 * somebody removed does not come back.
 * @returns how many were added
 */
export function addNewReadyRules(tx: Tx, deps: WriterDeps): number {
  const given = tx.db
    .prepare<[], { org_id: string; site_id: string; builtins: string }>(
      `SELECT org_id, site_id, json_group_array(DISTINCT builtin) AS builtins FROM rules WHERE builtin IS NOT NULL
       GROUP BY org_id, site_id`,
    )
    .all();
  let added = 0;
  for (const { org_id, site_id, builtins } of given) {
    const known = new Set(JSON.parse(builtins) as string[]);
    const context = { ...tx, actor: systemActor(org_id), traceId: newTraceId(tx.random) };
    for (const ready of readyRules.filter((rule) => !known.has(rule.builtin))) {
      install(context, deps, site_id, ready);
      added += 1;
    }
  }
  return added;
}

function install(context: WriteContext, deps: WriterDeps, siteId: string, ready: ReadyRule): void {
  const procedureId = context.random.uuid();
  context.db
    .prepare('INSERT INTO procedures (id, org_id, name, steps, updated_ms) VALUES (?, ?, ?, ?, ?)')
    .run(
      procedureId,
      context.actor.orgId,
      ready.procedure.name,
      JSON.stringify(ready.procedure.steps),
      context.nowMs,
    );
  const actions = ready.rule.actions.map((action) =>
    action.kind === 'incident' ? { ...action, procedure_id: procedureId } : action,
  );
  ruleSaved(context, deps, insertRule(context, siteId, { ...ready.rule, actions }, ready.builtin), 'created');
}
