/** Drills: starting, following and stopping them. */
import { AppError, type Caller } from '@siphera/runtime';
import type { DrillRunner } from '../adapters/drill-runner.ts';
import type { EmergencyPlaces } from '../adapters/emergency-places.ts';
import type { Ground, PhoneHandlers } from '../ground.ts';
import type { DrillRow, DrillStore } from '../store/drill.store.ts';
import { maySee } from './emergency-access.ts';
import { auditPlan, requireOnOrg } from './plan-access.ts';

export type DrillDeps = {
  ground: Ground;
  places: EmergencyPlaces;
  runner: DrillRunner;
  store: DrillStore;
};
type Names = 'listDrills' | 'startDrill' | 'getDrill' | 'stopDrill';

export function drillHandlers(deps: DrillDeps): Pick<PhoneHandlers, Names> {
  const { ground, runner, store } = deps;
  const mayFollow = (caller: Caller, row: DrillRow): boolean =>
    maySee(caller, ground.places, { ...row, area_ids: [] });
  const found = (caller: Caller, id: string): DrillRow => {
    const row = store.get(id);
    if (!row || !mayFollow(caller, row)) throw new AppError('not_found', 'There is no such drill.');
    return row;
  };
  return {
    listDrills: async ({ caller, query: { cursor, limit } }) => {
      const rows: DrillRow[] = [];
      let before = cursor;
      // Rows that the caller may not see are skipped, so a page may take more than one reading.
      for (;;) {
        const read = store.list(caller.claims.org, before, limit + 1);
        rows.push(...read.filter((row) => mayFollow(caller, row)));
        before = read.at(-1)?.id;
        if (read.length <= limit || rows.length > limit) break;
      }
      const next = rows.length > limit ? rows[limit - 1]?.id : undefined;
      return {
        items: rows.slice(0, limit).map((row) => runner.view(row)),
        feed_seq: 0,
        ...(next === undefined ? {} : { next_cursor: next }),
      };
    },

    startDrill: async ({ caller, body }) => {
      requireOnOrg(caller, 'phone.manage');
      const locations = locationsOf(deps, caller, body);
      await runner.check();
      const id = ground.random.uuid();
      const drill = {
        id,
        org_id: caller.claims.org,
        site_id: body.site_id,
        name: body.name,
        location_ids: locations,
        started_ms: ground.clock.now(),
        started_by: caller.claims.name,
      };
      runner.run(drill, () =>
        auditPlan(ground.outbox, caller, {
          action: 'emergency_drill.start',
          target: `emergency_drill:${id}`,
          detail: { name: body.name, site_id: body.site_id, locations: locations.length },
        }),
      );
      return runner.view(found(caller, id));
    },

    getDrill: async ({ caller, params }) => runner.view(found(caller, params.id)),

    stopDrill: async ({ caller, params }) => {
      requireOnOrg(caller, 'phone.manage');
      const row = found(caller, params.id);
      if (row.state === 'running') {
        auditPlan(ground.outbox, caller, {
          action: 'emergency_drill.stop',
          target: `emergency_drill:${row.id}`,
          detail: { name: row.name },
        });
        await runner.stopDrill(row.id);
      }
      return runner.view(found(caller, params.id));
    },
  };
}

/** @throws AppError when a location is not one of the site, or the site has none. */
function locationsOf(
  { places }: DrillDeps,
  { claims }: Caller,
  body: { site_id: string; location_ids: string[] },
): string[] {
  const ofSite = places.ofOrg(claims.org).filter(({ site_id: siteId }) => siteId === body.site_id);
  const wanted = [...new Set(body.location_ids)];
  if (wanted.some((id) => !ofSite.some((location) => location.id === id)))
    throw new AppError('not_found', 'There is no such location in this site.');
  const ids = wanted.length > 0 ? wanted : ofSite.map(({ id }) => id);
  if (ids.length === 0)
    throw new AppError('unprocessable', 'The site has no locations to call from.', {
      hint: 'Add them first, or import a CSV.',
    });
  return ids;
}
