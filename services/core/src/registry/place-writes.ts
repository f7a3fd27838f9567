/** Writing sites, areas and floors. */
import { AppError } from '@siphera/runtime/base';
import { IANAZone } from 'luxon';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { authorise, authoriseOn, orgScope, scopesOf } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { announceDevice } from './device-writes.ts';
import { toArea, toFloor, toSite, type AreaRow, type FloorRow, type SiteRow } from './store/registry-rows.ts';

/** Deeper trees help nobody, and the queries that walk them are bounded by it. */
const areaDepthMax = 16;

const readSite = (context: WriteContext, id: string): SiteRow | undefined =>
  context.db.prepare<[string], SiteRow>('SELECT * FROM sites WHERE id = ?').get(id);
const readArea = (context: WriteContext, id: string): AreaRow | undefined =>
  context.db.prepare<[string], AreaRow>('SELECT * FROM areas WHERE id = ?').get(id);
const readFloor = (context: WriteContext, id: string): FloorRow | undefined =>
  context.db.prepare<[string], FloorRow>('SELECT * FROM floors WHERE id = ?').get(id);

function checkZone(timeZone: string | undefined): void {
  if (timeZone !== undefined && !IANAZone.isValidZone(timeZone)) {
    throw new AppError('validation_failed', `${timeZone} is not an IANA time zone.`, {
      extra: { errors: [{ path: 'body.time_zone', message: 'not an IANA time zone' }] },
    });
  }
}

function changedSite(context: WriteContext, id: string, action: 'created' | 'updated', deps: WriterDeps) {
  deps.index.clear();
  const site = toSite(readSite(context, id) as SiteRow);
  appendAudit(context, {
    actor: context.actor,
    action: `site.${action}`,
    target: `site:${id}`,
    detail: { name: site.name },
  });
  context.change({
    kind: 'site',
    action,
    id,
    orgId: site.org_id,
    audience: 'registry.read',
    scopes: [`site:${id}`, `org:${site.org_id}`],
    traceId: context.traceId,
    data: site,
  });
  return site;
}

export function changedArea(
  context: WriteContext,
  id: string,
  action: 'created' | 'updated',
  deps: Pick<WriterDeps, 'index'>,
) {
  deps.index.clear();
  const area = toArea(readArea(context, id) as AreaRow);
  const scopes = scopesOf(context.db, { kind: 'area', id })?.scopes ?? orgScope(area.org_id);
  context.change({
    kind: 'area',
    action,
    id,
    orgId: area.org_id,
    audience: 'registry.read',
    scopes,
    traceId: context.traceId,
    data: area,
  });
  return area;
}

function changedFloor(context: WriteContext, id: string, action: 'created' | 'updated') {
  const floor = toFloor(readFloor(context, id) as FloorRow);
  appendAudit(context, {
    actor: context.actor,
    action: `floor.${action}`,
    target: `floor:${id}`,
    detail: { name: floor.name },
  });
  context.change({
    kind: 'floor',
    action,
    id,
    orgId: floor.org_id,
    audience: 'registry.read',
    scopes: [`site:${floor.site_id}`, `org:${floor.org_id}`],
    traceId: context.traceId,
    data: floor,
  });
  return floor;
}

function removed(
  context: WriteContext,
  kind: 'site' | 'area' | 'floor',
  id: string,
  scopes: readonly string[],
): void {
  appendAudit(context, { actor: context.actor, action: `${kind}.deleted`, target: `${kind}:${id}` });
  context.change({
    kind,
    action: 'deleted',
    id,
    orgId: context.actor.orgId,
    audience: 'registry.read',
    scopes,
    traceId: context.traceId,
  });
}

function checkParent(
  context: WriteContext,
  areaId: string | undefined,
  siteId: string,
  parentId: string,
): void {
  const parent = scopesOf(context.db, { kind: 'area', id: parentId });
  if (!parent?.scopes.includes(`site:${siteId}`))
    throw new AppError('unprocessable', 'The parent area is not of this site.');
  if (areaId !== undefined && parent.scopes.includes(`area:${areaId}`))
    throw new AppError('unprocessable', 'An area cannot lie inside itself.');
  if (parent.scopes.length - 2 >= areaDepthMax)
    throw new AppError('unprocessable', `Areas go at most ${areaDepthMax} levels deep.`);
}

function refuseInUse(context: WriteContext, sql: string, id: string, detail: string): void {
  if (context.db.prepare(sql).get(id) !== undefined) throw new AppError('in_use', detail);
}

export const createPlaceWrites = (deps: WriterDeps) => ({
  createSite: (context: WriteContext, input: { name: string; time_zone: string; address: string }) => {
    authorise(context.actor, 'registry.write', orgScope(context.actor.orgId));
    checkZone(input.time_zone);
    const id = context.random.uuid();
    context.db
      .prepare(
        'INSERT INTO sites (id, org_id, name, time_zone, address, created_ms) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(id, context.actor.orgId, input.name, input.time_zone, input.address, context.nowMs);
    return changedSite(context, id, 'created', deps);
  },

  updateSite: (
    context: WriteContext,
    input: {
      id: string;
      name?: string | undefined;
      time_zone?: string | undefined;
      address?: string | undefined;
    },
  ) => {
    authoriseOn(
      context.actor,
      { read: 'registry.read', act: 'registry.write' },
      scopesOf(context.db, { kind: 'site', id: input.id }),
    );
    checkZone(input.time_zone);
    context.db
      .prepare(
        'UPDATE sites SET name = coalesce(?, name), time_zone = coalesce(?, time_zone), address = coalesce(?, address) WHERE id = ?',
      )
      .run(input.name ?? null, input.time_zone ?? null, input.address ?? null, input.id);
    return changedSite(context, input.id, 'updated', deps);
  },

  deleteSite: (context: WriteContext, input: { id: string }) => {
    const path = scopesOf(context.db, { kind: 'site', id: input.id });
    authoriseOn(context.actor, { read: 'registry.read', act: 'registry.write' }, path);
    refuseInUse(
      context,
      'SELECT 1 FROM areas WHERE site_id = ? LIMIT 1',
      input.id,
      'The site still has areas. Remove them first.',
    );
    refuseInUse(
      context,
      'SELECT 1 FROM floors WHERE site_id = ? LIMIT 1',
      input.id,
      'The site still has floors. Remove them first.',
    );
    refuseInUse(
      context,
      'SELECT 1 FROM incidents WHERE site_id = ? LIMIT 1',
      input.id,
      'The site has incidents, which are kept.',
    );
    context.db.prepare('DELETE FROM sites WHERE id = ?').run(input.id);
    deps.index.clear();
    removed(context, 'site', input.id, path?.scopes ?? []);
  },

  createArea: (context: WriteContext, input: { site_id: string; parent_id: string | null; name: string }) => {
    const above =
      input.parent_id === null
        ? ({ kind: 'site', id: input.site_id } as const)
        : ({ kind: 'area', id: input.parent_id } as const);
    authoriseOn(context.actor, { read: 'registry.read', act: 'registry.write' }, scopesOf(context.db, above));
    if (input.parent_id !== null) checkParent(context, undefined, input.site_id, input.parent_id);
    const id = context.random.uuid();
    context.db
      .prepare(
        'INSERT INTO areas (id, org_id, site_id, parent_id, name, created_ms) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(id, context.actor.orgId, input.site_id, input.parent_id, input.name, context.nowMs);
    appendAudit(context, {
      actor: context.actor,
      action: 'area.created',
      target: `area:${id}`,
      detail: { name: input.name },
    });
    return changedArea(context, id, 'created', deps);
  },

  updateArea: (
    context: WriteContext,
    input: { id: string; name?: string | undefined; parent_id?: string | null | undefined },
  ) => {
    authoriseOn(
      context.actor,
      { read: 'registry.read', act: 'registry.write' },
      scopesOf(context.db, { kind: 'area', id: input.id }),
    );
    const row = readArea(context, input.id) as AreaRow;
    if (input.parent_id !== undefined && input.parent_id !== null) {
      authoriseOn(
        context.actor,
        { read: 'registry.read', act: 'registry.write' },
        scopesOf(context.db, { kind: 'area', id: input.parent_id }),
      );
      checkParent(context, input.id, row.site_id, input.parent_id);
    }
    const parent = input.parent_id === undefined ? row.parent_id : input.parent_id;
    context.db
      .prepare('UPDATE areas SET name = ?, parent_id = ? WHERE id = ?')
      .run(input.name ?? row.name, parent, input.id);
    appendAudit(context, {
      actor: context.actor,
      action: 'area.updated',
      target: `area:${input.id}`,
      detail: { name: input.name ?? row.name },
    });
    return changedArea(context, input.id, 'updated', deps);
  },

  deleteArea: (context: WriteContext, input: { id: string }) => {
    const path = scopesOf(context.db, { kind: 'area', id: input.id });
    authoriseOn(context.actor, { read: 'registry.read', act: 'registry.write' }, path);
    refuseInUse(
      context,
      'SELECT 1 FROM areas WHERE parent_id = ? LIMIT 1',
      input.id,
      'The area still has areas below it.',
    );
    refuseInUse(
      context,
      'SELECT 1 FROM devices WHERE area_id = ? LIMIT 1',
      input.id,
      'The area still has devices (or had some that events name). Move them first.',
    );
    context.db.prepare('DELETE FROM areas WHERE id = ?').run(input.id);
    deps.index.clear();
    removed(context, 'area', input.id, path?.scopes ?? []);
  },

  createFloor: (context: WriteContext, input: { site_id: string; name: string; level: number }) => {
    authoriseOn(
      context.actor,
      { read: 'registry.read', act: 'registry.write' },
      scopesOf(context.db, { kind: 'site', id: input.site_id }),
    );
    const id = context.random.uuid();
    context.db
      .prepare('INSERT INTO floors (id, org_id, site_id, name, level, created_ms) VALUES (?, ?, ?, ?, ?, ?)')
      .run(id, context.actor.orgId, input.site_id, input.name, input.level, context.nowMs);
    return changedFloor(context, id, 'created');
  },

  updateFloor: (
    context: WriteContext,
    input: { id: string; name?: string | undefined; level?: number | undefined },
  ) => {
    authoriseFloor(context, input.id);
    context.db
      .prepare('UPDATE floors SET name = coalesce(?, name), level = coalesce(?, level) WHERE id = ?')
      .run(input.name ?? null, input.level ?? null, input.id);
    return changedFloor(context, input.id, 'updated');
  },

  deleteFloor: (context: WriteContext, input: { id: string }) => {
    const floor = authoriseFloor(context, input.id);
    const placed = context.db
      .prepare<[string], { id: string }>('SELECT id FROM devices WHERE floor_id = ? AND deleted_ms IS NULL')
      .all(input.id);
    context.db
      .prepare(
        'UPDATE devices SET floor_id = NULL, place_x = NULL, place_y = NULL, revision = revision + 1 WHERE floor_id = ?',
      )
      .run(input.id);
    context.db.prepare('DELETE FROM floors WHERE id = ?').run(input.id);
    for (const device of placed) announceDevice(context, device.id, 'updated', context.traceId);
    removed(context, 'floor', input.id, [`site:${floor.site_id}`, `org:${floor.org_id}`]);
  },

  /** `png` was re-encoded by the caller: no byte of the upload is kept. */
  putFloorPlan: (
    context: WriteContext,
    input: { id: string; png: Uint8Array; width: number; height: number; sha256: string },
  ) => {
    authoriseFloor(context, input.id);
    context.db
      .prepare(
        'INSERT INTO floor_plans (floor_id, png) VALUES (?, ?) ON CONFLICT (floor_id) DO UPDATE SET png = excluded.png',
      )
      .run(input.id, Buffer.from(input.png));
    context.db
      .prepare('UPDATE floors SET plan_width = ?, plan_height = ?, plan_sha256 = ? WHERE id = ?')
      .run(input.width, input.height, input.sha256, input.id);
    return changedFloor(context, input.id, 'updated');
  },
});

function authoriseFloor(context: WriteContext, id: string): FloorRow {
  const floor = readFloor(context, id);
  authoriseOn(
    context.actor,
    { read: 'registry.read', act: 'registry.write' },
    floor ? scopesOf(context.db, { kind: 'site', id: floor.site_id }) : undefined,
  );
  return floor as FloorRow;
}
