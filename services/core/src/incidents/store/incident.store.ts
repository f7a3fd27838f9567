/** Incident rows inside a write: read, announce, and where they are for authorisation. */
import type { Incident } from '@siphera/contract';
import { AppError, type Sqlite } from '@siphera/runtime/base';
import { scopesOfRecord } from '../../kernel/access.ts';
import type { Tx } from '../../kernel/transaction.ts';
import { incidentSelect, toIncident, type IncidentRow } from './incident-rows.ts';

export const readIncident = (db: Sqlite, id: string): IncidentRow | undefined =>
  db.prepare<[string], IncidentRow>(`${incidentSelect} WHERE i.id = +?`).get(id);

export const incidentScopes: (
  db: Sqlite,
  row: Pick<IncidentRow, 'org_id' | 'site_id' | 'area_id' | 'device_id'>,
) => { orgId: string; scopes: string[] } = scopesOfRecord;

export type NewIncident = Pick<
  IncidentRow,
  | 'id'
  | 'org_id'
  | 'site_id'
  | 'title'
  | 'severity'
  | 'area_id'
  | 'device_id'
  | 'rule_id'
  | 'group_key'
  | 'event_count'
  | 'last_event_ms'
  | 'late_ms'
  | 'escalation_id'
  | 'test'
  | 'trace_id'
> & { steps: Incident['steps'] };

/** In the state `new`, with the next number. */
export function insertIncident(tx: Tx, incident: NewIncident): void {
  tx.db
    .prepare(
      `INSERT INTO incidents (id, org_id, site_id, number, title, severity, state, area_id, device_id, device_ids, rule_id, group_key, opened_ms, updated_ms,
         event_count, last_event_ms, late_ms, steps, escalation_id, test, trace_id)
       VALUES (@id, @org_id, @site_id, @number, @title, @severity, 'new', @area_id, @device_id, @device_ids, @rule_id, @group_key, @now_ms, @now_ms,
         @event_count, @last_event_ms, @late_ms, @steps, @escalation_id, @test, @trace_id)`,
    )
    .run({
      ...incident,
      number: nextNumber(tx, incident.org_id),
      device_ids: JSON.stringify(incident.device_id === null ? [] : [incident.device_id]),
      steps: JSON.stringify(incident.steps),
      now_ms: tx.nowMs,
    });
}

/** Puts the incident as it is now on the feed. */
export function announceIncident(
  tx: Tx,
  id: string,
  action: 'created' | 'updated',
  traceId: string,
): Incident {
  const row = readIncident(tx.db, id);
  if (!row) throw new AppError('not_found', 'There is no such incident.');
  const incident = toIncident(row);
  tx.change({
    kind: 'incident',
    action,
    id,
    orgId: row.org_id,
    audience: 'incident.read',
    scopes: incidentScopes(tx.db, row).scopes,
    traceId,
    data: incident,
  });
  return incident;
}

/** The next incident number of the org. Numbers are given in commit order and never twice. */
function nextNumber(tx: Tx, orgId: string): number {
  return (
    (tx.db
      .prepare<[string], { number: number | null }>(
        'SELECT max(number) AS number FROM incidents WHERE org_id = ?',
      )
      .get(orgId)?.number ?? 0) + 1
  );
}
