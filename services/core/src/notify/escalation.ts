/** Escalation: if nobody acknowledges in time, the next person or group is told. Each step is a timer row. */
import type { Incident, Severity } from '@siphera/contract';
import { announceIncident, incidentScopes, readIncident } from '../incidents/store/incident.store.ts';
import { addTimeline } from '../incidents/store/timeline.store.ts';
import { clearTimer, setTimer, type Timer } from '../kernel/timers.ts';
import type { Tx } from '../kernel/transaction.ts';
import { severityRank } from './severity.ts';
import { queueNotifications } from './queue-notifications.ts';

type Step = {
  after_ms: number;
  user_ids: string[];
  group_ids: string[];
  channels: Array<'console' | 'email' | 'webhook'>;
  webhook_ids: string[];
};
type PlanRow = { id: string; name: string; severity_min: Severity; steps: string };

function findPlan(tx: Tx, incident: Incident, planId: string | null): PlanRow | undefined {
  const columns = 'SELECT id, name, severity_min, steps FROM escalations';
  const plan =
    planId === null
      ? tx.db
          .prepare<[string], PlanRow>(`${columns} WHERE org_id = ? AND is_default = 1 LIMIT 1`)
          .get(incident.org_id)
      : tx.db
          .prepare<[string, string], PlanRow>(`${columns} WHERE id = ? AND org_id = ?`)
          .get(planId, incident.org_id);
  return plan && severityRank[incident.severity] >= severityRank[plan.severity_min] ? plan : undefined;
}

/** Called when an incident opens (or opens again). Without a plan nothing is set. */
export function startEscalation(tx: Tx, incident: Incident, planId: string | null): void {
  const plan = findPlan(tx, incident, planId);
  const first = plan ? (JSON.parse(plan.steps) as Step[])[0] : undefined;
  if (!plan || !first) return;
  setTimer(tx, {
    owner: 'escalation',
    key: incident.id,
    orgId: incident.org_id,
    dueMs: tx.nowMs + first.after_ms,
    payload: { plan_id: plan.id, step: 0 },
  });
}

/** True while a step is due. */
export const isEscalating = (tx: Tx, incidentId: string): boolean =>
  tx.db.prepare(`SELECT 1 FROM timers WHERE owner = 'escalation' AND key = ?`).get(incidentId) !== undefined;

export const stopEscalation = (tx: Tx, incidentId: string): void => clearTimer(tx, 'escalation', incidentId);

/** Timer handler. An incident that was acknowledged meanwhile, or a plan that is gone, ends it. */
export function escalate(tx: Tx, timer: Timer): void {
  const { plan_id, step } = JSON.parse(timer.payload) as { plan_id: string; step: number };
  const incident = readIncident(tx.db, timer.key);
  const plan = tx.db
    .prepare<[string], PlanRow>('SELECT id, name, severity_min, steps FROM escalations WHERE id = ?')
    .get(plan_id);
  if (incident?.state !== 'new' || !plan) return;
  const steps = JSON.parse(plan.steps) as Step[];
  const now = steps[step];
  if (!now) return;
  tx.db
    .prepare(
      'UPDATE incidents SET escalation_level = ?, updated_ms = ?, revision = revision + 1 WHERE id = ?',
    )
    .run(step + 1, tx.nowMs, incident.id);
  const told = queueNotifications(tx, {
    orgId: incident.org_id,
    scopes: incidentScopes(tx.db, incident).scopes,
    incidentId: incident.id,
    title: `Not acknowledged: #${incident.number} ${incident.title}`,
    action: now,
    critical: true,
    traceId: incident.trace_id,
  });
  addTimeline(tx, {
    incidentId: incident.id,
    kind: 'escalated',
    actor: { kind: 'system', id: 'escalation', name: plan.name },
    text: `Nobody acknowledged; level ${step + 1}${told.length > 0 ? `: ${told.join(', ')}` : ''}`,
    data: { level: step + 1, plan_id },
    traceId: incident.trace_id,
  });
  announceIncident(tx, incident.id, 'updated', incident.trace_id);
  const next = steps[step + 1];
  if (next)
    setTimer(tx, {
      owner: 'escalation',
      key: incident.id,
      orgId: incident.org_id,
      dueMs: tx.nowMs + next.after_ms,
      payload: { plan_id, step: step + 1 },
    });
}
