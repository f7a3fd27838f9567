/** The timeline: append-only, each entry also a feed entry at the same position. */
import type { TimelineEntry } from '@siphera/contract';
import { AppError, toRfc3339 } from '@siphera/runtime/base';
import type { Actor } from '../../kernel/actor.ts';
import type { Tx } from '../../kernel/transaction.ts';
import { incidentScopes, readIncident } from './incident.store.ts';

export type TimelineInput = {
  incidentId: string;
  kind: TimelineEntry['kind'];
  actor: Pick<Actor, 'kind' | 'id' | 'name'>;
  text: string;
  data?: Record<string, unknown>;
  traceId: string;
};

export function addTimeline(tx: Tx, input: TimelineInput): TimelineEntry {
  const incident = readIncident(tx.db, input.incidentId);
  if (!incident) throw new AppError('not_found', 'There is no such incident.');
  const id = tx.random.uuid();
  const kind = input.actor.kind === 'service' ? 'system' : input.actor.kind;
  const actor = { kind, id: input.actor.id, name: input.actor.name };
  const entry = {
    id,
    incident_id: input.incidentId,
    at: toRfc3339(tx.nowMs),
    kind: input.kind,
    actor,
    text: input.text,
    data: input.data ?? {},
  };
  const seq = tx.change({
    kind: 'timeline',
    action: 'created',
    id,
    orgId: incident.org_id,
    audience: 'incident.read',
    scopes: incidentScopes(tx.db, incident).scopes,
    traceId: input.traceId,
    data: entry,
  });
  tx.db
    .prepare(
      'INSERT INTO timeline (seq, id, org_id, incident_id, at_ms, kind, actor, text, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(
      seq,
      id,
      incident.org_id,
      input.incidentId,
      tx.nowMs,
      input.kind,
      JSON.stringify(actor),
      input.text,
      JSON.stringify(input.data ?? {}),
    );
  return { ...entry, seq };
}
