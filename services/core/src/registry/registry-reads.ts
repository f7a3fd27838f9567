/** Reading sites, areas, floors, devices and commands: only what the actor may see. */
import type {
  Device,
  DeviceKind,
  DeviceStatus,
  InternalArea,
  InternalDevice,
  InternalDevices,
  InternalPlaces,
} from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import type { z } from 'zod';
import { areasBelow, authoriseOn, scopesOf, visibleSql } from '../kernel/access.ts';
import { decodeCursor, toPage } from '../kernel/cursor.ts';
import { readFeedSeq } from '../kernel/feed-seq.ts';
import type { ReadContext } from '../kernel/transaction.ts';
import { enrolmentReads } from './enrolment-writes.ts';
import {
  commandColumns,
  deviceColumns,
  toArea,
  toCommand,
  toDevice,
  toFloor,
  toSite,
  type AreaRow,
  type CommandRow,
  type DeviceRow,
  type FloorRow,
  type SiteRow,
} from './store/registry-rows.ts';

type DeviceQuery = {
  cursor?: string | undefined;
  limit: number;
  q?: string | undefined;
  kind?: DeviceKind | undefined;
  status?: z.infer<typeof DeviceStatus> | undefined;
  area_id?: string | undefined;
  floor_id?: string | undefined;
  tag?: string | undefined;
};

export const registryReads = {
  ...enrolmentReads,

  listSites: (context: ReadContext, _input: Record<string, never>) => {
    const { db, actor } = context;
    // A guard of one area still needs the name and time zone of its site.
    const rows = db
      .prepare<[string], SiteRow>('SELECT * FROM sites WHERE org_id = ? ORDER BY name, id')
      .all(actor.orgId);
    const seen = rows.filter((row) =>
      actor.grants.some(
        (grant) => grant.permissions.includes('registry.read') && touchesSite(context, grant.scope, row),
      ),
    );
    return { items: seen.map(toSite), feed_seq: readFeedSeq(db) };
  },

  listAreas: ({ db, actor }: ReadContext, input: { site_id?: string | undefined }) => {
    const visible = visibleSql(db, actor, 'registry.read', {
      org: 'org_id',
      site: 'site_id',
      area: 'id',
      device: null,
    });
    const rows = db
      .prepare<unknown[], AreaRow>(
        `SELECT * FROM areas WHERE ${visible.sql} AND (? IS NULL OR site_id = ?) ORDER BY name, id`,
      )
      .all(...visible.params, input.site_id ?? null, input.site_id ?? null);
    return { items: rows.map(toArea), feed_seq: readFeedSeq(db) };
  },

  listFloors: ({ db, actor }: ReadContext, input: { site_id?: string | undefined }) => {
    const rows = db
      .prepare<unknown[], FloorRow>(
        'SELECT * FROM floors WHERE org_id = ? AND (? IS NULL OR site_id = ?) ORDER BY level DESC, id',
      )
      .all(actor.orgId, input.site_id ?? null, input.site_id ?? null);
    const sites = new Set(
      registryReads.listSites({ db, actor, nowMs: 0, traceId: '' }, {}).items.map((site) => site.id),
    );
    return { items: rows.filter((row) => sites.has(row.site_id)).map(toFloor), feed_seq: readFeedSeq(db) };
  },

  getFloorPlan: ({ db, actor }: ReadContext, input: { id: string }): { png: Uint8Array } => {
    const floors = registryReads.listFloors({ db, actor, nowMs: 0, traceId: '' }, {}).items;
    const row = floors.some((floor) => floor.id === input.id)
      ? db.prepare<[string], { png: Buffer }>('SELECT png FROM floor_plans WHERE floor_id = ?').get(input.id)
      : undefined;
    if (!row) throw new AppError('not_found', 'This floor has no plan, or you may not see it.');
    return { png: row.png };
  },

  listDevices: ({ db, actor }: ReadContext, input: DeviceQuery) => {
    const visible = visibleSql(db, actor, 'registry.read', {
      org: 'd.org_id',
      site: 'd.site_id',
      area: 'd.area_id',
      device: 'd.id',
    });
    const filters: string[] = ['d.deleted_ms IS NULL', visible.sql];
    const params: unknown[] = [...visible.params];
    const add = (sql: string, ...values: unknown[]): void => {
      filters.push(sql);
      params.push(...values);
    };
    if (input.kind) add('d.kind = ?', input.kind);
    if (input.status) add('d.status = ?', input.status);
    if (input.floor_id) add('d.floor_id = ?', input.floor_id);
    if (input.tag) add('EXISTS (SELECT 1 FROM json_each(d.tags) t WHERE t.value = ?)', input.tag);
    if (input.area_id) {
      const below = areasBelow(db, input.area_id);
      add(`d.area_id IN (${below.map(() => '?').join(', ') || 'NULL'})`, ...below);
    }
    if (input.q)
      add(
        `(instr(lower(d.name), lower(?)) > 0 OR instr(lower(coalesce(d.external_id, '')), lower(?)) > 0)`,
        input.q,
        input.q,
      );
    if (input.cursor) add('d.id > ?', decodeCursor(input.cursor));
    const rows = db
      .prepare<unknown[], DeviceRow>(
        `SELECT ${deviceColumns} FROM devices d JOIN areas a ON a.id = d.area_id WHERE ${filters.join(' AND ')} ORDER BY d.id LIMIT ?`,
      )
      .all(...params, input.limit + 1);
    return { ...toPage(rows, input.limit, toDevice, (row) => row.id), feed_seq: readFeedSeq(db) };
  },

  getDevice: ({ db, actor }: ReadContext, input: { id: string }): Device => {
    const row = db
      .prepare<[string], DeviceRow>(
        `SELECT ${deviceColumns} FROM devices d JOIN areas a ON a.id = d.area_id WHERE d.id = ? AND d.deleted_ms IS NULL`,
      )
      .get(input.id);
    authoriseOn(
      actor,
      { read: 'registry.read' },
      row ? scopesOf(db, { kind: 'device', id: row.id }) : undefined,
    );
    return toDevice(row as DeviceRow);
  },

  /** For the box's own services: devices of a kind in all orgs with the place they are in, and all areas. */
  listPlacedDevices: (
    { db }: ReadContext,
    input: { kind: z.infer<typeof DeviceKind> },
  ): z.infer<typeof InternalDevices> => {
    const rows = db
      .prepare<[string], Omit<InternalDevice, 'scopes'>>(
        `SELECT d.id, d.org_id, d.site_id, s.time_zone AS site_time_zone, d.area_id, a.name AS area_name, d.name, d.external_id
         FROM devices d JOIN areas a ON a.id = d.area_id JOIN sites s ON s.id = d.site_id
         WHERE d.kind = ? AND d.deleted_ms IS NULL ORDER BY d.id`,
      )
      .all(input.kind);
    const items = rows.map((row) => ({
      ...row,
      scopes: scopesOf(db, { kind: 'device', id: row.id })?.scopes ?? [`org:${row.org_id}`],
    }));
    const areas = db
      .prepare<[], Omit<InternalArea, 'scopes'>>('SELECT id, org_id, site_id, name FROM areas ORDER BY id')
      .all()
      .map((row) => ({ ...row, scopes: scopesOf(db, { kind: 'area', id: row.id })?.scopes ?? [] }));
    return { items, areas, upto: readFeedSeq(db) };
  },

  /** For the box's own services: sites and areas of all orgs. */
  listPlaces: ({ db }: ReadContext, _input: Record<string, never>): z.infer<typeof InternalPlaces> => {
    const sites = db
      .prepare<[], z.infer<typeof InternalPlaces>['sites'][number]>(
        'SELECT id, org_id, name, time_zone FROM sites ORDER BY id',
      )
      .all();
    const areas = db
      .prepare<[], Omit<InternalArea, 'scopes'> & { parent_id: string | null }>(
        'SELECT id, org_id, site_id, name, parent_id FROM areas ORDER BY id',
      )
      .all()
      .map((row) => ({ ...row, scopes: scopesOf(db, { kind: 'area', id: row.id })?.scopes ?? [] }));
    return { sites, areas, upto: readFeedSeq(db) };
  },

  getCommand: ({ db, actor }: ReadContext, input: { id: string }) => {
    const row = db
      .prepare<[string], CommandRow>(
        `SELECT ${commandColumns} FROM commands c JOIN devices d ON d.id = c.device_id WHERE c.id = ?`,
      )
      .get(input.id);
    authoriseOn(
      actor,
      { read: 'registry.read' },
      row ? scopesOf(db, { kind: 'device', id: row.device_id }) : undefined,
    );
    return toCommand(row as CommandRow);
  },

  listCommands: (
    { db, actor }: ReadContext,
    input: { id: string; cursor?: string | undefined; limit: number },
  ) => {
    authoriseOn(actor, { read: 'registry.read' }, scopesOf(db, { kind: 'device', id: input.id }));
    const before = input.cursor ? decodeCursor(input.cursor) : 'g';
    const rows = db
      .prepare<unknown[], CommandRow>(
        `SELECT ${commandColumns} FROM commands c JOIN devices d ON d.id = c.device_id WHERE c.device_id = ? AND c.id < ? ORDER BY c.id DESC LIMIT ?`,
      )
      .all(input.id, before, input.limit + 1);
    return { ...toPage(rows, input.limit, toCommand, (row) => row.id), feed_seq: readFeedSeq(db) };
  },
};

function touchesSite({ db }: ReadContext, scope: string, site: SiteRow): boolean {
  if (scope === `org:${site.org_id}` || scope === `site:${site.id}`) return true;
  const [kind, id] = scope.split(':');
  if (id === undefined || (kind !== 'area' && kind !== 'device')) return false;
  return scopesOf(db, { kind, id })?.scopes.includes(`site:${site.id}`) ?? false;
}
