/** CSV import of devices: preview and apply are one function, so that the preview cannot promise what the import refuses. */
import type { ImportReport, ImportRow } from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import type { z } from 'zod';
import { authoriseOn, scopesOf } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { Undone } from '../kernel/writer.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { readDeviceRow, saveDevice, type DeviceFields } from './device-writes.ts';
import { parseDeviceCsv, type CellError, type CsvDevice } from './domain/device-csv.ts';
import { toDevice } from './store/registry-rows.ts';

type Report = z.infer<typeof ImportReport>;
type ReportRow = z.infer<typeof ImportRow>;

export const createImportWrites = (deps: WriterDeps) => ({
  /** `apply: false` does everything and undoes it; with any bad row nothing is applied either way. */
  importDevices: (context: WriteContext, input: { csv: string; site_id: string; apply: boolean }): Report => {
    authoriseOn(
      context.actor,
      { read: 'registry.read', act: 'registry.write' },
      scopesOf(context.db, { kind: 'site', id: input.site_id }),
    );
    const parsed = parseDeviceCsv(input.csv);
    if ('problem' in parsed) throw new AppError('unprocessable', parsed.problem);
    const rows = parsed.rows.map((row) => importRow(context, deps, input.site_id, row));
    const bad = rows.filter((row) => row.action === 'error').length;
    const applied = input.apply && bad === 0;
    const report = { rows, ok: rows.length - bad, bad, applied };
    if (!applied) throw new Undone(report);
    return report;
  },
});

function importRow(context: WriteContext, deps: WriterDeps, siteId: string, row: CsvDevice): ReportRow {
  const errors: CellError[] = [...row.errors];
  const fields = resolve(context, siteId, row, errors);
  if (!fields || errors.length > 0)
    return { line: row.line, action: 'error', name: row.name.slice(0, 120), errors };
  const id = findExisting(context, siteId, fields);
  if (id !== undefined && isSame(context, id, fields))
    return { line: row.line, action: 'unchanged', name: row.name, errors: [] };
  try {
    saveDevice(context, deps, id, fields);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return {
      line: row.line,
      action: 'error',
      name: row.name,
      errors: [{ column: 'name', message: error.message }],
    };
  }
  return { line: row.line, action: id === undefined ? 'create' : 'update', name: row.name, errors: [] };
}

function resolve(
  context: WriteContext,
  siteId: string,
  row: CsvDevice,
  errors: CellError[],
): DeviceFields | undefined {
  const areaId = findByName(context, 'areas', siteId, row.area);
  if (areaId === undefined && row.area !== '')
    errors.push({
      column: 'area',
      message: `There is no area "${row.area.slice(0, 60)}" in this site (or more than one)`,
    });
  const floorId = row.floor === '' ? undefined : findByName(context, 'floors', siteId, row.floor);
  if (row.floor !== '' && floorId === undefined)
    errors.push({ column: 'floor', message: `There is no floor "${row.floor.slice(0, 60)}" in this site` });
  const parentId = row.parent === undefined ? null : (findParent(context, siteId, row.parent) ?? undefined);
  if (parentId === undefined)
    errors.push({
      column: 'parent',
      message: `There is no controller "${row.parent?.slice(0, 60) ?? ''}" in this site`,
    });
  if (areaId === undefined || parentId === undefined || row.kind === undefined) return undefined;
  const place =
    floorId !== undefined && row.x !== undefined && row.y !== undefined
      ? { floor_id: floorId, x: row.x, y: row.y }
      : null;
  return {
    area_id: areaId,
    parent_id: parentId,
    kind: row.kind,
    name: row.name,
    external_id: row.externalId ?? null,
    tags: row.tags,
    place,
  };
}

function findByName(
  context: WriteContext,
  table: 'areas' | 'floors',
  siteId: string,
  name: string,
): string | undefined {
  const rows = context.db
    .prepare<[string, string], { id: string }>(
      `SELECT id FROM ${table} WHERE site_id = ? AND name = ? COLLATE NOCASE LIMIT 2`,
    )
    .all(siteId, name);
  return rows.length === 1 ? rows[0]?.id : undefined;
}

function findParent(context: WriteContext, siteId: string, name: string): string | undefined {
  return context.db
    .prepare<[string, string, string], { id: string }>(
      `SELECT id FROM devices WHERE site_id = ? AND deleted_ms IS NULL AND kind IN ('controller', 'panel') AND (external_id = ? OR name = ? COLLATE NOCASE) LIMIT 1`,
    )
    .get(siteId, name, name)?.id;
}

/** By external id; without one, by name and kind in the same area. */
function findExisting(context: WriteContext, siteId: string, fields: DeviceFields): string | undefined {
  if (fields.external_id !== null) {
    return context.db
      .prepare<[string, string], { id: string }>(
        'SELECT id FROM devices WHERE site_id = ? AND external_id = ? AND deleted_ms IS NULL',
      )
      .get(siteId, fields.external_id)?.id;
  }
  return context.db
    .prepare<[string, string, string], { id: string }>(
      'SELECT id FROM devices WHERE area_id = ? AND name = ? AND kind = ? AND deleted_ms IS NULL',
    )
    .get(fields.area_id, fields.name, fields.kind)?.id;
}

function isSame(context: WriteContext, id: string, fields: DeviceFields): boolean {
  const row = readDeviceRow(context, id);
  if (!row) return false;
  const { area_id, parent_id, kind, name, external_id, tags, place } = toDevice(row);
  return (
    JSON.stringify({ area_id, parent_id, kind, name, external_id, tags, place }) ===
    JSON.stringify({
      area_id: fields.area_id,
      parent_id: fields.parent_id,
      kind: fields.kind,
      name: fields.name,
      external_id: fields.external_id,
      tags: fields.tags,
      place: fields.place,
    })
  );
}
