/**
 * Incidents as services of the box write them: one that no rule decides on (an emergency call), and the key that somebody
 * pressed on his phone when he was called for an alarm. Both come until they were answered, so a second time changes nothing.
 */
import type {
  IncidentState,
  InternalAcknowledgeIncident,
  InternalOpenedIncident,
  InternalOpenIncident,
} from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import type { z } from 'zod';
import { readUser } from '../identity/store/identity-rows.ts';
import type { Actor } from '../kernel/actor.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { startEscalation } from '../notify/escalation.ts';
import { queueIncidentWebhooks, queueNotifications } from '../notify/queue-notifications.ts';
import { callOrdersFor } from '../rules/store/alarm-call-order.store.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { acknowledge } from './incident-acts.ts';
import { announceIncident, incidentScopes, insertIncident, readIncident } from './store/incident.store.ts';
import type { IncidentRow } from './store/incident-rows.ts';
import { addTimeline } from './store/timeline.store.ts';

type Open = z.infer<typeof InternalOpenIncident>;
type Acknowledge = z.infer<typeof InternalAcknowledgeIncident>;

const box = { kind: 'system', id: 'phones', name: 'Siphera' } as const;

function requireBox({ actor }: WriteContext): void {
  if (actor.kind !== 'system') throw new AppError('forbidden', 'Only services of the box write this.');
}

export const createServiceIncidentWrites = (deps: WriterDeps) => ({
  openServiceIncident: (context: WriteContext, input: Open): z.infer<typeof InternalOpenedIncident> => {
    requireBox(context);
    const groupKey = `service|${input.org_id}|${input.key}`;
    const open = context.db
      .prepare<[string], { id: string }>(
        `SELECT id FROM incidents WHERE group_key = ? AND state IN ('new', 'acknowledged', 'assigned')`,
      )
      .get(groupKey);
    if (!open) return { incident_id: openNew(context, deps, input, groupKey), opened: true };
    addLineOnce(context, open.id, input);
    return { incident_id: open.id, opened: false };
  },

  /** @throws AppError `forbidden` for who was not called for it: the order of the rule is what gives him the right. */
  acknowledgeByPhone: (
    context: WriteContext,
    input: Acknowledge,
  ): { state: IncidentState; changed: boolean } => {
    requireBox(context);
    const row = readIncident(context.db, input.incident_id);
    if (!row) throw new AppError('not_found', 'There is no such incident.');
    const actor = calledActor(context, row, input);
    if (row.state !== 'new') return { state: row.state, changed: false };
    const data = { by: 'phone', name: input.name };
    const { state } = acknowledge({ ...context, actor }, row, { text: input.text, data });
    return { state, changed: true };
  },
});

/** Who pressed the key: the user whose phone it was, or the number that the rule named. */
function calledActor(context: WriteContext, row: IncidentRow, { user_id, name }: Acknowledge): Actor {
  const order = callOrdersFor(context.db, row.id).find(({ targets }) =>
    targets.some((one) => (user_id === null ? one.number !== null : one.user_id === user_id)),
  );
  const nobody = (): AppError =>
    new AppError('forbidden', 'Nobody of that name was called for this incident.');
  if (!order) throw nobody();
  const common = { orgId: row.org_id, grants: [], address: '' };
  if (user_id === null) return { ...common, kind: 'service', id: order.id, name };
  const user = readUser(context.db, user_id);
  if (user?.active !== 1 || user.org_id !== row.org_id) throw nobody();
  return { ...common, kind: 'user', id: user.id, name: user.name };
}

/** Where it is: an area or device that is gone, or lies elsewhere, is left out rather than the incident. */
function placeOf(
  { index }: WriterDeps,
  input: Open,
): { siteId: string; areaId: string | null; deviceId: string | null } {
  const site = index.site(input.site_id);
  const siteId = site?.orgId === input.org_id ? site.id : index.firstSite(input.org_id);
  if (siteId === undefined) throw new AppError('unprocessable', 'There is no such organisation.');
  const found = index.device(input.device_id ?? '');
  const device = found?.siteId === siteId ? found : undefined;
  const area = index.area(input.area_id ?? device?.areaId ?? '');
  return {
    siteId,
    areaId: area?.siteId === siteId ? area.id : null,
    deviceId: device?.id ?? null,
  };
}

function openNew(context: WriteContext, deps: WriterDeps, input: Open, groupKey: string): string {
  const { siteId, areaId, deviceId } = placeOf(deps, input);
  const { traceId } = context;
  const id = context.random.uuid();
  insertIncident(context, {
    id,
    org_id: input.org_id,
    site_id: siteId,
    title: input.title,
    severity: input.severity,
    area_id: areaId,
    device_id: deviceId,
    rule_id: null,
    group_key: groupKey,
    event_count: 1,
    last_event_ms: context.nowMs,
    late_ms: 0,
    steps: [],
    escalation_id: null,
    test: input.test ? 1 : 0,
    trace_id: traceId,
  });
  addTimeline(context, {
    incidentId: id,
    kind: 'opened',
    actor: box,
    text: input.text,
    data: input.data,
    traceId,
  });
  const incident = announceIncident(context, id, 'created', traceId);
  if (!input.test) {
    startEscalation(context, incident, null);
    queueIncidentWebhooks(context, incident, 'incident.opened', traceId);
  }
  queueNotifications(context, {
    orgId: input.org_id,
    scopes: incidentScopes(context.db, incident).scopes,
    incidentId: id,
    title: input.title,
    action: { channels: ['console'], user_ids: [], group_ids: [], webhook_ids: [] },
    critical: false,
    traceId,
  });
  const { severity } = input;
  deps.log.info('incident_opened', { incident_id: id, number: incident.number, severity, trace_id: traceId });
  return id;
}

function addLineOnce(context: WriteContext, incidentId: string, { text, data }: Open): void {
  const before = context.db
    .prepare(
      `SELECT 1 FROM timeline WHERE incident_id = ? AND kind IN ('opened', 'event') AND text = ? AND data = ?`,
    )
    .get(incidentId, text, JSON.stringify(data));
  if (before !== undefined) return;
  context.db
    .prepare(
      'UPDATE incidents SET event_count = event_count + 1, last_event_ms = ?, updated_ms = ? WHERE id = ?',
    )
    .run(context.nowMs, context.nowMs, incidentId);
  addTimeline(context, { incidentId, kind: 'event', actor: box, text, data, traceId: context.traceId });
  announceIncident(context, incidentId, 'updated', context.traceId);
}
