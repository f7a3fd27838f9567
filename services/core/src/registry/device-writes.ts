/** Writing devices: the use cases of the page, and `saveDevice`, which CSV import shares. */
import type { Device, DeviceKind } from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { authorise, authoriseOn, scopesOf } from '../kernel/access.ts';
import type { Tx, WriteContext } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { twinsChanged } from './twin.ts';
import { deviceColumns, toDevice, type DeviceRow } from './store/registry-rows.ts';

export type DeviceFields = {
  area_id: string;
  parent_id: string | null;
  kind: DeviceKind;
  name: string;
  external_id: string | null;
  tags: readonly string[];
  place: { floor_id: string; x: number; y: number } | null;
};

export function readDeviceRow(tx: Pick<Tx, 'db'>, id: string): DeviceRow | undefined {
  return tx.db
    .prepare<[string], DeviceRow>(
      `SELECT ${deviceColumns} FROM devices d JOIN areas a ON a.id = d.area_id WHERE d.id = +? AND d.deleted_ms IS NULL`,
    )
    .get(id);
}

/** Puts the device as it is now on the feed. */
export function announceDevice(tx: Tx, id: string, action: 'created' | 'updated', traceId: string): Device {
  const row = readDeviceRow(tx, id);
  if (!row) throw new AppError('not_found', 'There is no such device.');
  const device = toDevice(row);
  const scopes = scopesOf(tx.db, { kind: 'device', id })?.scopes ?? [`org:${device.org_id}`];
  tx.change({
    kind: 'device',
    action,
    id,
    orgId: device.org_id,
    audience: 'registry.read',
    scopes,
    traceId,
    data: device,
  });
  return device;
}

/** @throws AppError `unprocessable` when the parts do not belong together, `duplicate` for an external id that is taken. */
function checkFields(
  context: WriteContext,
  fields: DeviceFields,
  id: string | undefined,
): { siteId: string } {
  const area = context.db
    .prepare<[string, string], { site_id: string }>('SELECT site_id FROM areas WHERE id = ? AND org_id = ?')
    .get(fields.area_id, context.actor.orgId);
  if (!area) throw new AppError('unprocessable', 'There is no such area.');
  if (fields.place) {
    const floor = context.db
      .prepare<[string], { site_id: string }>('SELECT site_id FROM floors WHERE id = ?')
      .get(fields.place.floor_id);
    if (floor?.site_id !== area.site_id)
      throw new AppError('unprocessable', "The floor is not of the device's site.");
  }
  if (fields.parent_id !== null) {
    const parent = context.db
      .prepare<[string], { site_id: string; kind: string }>(
        'SELECT site_id, kind FROM devices WHERE id = ? AND deleted_ms IS NULL',
      )
      .get(fields.parent_id);
    if (parent?.site_id !== area.site_id || fields.parent_id === id)
      throw new AppError('unprocessable', 'The controller it hangs on is not of the same site.');
    if (parent.kind !== 'controller' && parent.kind !== 'panel')
      throw new AppError('unprocessable', 'A device hangs on a controller or a panel only.');
  }
  if (fields.external_id !== null) {
    const taken = context.db
      .prepare<[string, string, string], { name: string }>(
        'SELECT name FROM devices WHERE org_id = ? AND external_id = ? AND id <> ? AND deleted_ms IS NULL',
      )
      .get(context.actor.orgId, fields.external_id, id ?? '');
    if (taken) throw new AppError('duplicate', `The device "${taken.name}" has this external id already.`);
  }
  return { siteId: area.site_id };
}

/** Inserts or overwrites a device and puts it on the feed. The caller has authorised it. */
export function saveDevice(
  context: WriteContext,
  deps: Pick<WriterDeps, 'index' | 'publish'>,
  id: string | undefined,
  fields: DeviceFields,
): Device {
  const { siteId } = checkFields(context, fields, id);
  const parentBefore = id === undefined ? null : (readDeviceRow(context, id)?.parent_id ?? null);
  const place = fields.place ?? { floor_id: null, x: null, y: null };
  const values = [
    fields.area_id,
    siteId,
    fields.parent_id,
    fields.kind,
    fields.name,
    fields.external_id,
    JSON.stringify(fields.tags),
    place.floor_id,
    place.x,
    place.y,
  ];
  const saved = id ?? context.random.uuid();
  if (id === undefined) {
    context.db
      .prepare(
        `INSERT INTO devices (area_id, site_id, parent_id, kind, name, external_id, tags, floor_id, place_x, place_y, id, org_id, created_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(...values, saved, context.actor.orgId, context.nowMs);
  } else {
    context.db
      .prepare(
        `UPDATE devices SET area_id = ?, site_id = ?, parent_id = ?, kind = ?, name = ?, external_id = ?, tags = ?, floor_id = ?, place_x = ?, place_y = ?,
           revision = revision + 1 WHERE id = ?`,
      )
      .run(...values, id);
  }
  deps.index.clear();
  twinsChanged(context, deps, [fields.parent_id, parentBefore]);
  const device = announceDevice(context, saved, id === undefined ? 'created' : 'updated', context.traceId);
  appendAudit(context, {
    actor: context.actor,
    action: id === undefined ? 'device.created' : 'device.updated',
    target: `device:${saved}`,
    detail: { name: fields.name, kind: fields.kind },
  });
  return device;
}

export const createDeviceWrites = (deps: WriterDeps) => ({
  createDevice: (context: WriteContext, input: DeviceFields): Device => {
    authoriseOn(
      context.actor,
      { read: 'registry.read', act: 'registry.write' },
      scopesOf(context.db, { kind: 'area', id: input.area_id }),
    );
    return saveDevice(context, deps, undefined, input);
  },

  updateDevice: (
    context: WriteContext,
    input: { id: string; patch: { [K in keyof DeviceFields]?: DeviceFields[K] | undefined } },
  ): Device => {
    const path = scopesOf(context.db, { kind: 'device', id: input.id });
    authoriseOn(context.actor, { read: 'registry.read', act: 'registry.write' }, path);
    const row = readDeviceRow(context, input.id);
    if (!row) throw new AppError('not_found', 'There is no such device.');
    const now = toDevice(row);
    const { patch } = input;
    // Moving it somewhere needs the right there too.
    if (patch.area_id !== undefined)
      authorise(
        context.actor,
        'registry.write',
        scopesOf(context.db, { kind: 'area', id: patch.area_id })?.scopes ?? [],
      );
    return saveDevice(context, deps, input.id, {
      area_id: patch.area_id ?? now.area_id,
      parent_id: patch.parent_id === undefined ? now.parent_id : patch.parent_id,
      kind: patch.kind ?? now.kind,
      name: patch.name ?? now.name,
      external_id: patch.external_id === undefined ? now.external_id : patch.external_id,
      tags: patch.tags ?? now.tags,
      place: patch.place === undefined ? now.place : patch.place,
    });
  },

  deleteDevice: (context: WriteContext, input: { id: string }): void => {
    const path = scopesOf(context.db, { kind: 'device', id: input.id });
    authoriseOn(context.actor, { read: 'registry.read', act: 'registry.write' }, path);
    const row = readDeviceRow(context, input.id);
    if (!row) throw new AppError('not_found', 'There is no such device.');
    const child = context.db
      .prepare<[string], { name: string }>(
        'SELECT name FROM devices WHERE parent_id = ? AND deleted_ms IS NULL LIMIT 1',
      )
      .get(input.id);
    if (child)
      throw new AppError(
        'in_use',
        `"${child.name}" still hangs on it. Move or remove what hangs on it first.`,
      );
    context.db
      .prepare('UPDATE devices SET deleted_ms = ?, revision = revision + 1 WHERE id = ?')
      .run(context.nowMs, input.id);
    context.db
      .prepare('UPDATE device_certificates SET revoked_ms = ? WHERE device_id = ? AND revoked_ms IS NULL')
      .run(context.nowMs, input.id);
    deps.index.clear();
    appendAudit(context, {
      actor: context.actor,
      action: 'device.deleted',
      target: `device:${input.id}`,
      detail: { name: row.name },
    });
    context.change({
      kind: 'device',
      action: 'deleted',
      id: input.id,
      orgId: row.org_id,
      audience: 'registry.read',
      scopes: path?.scopes ?? [],
      traceId: context.traceId,
    });
    twinsChanged(context, deps, [row.parent_id]);
    context.afterCommit(() => deps.crlChanged());
  },
});
