/**
 * Opens the incident a rule decided on, or puts the event into the open one with the same key. A storm of events costs
 * one incident: after the first entries only its count moves, announced once a second.
 */
import type { ProcedureStep } from '@siphera/contract';
import type { Decision, EngineEvent, IncidentDecision } from '@siphera/rules';
import type { z } from 'zod';
import type { Actor } from '../kernel/actor.ts';
import type { Tx } from '../kernel/transaction.ts';
import { startEscalation } from '../notify/escalation.ts';
import { queueIncidentWebhooks } from '../notify/queue-notifications.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { announceIncident, insertIncident } from './store/incident.store.ts';
import { addTimeline } from './store/timeline.store.ts';

/** Event entries in one timeline; beyond it the count says how many more there were. */
const timelineEventsMax = 200;
/** Related devices listed. */
const devicesMax = 50;
const announceEveryMs = 1_000;

export type OpenInput = {
  actor: Actor;
  decision: Decision;
  action: IncidentDecision;
  event: EngineEvent | undefined;
  traceId: string;
};
type OpenRow = { id: string; event_count: number; device_ids: string; updated_ms: number };

/** @returns the incident's id. */
export function openOrUpdateIncident(tx: Tx, deps: WriterDeps, input: OpenInput): string {
  const { decision, action } = input;
  // A test alarm never shares an incident with a real one.
  const groupKey =
    action.group_key === null
      ? null
      : `${decision.rule_id}|${decision.test ? 'test|' : ''}${action.group_key}`;
  const open =
    groupKey === null
      ? undefined
      : tx.db
          .prepare<[string], OpenRow>(
            `SELECT id, event_count, device_ids, updated_ms FROM incidents WHERE group_key = ? AND state IN ('new', 'acknowledged', 'assigned')`,
          )
          .get(groupKey);
  if (open) {
    update(tx, open, input);
    return open.id;
  }
  return openNew(tx, deps, input, groupKey);
}

function update(tx: Tx, open: OpenRow, { decision, actor, event, traceId }: OpenInput): void {
  const ids = new Set(JSON.parse(open.device_ids) as string[]);
  if (decision.device_id !== undefined && ids.size < devicesMax) ids.add(decision.device_id);
  const quiet = open.event_count >= timelineEventsMax && tx.nowMs - open.updated_ms < announceEveryMs;
  tx.db
    .prepare(
      'UPDATE incidents SET event_count = event_count + 1, last_event_ms = ?, device_ids = ?, updated_ms = ?, revision = revision + ? WHERE id = ?',
    )
    .run(decision.occurred_ms, JSON.stringify([...ids]), quiet ? open.updated_ms : tx.nowMs, 0, open.id);
  if (open.event_count < timelineEventsMax)
    addTimeline(tx, {
      incidentId: open.id,
      kind: 'event',
      actor,
      text: eventText(event),
      data: eventData(event, decision),
      traceId,
    });
  if (!quiet) announceIncident(tx, open.id, 'updated', traceId);
}

function openNew(tx: Tx, deps: WriterDeps, input: OpenInput, groupKey: string | null): string {
  const { decision, action, event, traceId, actor } = input;
  const id = tx.random.uuid();
  insertIncident(tx, {
    id,
    org_id: decision.org_id,
    site_id: decision.site_id,
    title: action.title,
    severity: action.severity,
    area_id: decision.area_id ?? null,
    device_id: decision.device_id ?? null,
    rule_id: decision.rule_id,
    group_key: groupKey,
    event_count: event ? 1 : 0,
    last_event_ms: decision.occurred_ms,
    late_ms: Math.max(0, Math.round(decision.late_ms)),
    steps: copySteps(tx, action.procedure_id),
    escalation_id: action.escalation_id,
    test: decision.test ? 1 : 0,
    trace_id: traceId,
  });
  addTimeline(tx, {
    incidentId: id,
    kind: 'opened',
    actor,
    text:
      decision.late_ms > 0
        ? `${eventText(event)}, reported ${late(decision.late_ms)} late`
        : eventText(event),
    data: eventData(event, decision),
    traceId,
  });
  const incident = announceIncident(tx, id, 'created', traceId);
  if (!decision.test) {
    startEscalation(tx, incident, action.escalation_id);
    queueIncidentWebhooks(tx, incident, 'incident.opened', traceId);
  }
  deps.log.info('incident_opened', {
    incident_id: id,
    number: incident.number,
    severity: incident.severity,
    rule_id: decision.rule_id,
    trace_id: traceId,
  });
  return id;
}

/** The steps as they are now: a later edit of the procedure leaves this incident alone. */
function copySteps(
  tx: Tx,
  procedureId: string | null,
): Array<{ index: number; text: string; required: boolean; done: boolean }> {
  const row =
    procedureId === null
      ? undefined
      : tx.db
          .prepare<[string], { steps: string }>('SELECT steps FROM procedures WHERE id = ?')
          .get(procedureId);
  const steps = row ? (JSON.parse(row.steps) as Array<z.infer<typeof ProcedureStep>>) : [];
  return steps.map((step, index) => ({ index, text: step.text, required: step.required, done: false }));
}

const eventText = (event: EngineEvent | undefined): string =>
  event ? event.title : 'Nothing was heard in time';

const eventData = (event: EngineEvent | undefined, decision: Decision): Record<string, unknown> => ({
  ...(event ? { event_seq: event.seq, type: event.type, event: event.data } : {}),
  ...(decision.device_id === undefined ? {} : { device_id: decision.device_id }),
  occurred_ms: decision.occurred_ms,
  late_ms: decision.late_ms,
});

function late(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return `${Math.round(ms / 1_000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
