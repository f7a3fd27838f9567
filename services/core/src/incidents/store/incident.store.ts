/** Incident rows inside a write: read, announce, and where they are for authorisation. */
import type { Incident } from '@siphera/contract';
import { AppError, type Sqlite } from '@siphera/runtime';
import { scopesOf } from '../../kernel/access.ts';
import type { Tx } from '../../kernel/transaction.ts';
import { incidentSelect, toIncident, type IncidentRow } from './incident-rows.ts';

export const readIncident = (db: Sqlite, id: string): IncidentRow | undefined =>
  db.prepare<[string], IncidentRow>(`${incidentSelect} WHERE i.id = ?`).get(id);

/**
 * The incident's place as scope keys: where it happened, wherever the device was moved since, so that lists, pages and the
 * feed agree on who sees it.
 */
export function incidentScopes(
  db: Sqlite,
  row: Pick<IncidentRow, 'org_id' | 'site_id' | 'area_id' | 'device_id'>,
): { orgId: string; scopes: string[] } {
  const area = row.area_id === null ? undefined : scopesOf(db, { kind: 'area', id: row.area_id });
  if (area && row.device_id !== null)
    return { orgId: area.orgId, scopes: [`device:${row.device_id}`, ...area.scopes] };
  return (
    area ??
    (row.device_id === null ? undefined : scopesOf(db, { kind: 'device', id: row.device_id })) ??
    scopesOf(db, { kind: 'site', id: row.site_id }) ?? { orgId: row.org_id, scopes: [`org:${row.org_id}`] }
  );
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
export function nextNumber(tx: Tx, orgId: string): number {
  return (
    (tx.db
      .prepare<[string], { number: number | null }>(
        'SELECT max(number) AS number FROM incidents WHERE org_id = ?',
      )
      .get(orgId)?.number ?? 0) + 1
  );
}
