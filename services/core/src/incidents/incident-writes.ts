/** Opening an incident by hand, attachments, procedures; with the acts, all incident writes by name. */
import type { Attachment, Incident, Procedure, ProcedureStep, Severity } from '@siphera/contract';
import { AppError, toRfc3339 } from '@siphera/runtime/base';
import type { z } from 'zod';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { authorise, authoriseOn, orgScope } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { startEscalation } from '../notify/escalation.ts';
import { queueIncidentWebhooks } from '../notify/queue-notifications.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { createEvidenceWrites } from './evidence-writes.ts';
import { actOn, incidentActs } from './incident-acts.ts';
import { addAttachment, toAttachment, toProcedure, type ProcedureRow } from './store/attachment-rows.ts';
import { announceIncident, insertIncident } from './store/incident.store.ts';
import { createServiceIncidentWrites } from './service-incident-writes.ts';
import { talkWrites } from './talk-writes.ts';
import { addTimeline } from './store/timeline.store.ts';

type ByHand = {
  title: string;
  severity: Severity;
  area_id: string;
  device_id?: string | undefined;
  text: string;
};
type ProcedureFields = { name: string; steps: ReadonlyArray<z.infer<typeof ProcedureStep>> };

export const createIncidentWrites = (deps: WriterDeps) => ({
  ...incidentActs,
  ...createEvidenceWrites(deps),
  ...createServiceIncidentWrites(deps),
  ...talkWrites,

  createIncident: (context: WriteContext, input: ByHand): Incident => {
    const area = deps.index.area(input.area_id);
    authoriseOn(context.actor, { read: 'incident.read', act: 'incident.create' }, area);
    const device = input.device_id === undefined ? undefined : deps.index.device(input.device_id);
    if (input.device_id !== undefined && device?.areaId !== input.area_id)
      throw new AppError('unprocessable', 'The device is not in that area.');
    const id = context.random.uuid();
    const { actor, traceId } = context;
    insertIncident(context, {
      id,
      org_id: actor.orgId,
      // `authoriseOn` has seen the area.
      site_id: area?.siteId ?? '',
      title: input.title,
      severity: input.severity,
      area_id: input.area_id,
      device_id: device?.id ?? null,
      rule_id: null,
      group_key: null,
      event_count: 0,
      last_event_ms: null,
      late_ms: 0,
      steps: [],
      escalation_id: null,
      test: 0,
      trace_id: traceId,
    });
    addTimeline(context, {
      incidentId: id,
      kind: 'opened',
      actor,
      text: input.text === '' ? 'Opened by hand' : input.text,
      traceId,
    });
    appendAudit(context, {
      actor,
      action: 'incident.created',
      target: `incident:${id}`,
      detail: { title: input.title, severity: input.severity },
    });
    const incident = announceIncident(context, id, 'created', traceId);
    startEscalation(context, incident, null);
    queueIncidentWebhooks(context, incident, 'incident.opened', traceId);
    return incident;
  },

  attachToIncident: (
    context: WriteContext,
    input: { id: string; name: string; media_type: string; sha256: string; body: Uint8Array },
  ): z.infer<typeof Attachment> => {
    const incident = actOn(context, input.id);
    const row = addAttachment(context, incident, input);
    addTimeline(context, {
      incidentId: incident.id,
      kind: 'attachment',
      actor: context.actor,
      text: row.name,
      data: { attachment_id: row.id, media_type: row.media_type, bytes: row.bytes, sha256: row.sha256 },
      traceId: context.traceId,
    });
    appendAudit(context, {
      actor: context.actor,
      action: 'incident.attached',
      target: `incident:${incident.id}`,
      detail: { attachment_id: row.id, sha256: row.sha256 },
    });
    return toAttachment(row);
  },

  saveProcedure: (
    context: WriteContext,
    input: ProcedureFields & { id?: string | undefined },
  ): z.infer<typeof Procedure> => {
    authorise(context.actor, 'rule.write', orgScope(context.actor.orgId));
    const id = input.id ?? context.random.uuid();
    const steps = JSON.stringify(input.steps);
    if (input.id === undefined) {
      context.db
        .prepare('INSERT INTO procedures (id, org_id, name, steps, updated_ms) VALUES (?, ?, ?, ?, ?)')
        .run(id, context.actor.orgId, input.name, steps, context.nowMs);
    } else {
      const done = context.db
        .prepare('UPDATE procedures SET name = ?, steps = ?, updated_ms = ? WHERE id = ? AND org_id = ?')
        .run(input.name, steps, context.nowMs, id, context.actor.orgId);
      if (done.changes === 0) throw new AppError('not_found', 'There is no such procedure.');
    }
    appendAudit(context, {
      actor: context.actor,
      action: 'procedure.saved',
      target: `procedure:${id}`,
      detail: { name: input.name },
    });
    return toProcedure(
      context.db
        .prepare<[string], ProcedureRow>('SELECT * FROM procedures WHERE id = ?')
        .get(id) as ProcedureRow,
    );
  },

  deleteProcedure: (context: WriteContext, input: { id: string }): void => {
    authorise(context.actor, 'rule.write', orgScope(context.actor.orgId));
    const used = context.db
      .prepare<[string, string], { name: string }>(
        `SELECT json_extract(definition, '$.name') AS name FROM rules WHERE org_id = ? AND deleted_ms IS NULL AND instr(definition, ?) > 0 LIMIT 1`,
      )
      .get(context.actor.orgId, input.id);
    if (used) throw new AppError('in_use', `The rule "${used.name}" uses it.`);
    const done = context.db
      .prepare('DELETE FROM procedures WHERE id = ? AND org_id = ?')
      .run(input.id, context.actor.orgId);
    if (done.changes === 0) throw new AppError('not_found', 'There is no such procedure.');
    appendAudit(context, {
      actor: context.actor,
      action: 'procedure.deleted',
      target: `procedure:${input.id}`,
      detail: { at: toRfc3339(context.nowMs) },
    });
  },
});
