/**
 * What guards do with an incident. Acts are decided in commit order: of two guards acting at once one wins, and the other
 * is told by name who was first.
 */
import type { Incident, ResolutionCode, Severity, TimelineEntry } from '@siphera/contract';
import { AppError, toRfc3339 } from '@siphera/runtime/base';
import type { z } from 'zod';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { authoriseOn } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { isEscalating, startEscalation, stopEscalation } from '../notify/escalation.ts';
import { queueIncidentWebhooks } from '../notify/queue-notifications.ts';
import { isTranscriptRequired } from '../system/store/settings.store.ts';
import { after, canAct, type IncidentAct } from './domain/transitions.ts';
import { announceIncident, incidentScopes, readIncident } from './store/incident.store.ts';
import type { IncidentRow } from './store/incident-rows.ts';
import { transcriptCount } from './store/talk.store.ts';
import { addTimeline } from './store/timeline.store.ts';

type Revised = { id: string; expected_revision?: number | undefined };

/** Authorises and returns the row. */
export function actOn(context: WriteContext, id: string): IncidentRow {
  const row = readIncident(context.db, id);
  authoriseOn(
    context.actor,
    { read: 'incident.read', act: 'incident.act' },
    row ? incidentScopes(context.db, row) : undefined,
  );
  return row as IncidentRow;
}

function check(row: IncidentRow, act: IncidentAct, expected: number | undefined): void {
  if (!canAct(row.state, act)) throw refusal(row, act);
  if (expected !== undefined && expected !== row.revision) {
    throw new AppError('conflict', 'The incident changed since you read it.', {
      hint: 'Look again, then decide.',
      extra: { revision: row.revision, state: row.state },
    });
  }
}

/** Who brought it into the state that stands in the way. */
function refusal(row: IncidentRow, act: IncidentAct): AppError {
  const done = row.state === 'resolved' || row.state === 'closed';
  const by = JSON.parse((done ? row.resolved_by : (row.acknowledged_by ?? row.assignee)) ?? 'null') as {
    id: string;
    name: string;
  } | null;
  const ms = done ? row.resolved_ms : row.acknowledged_ms;
  const detail = by
    ? `${by.name} has ${row.state === 'assigned' ? 'acknowledged' : row.state} it already.`
    : `The incident is ${row.state}, so you cannot ${act} it.`;
  return new AppError('already_done', detail, {
    extra: { state: row.state, ...(by ? { by } : {}), ...(ms === null ? {} : { at: toRfc3339(ms) }) },
  });
}

type Change = { act: string; kind: TimelineEntry['kind']; text: string; data?: Record<string, unknown> };

/** Writes timeline, audit, feed and webhooks of a change that was made to the row. */
function changed(context: WriteContext, row: IncidentRow, change: Change): Incident {
  context.db
    .prepare('UPDATE incidents SET updated_ms = ?, revision = revision + 1 WHERE id = ?')
    .run(context.nowMs, row.id);
  addTimeline(context, {
    incidentId: row.id,
    kind: change.kind,
    actor: context.actor,
    text: change.text,
    data: change.data ?? {},
    traceId: context.traceId,
  });
  appendAudit(context, {
    actor: context.actor,
    action: `incident.${change.act}`,
    target: `incident:${row.id}`,
    detail: { number: row.number, ...change.data },
  });
  const incident = announceIncident(context, row.id, 'updated', context.traceId);
  queueIncidentWebhooks(context, incident, `incident.${change.act}`, context.traceId);
  return incident;
}

const me = (context: WriteContext): string =>
  JSON.stringify({ id: context.actor.id, name: context.actor.name });

/** The caller has authorised it and seen that it is new. */
export function acknowledge(
  context: WriteContext,
  row: IncidentRow,
  how: { text: string; data?: Record<string, unknown> },
): Incident {
  context.db
    .prepare('UPDATE incidents SET state = ?, acknowledged_by = ?, acknowledged_ms = ? WHERE id = ?')
    .run(after.acknowledge, me(context), context.nowMs, row.id);
  stopEscalation(context, row.id);
  return changed(context, row, { act: 'acknowledged', kind: 'acknowledged', ...how });
}

export const incidentActs = {
  acknowledgeIncident: (context: WriteContext, input: Revised): Incident => {
    const row = actOn(context, input.id);
    check(row, 'acknowledge', input.expected_revision);
    return acknowledge(context, row, { text: 'Acknowledged' });
  },

  assignIncident: (context: WriteContext, input: Revised & { user_id: string }): Incident => {
    const row = actOn(context, input.id);
    check(row, 'assign', input.expected_revision);
    const user = context.db
      .prepare<[string, string], { id: string; name: string }>(
        'SELECT id, name FROM users WHERE id = ? AND org_id = ? AND active = 1 AND deleted_ms IS NULL',
      )
      .get(input.user_id, context.actor.orgId);
    if (!user) throw new AppError('unprocessable', 'There is no such active user.');
    context.db
      .prepare(
        'UPDATE incidents SET state = ?, assignee = ?, acknowledged_by = coalesce(acknowledged_by, ?), acknowledged_ms = coalesce(acknowledged_ms, ?) WHERE id = ?',
      )
      .run(after.assign, JSON.stringify(user), me(context), context.nowMs, row.id);
    stopEscalation(context, row.id);
    return changed(context, row, {
      act: 'assigned',
      kind: 'assigned',
      text: `Assigned to ${user.name}`,
      data: { user_id: user.id },
    });
  },

  resolveIncident: (
    context: WriteContext,
    input: Revised & { code: z.infer<typeof ResolutionCode>; note: string },
  ): Incident => {
    const row = actOn(context, input.id);
    check(row, 'resolve', input.expected_revision);
    const open = (JSON.parse(row.steps) as Incident['steps']).filter((step) => step.required && !step.done);
    if (open.length > 0 && input.code === 'real') {
      throw new AppError(
        'unprocessable',
        `${open.length} required ${open.length === 1 ? 'step is' : 'steps are'} not ticked off: ${open[0]?.text ?? ''}`,
        {
          hint: 'Tick them off, or resolve with another code and say why.',
          extra: { open_steps: open.map((step) => step.index) },
        },
      );
    }
    context.db
      .prepare(
        'UPDATE incidents SET state = ?, resolved_by = ?, resolved_ms = ?, resolution = ?, acknowledged_by = coalesce(acknowledged_by, ?), acknowledged_ms = coalesce(acknowledged_ms, ?) WHERE id = ?',
      )
      .run(
        after.resolve,
        me(context),
        context.nowMs,
        JSON.stringify({ code: input.code, note: input.note }),
        me(context),
        context.nowMs,
        row.id,
      );
    stopEscalation(context, row.id);
    return changed(context, row, {
      act: 'resolved',
      kind: 'resolved',
      text: input.note === '' ? `Resolved: ${input.code}` : `Resolved: ${input.code}. ${input.note}`,
      data: { code: input.code },
    });
  },

  closeIncident: (context: WriteContext, input: Revised): Incident => {
    const row = actOn(context, input.id);
    check(row, 'close', input.expected_revision);
    if (isTranscriptRequired(context.db, row.org_id) && transcriptCount(context.db, row.id) === 0)
      throw new AppError('unprocessable', 'The talk of this incident was not filed yet.', {
        hint: 'Open its room and file the talk, then close it. An admin may switch this off in the settings.',
        extra: { transcript_required: true },
      });
    context.db.prepare('UPDATE incidents SET state = ? WHERE id = ?').run(after.close, row.id);
    return changed(context, row, { act: 'closed', kind: 'closed', text: 'Closed' });
  },

  reopenIncident: (context: WriteContext, input: Revised & { reason: string }): Incident => {
    const row = actOn(context, input.id);
    check(row, 'reopen', input.expected_revision);
    // Another one of the same rule and key may be open by now; then this one stays outside that grouping.
    const taken =
      row.group_key !== null &&
      context.db
        .prepare(
          `SELECT 1 FROM incidents WHERE group_key = ? AND id <> ? AND state IN ('new', 'acknowledged', 'assigned')`,
        )
        .get(row.group_key, row.id) !== undefined;
    context.db
      .prepare(
        'UPDATE incidents SET state = ?, resolved_by = NULL, resolved_ms = NULL, resolution = NULL, group_key = ? WHERE id = ?',
      )
      .run(after.reopen, taken ? null : row.group_key, row.id);
    return changed(context, row, { act: 'reopened', kind: 'reopened', text: `Reopened: ${input.reason}` });
  },

  setIncidentSeverity: (
    context: WriteContext,
    input: { id: string; severity: Severity; reason: string },
  ): Incident => {
    const row = actOn(context, input.id);
    if (row.severity === input.severity)
      throw new AppError('already_done', `The severity is ${row.severity} already.`);
    context.db.prepare('UPDATE incidents SET severity = ? WHERE id = ?').run(input.severity, row.id);
    const incident = changed(context, row, {
      act: 'severity_changed',
      kind: 'severity',
      text: `Severity ${row.severity} → ${input.severity}${input.reason === '' ? '' : `: ${input.reason}`}`,
      data: { from: row.severity, to: input.severity },
    });
    // One that runs goes on: starting over would give those who should hear of it next a later turn.
    const begun = row.escalation_level > 0 || isEscalating(context, row.id);
    if (incident.state === 'new' && row.test === 0 && !begun)
      startEscalation(context, incident, row.escalation_id);
    return incident;
  },

  tickIncidentStep: (
    context: WriteContext,
    input: { id: string; index: number; done: boolean },
  ): Incident => {
    const row = actOn(context, input.id);
    const steps = JSON.parse(row.steps) as Incident['steps'];
    const step = steps[input.index];
    if (!step) throw new AppError('not_found', 'There is no such step.');
    if (step.done === input.done) {
      throw new AppError(
        'already_done',
        step.done ? `${step.done_by?.name ?? 'Someone'} has ticked it off already.` : 'It is not ticked off.',
        {
          extra: {
            ...(step.done_by ? { by: step.done_by } : {}),
            ...(step.done_at ? { at: step.done_at } : {}),
          },
        },
      );
    }
    const { index, text, required } = step;
    steps[input.index] = input.done
      ? {
          index,
          text,
          required,
          done: true,
          done_by: { id: context.actor.id, name: context.actor.name },
          done_at: toRfc3339(context.nowMs),
        }
      : { index, text, required, done: false };
    context.db.prepare('UPDATE incidents SET steps = ? WHERE id = ?').run(JSON.stringify(steps), row.id);
    return changed(context, row, {
      act: input.done ? 'step_done' : 'step_undone',
      kind: 'step',
      text: `${input.done ? '✓' : '✗'} ${text}`,
      data: { index, done: input.done },
    });
  },

  commentIncident: (context: WriteContext, input: { id: string; text: string }): TimelineEntry => {
    const row = actOn(context, input.id);
    context.db.prepare('UPDATE incidents SET updated_ms = ? WHERE id = ?').run(context.nowMs, row.id);
    const entry = addTimeline(context, {
      incidentId: row.id,
      kind: 'comment',
      actor: context.actor,
      text: input.text,
      traceId: context.traceId,
    });
    appendAudit(context, {
      actor: context.actor,
      action: 'incident.commented',
      target: `incident:${row.id}`,
      detail: { number: row.number },
    });
    return entry;
  },
};
