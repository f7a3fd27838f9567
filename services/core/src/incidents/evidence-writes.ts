/** What services/camera kept of an incident, as a line of its timeline. */
import type { InternalEvidence, TimelineEntry } from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import type { z } from 'zod';
import type { WriteContext } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { readIncident } from './store/incident.store.ts';
import { addTimeline } from './store/timeline.store.ts';

export const createEvidenceWrites = (deps: WriterDeps) => ({
  /** Comes until it was answered: the same line a second time changes nothing. */
  addEvidence: (
    context: WriteContext,
    input: z.infer<typeof InternalEvidence>,
  ): { added: boolean; entry?: TimelineEntry } => {
    const incident = readIncident(context.db, input.incident_id);
    const camera = deps.index.device(input.device_id);
    if (!incident) throw new AppError('not_found', 'There is no such incident.');
    if (camera && (camera.kind !== 'camera' || camera.orgId !== incident.org_id))
      throw new AppError('unprocessable', 'Evidence comes from a camera of the same org.');
    const data = { ...input.data, device_id: input.device_id };
    const before = context.db
      .prepare(`SELECT 1 FROM timeline WHERE incident_id = ? AND kind = 'evidence' AND text = ? AND data = ?`)
      .get(input.incident_id, input.text, JSON.stringify(data));
    if (before !== undefined) return { added: false };
    const entry = addTimeline(context, {
      incidentId: input.incident_id,
      kind: 'evidence',
      // The camera may have been removed since; what it saw stands.
      actor: { kind: 'device', id: input.device_id, name: camera?.name ?? 'A removed camera' },
      text: input.text,
      data,
      traceId: context.traceId,
    });
    return { added: true, entry };
  },
});
