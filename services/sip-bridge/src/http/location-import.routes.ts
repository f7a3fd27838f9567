/** Dispatchable locations from a CSV: what it would do, and doing it, all rows or none. */
import type { ImportReport } from '@siphera/contract';
import { AppError, type Caller } from '@siphera/runtime';
import type { z } from 'zod';
import { readLocationCsv, type CsvLocation } from '../domain/location-csv.ts';
import { keptConfirmation, type Location } from '../domain/location-row.ts';
import type { PhoneHandlers } from '../ground.ts';

import { locationsMax, type LocationDeps } from './locations.routes.ts';
import { auditPlan, requireOnOrg } from './plan-access.ts';

type Report = z.infer<typeof ImportReport>;

export function locationImportHandlers(
  deps: LocationDeps,
): Pick<PhoneHandlers, 'previewLocationImport' | 'importLocations'> {
  return {
    previewLocationImport: async ({ caller, body }) => {
      requireOnOrg(caller, 'phone.manage');
      return report(read(deps, caller, body), false);
    },
    importLocations: async ({ caller, body }) => {
      requireOnOrg(caller, 'phone.manage');
      const rows = read(deps, caller, body);
      if (rows.some(({ errors }) => errors.length > 0)) return report(rows, false);
      apply(deps, caller, body.site_id, rows);
      return report(rows, true);
    },
  };
}

function read(
  { ground, book, places }: LocationDeps,
  { claims }: Caller,
  { csv, site_id: siteId }: { csv: string; site_id: string },
): CsvLocation[] {
  const { sites, areas } = ground.places.all();
  if (!sites.some((site) => site.id === siteId && site.org_id === claims.org))
    throw new AppError('not_found', 'There is no such site.');
  const { neighbours: _, ...around } = places.surroundings(claims.org);
  const locations = places.ofOrg(claims.org);
  const rows = readLocationCsv(csv, {
    siteId,
    country: book.plan().country,
    areas: areas.filter((area) => area.site_id === siteId),
    locations,
    around,
  });
  const created = rows.filter(({ action }) => action === 'create').length;
  if (places.all().length + created > locationsMax)
    throw new AppError('unprocessable', `There would be more than ${locationsMax} locations.`);
  return rows;
}

function apply(
  { ground, places, store }: LocationDeps,
  caller: Caller,
  siteId: string,
  rows: readonly CsvLocation[],
): void {
  const locations = rows.flatMap(({ input, existing, action }): Location[] => {
    if (!input || action === 'unchanged') return [];
    if (existing)
      return [
        { ...existing, ...input, ...keptConfirmation(existing, input), revision: existing.revision + 1 },
      ];
    const id = ground.random.uuid();
    return [{ ...input, id, org_id: caller.claims.org, revision: 1, validated_ms: null, validated_by: null }];
  });
  if (locations.length === 0) return;
  store.save(locations, () =>
    auditPlan(ground.outbox, caller, {
      action: 'emergency_location.import',
      target: `site:${siteId}`,
      detail: { labels: locations.map(({ label }) => label).slice(0, 200), count: locations.length },
    }),
  );
  places.changed();
}

const report = (rows: readonly CsvLocation[], applied: boolean): Report => {
  const bad = rows.filter(({ errors }) => errors.length > 0).length;
  return {
    rows: rows.map(({ line, label, action, errors }) => ({
      line,
      action: errors.length > 0 ? 'error' : action,
      name: label,
      errors,
    })),
    ok: rows.length - bad,
    bad,
    applied,
  };
};
