/** The zone map as CSV: `partition, zone, name, device_id, area_id`. Reading names each bad row; it never throws. */
import { Name, Uuid } from '@siphera/contract';
import { parse } from 'csv-parse/sync';
import { zoneKey, type Zone } from './account.ts';

export const zoneRowsMax = 2_000;
const columns = ['partition', 'zone', 'name', 'device_id', 'area_id'] as const;
type Column = (typeof columns)[number];

export type ZoneRow = {
  line: number;
  zone: Zone;
  action: 'create' | 'update' | 'unchanged' | 'error';
  errors: { column: string; message: string }[];
};

/** `existing` is the map the rows are compared with. */
export function readZoneCsv(csv: string, existing: readonly Zone[]): ZoneRow[] {
  const records = readRecords(csv);
  if ('error' in records) return [badFile(records.line, records.error)];
  const [header, ...body] = records.rows;
  const names = header?.cells.map((cell) => cell.trim().toLowerCase()) ?? [];
  const missing = ['zone', 'name'].filter((name) => !names.includes(name));
  const unknown = names.filter((name) => !columns.some((column) => column === name));
  if (missing.length > 0)
    return [badFile(1, `The first line must name the columns; missing: ${missing.join(', ')}`)];
  if (unknown.length > 0) return [badFile(1, `Unknown column: ${unknown.join(', ').slice(0, 100)}`)];
  if (body.length === 0) return [badFile(1, 'There are no rows below the header')];
  if (body.length > zoneRowsMax) return [badFile(1, `At most ${zoneRowsMax} rows`)];
  const before = new Map(existing.map((zone) => [zoneKey(zone.partition, zone.zone), zone]));
  const seen = new Map<string, number>();
  return body.map(({ line, cells }) => {
    const row = readRow(line, names, cells);
    const key = zoneKey(row.zone.partition, row.zone.zone);
    const first = seen.get(key);
    if (first !== undefined)
      row.errors.push({ column: 'zone', message: `Same partition and zone as line ${first}` });
    seen.set(key, first ?? line);
    return { ...row, action: actionOf(row, before.get(key)) };
  });
}

function readRow(line: number, names: string[], cells: string[]): Omit<ZoneRow, 'action'> {
  const errors: ZoneRow['errors'] = [];
  const cell = (column: Column): string => (cells[names.indexOf(column)] ?? '').trim();
  if (cells.length > names.length) errors.push({ column: 'row', message: 'More cells than columns' });
  const name = cell('name');
  if (!Name.safeParse(name).success)
    errors.push({ column: 'name', message: 'A name of 1 to 120 characters, one line' });
  // A spreadsheet would run such a cell when the map is looked at there.
  if (/^[=+@\t-]/.test(name)) errors.push({ column: 'name', message: 'Must not begin with =, +, - or @' });
  const partition = code(cell('partition'), 'partition', errors);
  const zone = code(cell('zone'), 'zone', errors);
  if (partition === null && zone === null) {
    errors.push({ column: 'zone', message: 'Give a zone, or a partition, or both' });
  }
  const deviceId = uuid(cell('device_id'), 'device_id', errors);
  const areaId = uuid(cell('area_id'), 'area_id', errors);
  return { line, zone: { partition, zone, name, deviceId, areaId }, errors };
}

function code(text: string, column: Column, errors: ZoneRow['errors']): string | null {
  if (text === '') return null;
  if (!/^[0-9A-Za-z]{1,8}$/.test(text))
    errors.push({ column, message: '1 to 8 letters or digits, as the panel sends it' });
  return text.slice(0, 8);
}

function uuid(text: string, column: Column, errors: ZoneRow['errors']): string | null {
  if (text === '') return null;
  if (!Uuid.safeParse(text.toLowerCase()).success)
    errors.push({ column, message: 'Must be an id (UUID), or empty' });
  return text.toLowerCase();
}

function actionOf(row: Omit<ZoneRow, 'action'>, before: Zone | undefined): ZoneRow['action'] {
  if (row.errors.length > 0) return 'error';
  if (!before) return 'create';
  const same =
    before.name === row.zone.name &&
    before.deviceId === row.zone.deviceId &&
    before.areaId === row.zone.areaId;
  return same ? 'unchanged' : 'update';
}

const badFile = (line: number, message: string): ZoneRow => ({
  line,
  zone: { partition: null, zone: null, name: '', deviceId: null, areaId: null },
  action: 'error',
  errors: [{ column: 'file', message }],
});

type Records = { rows: { line: number; cells: string[] }[] } | { error: string; line: number };

function readRecords(csv: string): Records {
  const delimiter = /^[^\n]*;/.test(csv) && !/^[^\n]*,/.test(csv) ? ';' : ',';
  try {
    const rows = parse(csv, {
      bom: true,
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      info: true,
    });
    return {
      rows: (rows as unknown as { info: { lines: number }; record: string[] }[]).map(({ info, record }) => ({
        line: info.lines,
        cells: record,
      })),
    };
  } catch (error) {
    const line = (error as { lines?: number }).lines ?? 1;
    return { line, error: `Not a CSV: ${(error as Error).message.slice(0, 200)}` };
  }
}
