/**
 * Dispatchable locations as CSV: label, areas, networks, the civic elements, callback_number, provider_id, nearest_phone,
 * default. A row whose label the site has already changes that location; columns that are not there stay as they are. Reading
 * names each bad row; it never throws. Pure.
 */
import { EmergencyLocationInput, type ImportRow } from '@siphera/contract';
import { parse } from 'csv-parse/sync';
import type { z } from 'zod';
import { civicOrder, type CivicElement } from './civic-address.ts';
import { errorsOf, locationFindings, type LocationSurroundings } from './location-findings.ts';
import { neighboursOf } from './location-neighbours.ts';
import type { Location } from './location-row.ts';

/** Each row is held against each other one: more than any house has, and read within a second. */
const csvRowsMax = 1_000;
const columns = [
  'label',
  'areas',
  'networks',
  ...civicOrder.map((name) => name.toLowerCase()),
  'callback_number',
  'provider_id',
  'nearest_phone',
  'default',
] as const;

type Problem = z.infer<typeof ImportRow>['errors'][number];
export type CsvLocation = {
  line: number;
  label: string;
  action: z.infer<typeof ImportRow>['action'];
  /** The location that the row changes. */
  existing: Location | undefined;
  input: EmergencyLocationInput | undefined;
  errors: Problem[];
};
export type CsvSurroundings = {
  siteId: string;
  /** Country of the number plan, for rows that name none. */
  country: string;
  /** Areas of the site. */
  areas: readonly { id: string; name: string }[];
  locations: readonly Location[];
  around: Omit<LocationSurroundings, 'neighbours'>;
};

export function readLocationCsv(csv: string, given: CsvSurroundings): CsvLocation[] {
  const read = readRecords(csv);
  if ('problem' in read) return [badFile(read.problem)];
  const ofSite = given.locations.filter(({ site_id: site }) => site === given.siteId);
  const existing = new Map(ofSite.map((location) => [location.label.toLowerCase(), location]));
  const rows = read.records.map(({ record, line }) => readRow(record, line, given, existing));
  sameLabels(rows);
  againstEachOther(rows, given);
  return rows;
}

type Records = { record: Record<string, string>; line: number }[];

function readRecords(csv: string): { records: Records } | { problem: string } {
  let records: { record: Record<string, string>; info: { lines: number } }[];
  let header: string[] = [];
  try {
    records = parse(csv, {
      bom: true,
      columns: (names: string[]) => (header = names.map((name) => name.trim().toLowerCase())),
      skip_empty_lines: true,
      trim: true,
      relax_column_count_less: true,
      info: true,
      to: csvRowsMax + 1,
      delimiter: delimiterOf(csv),
    }) as unknown as typeof records;
  } catch (error) {
    return { problem: `This is not a CSV we can read: ${(error as Error).message.slice(0, 200)}` };
  }
  if (!header.includes('label'))
    return {
      problem: `The first line must name the columns, label among them. Columns: ${columns.join(', ')}.`,
    };
  const unknown = header.filter((name) => !columns.some((column) => column === name));
  if (unknown.length > 0) return { problem: `Unknown column: ${unknown.join(', ').slice(0, 100)}.` };
  const twice = header.find((name, index) => header.indexOf(name) !== index);
  if (twice !== undefined) return { problem: `The column ${twice} is there twice.` };
  if (records.length === 0) return { problem: 'There are no rows below the header.' };
  if (records.length > csvRowsMax) return { problem: `At most ${csvRowsMax} rows at a time.` };
  return { records: records.map(({ record, info }) => ({ record, line: info.lines })) };
}

const delimiterOf = (csv: string): string => {
  const header = csv.slice(0, 1_000).split('\n')[0] ?? '';
  return [';', '\t'].find((candidate) => header.includes(candidate)) ?? ',';
};

function readRow(
  record: Record<string, string>,
  line: number,
  given: CsvSurroundings,
  byLabel: ReadonlyMap<string, Location>,
): CsvLocation {
  const errors: Problem[] = [];
  const cell = (column: string): string | undefined =>
    record[column] === undefined ? undefined : stripFormulaGuard(record[column]);
  const label = cell('label') ?? '';
  // A spreadsheet would run such a cell when the list is looked at there.
  if (/^[=+@\t-]/.test(label)) errors.push({ column: 'label', message: 'must not begin with =, +, - or @' });
  const existing = byLabel.get(label.toLowerCase());
  const areas = cell('areas');
  const networks = cell('networks');
  const isDefault = cell('default');
  const optional = (column: string): string | null | undefined => (cell(column) === '' ? null : cell(column));
  const merged = {
    ...existing,
    label,
    site_id: given.siteId,
    ...(areas === undefined ? {} : { area_ids: areaIds(areas, given.areas, errors) }),
    ...(networks === undefined ? {} : { networks: listOf(networks) }),
    civic: { ...existing?.civic, ...civicOf(cell, given.country, existing) },
    ...dropUnset({
      callback_number: optional('callback_number')?.replaceAll(/[\s()-]/g, '') ?? optional('callback_number'),
      provider_id: cell('provider_id'),
      nearest_phone: optional('nearest_phone'),
    }),
    ...(isDefault === undefined ? {} : { is_default: readYes(isDefault, errors) }),
  };
  const parsed = EmergencyLocationInput.safeParse(merged);
  if (!parsed.success)
    for (const { path, message } of parsed.error.issues.slice(0, 20))
      errors.push({ column: columnOf(path.map(String).join('.')), message });
  const input = parsed.data;
  const isSame = existing !== undefined && input !== undefined && same(existing, input);
  return {
    line,
    label: label.slice(0, 120),
    action: existing === undefined ? 'create' : isSame ? 'unchanged' : 'update',
    existing,
    input,
    errors,
  };
}

/** Spreadsheets prefix dangerous cells with an apostrophe; a number that begins with + is one. */
const stripFormulaGuard = (value: string): string => (/^'[=+\-@\t\r]/.test(value) ? value.slice(1) : value);

const listOf = (text: string): string[] =>
  text
    .split(/[|;\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** By id, or by name where only one of the site has it. */
function areaIds(text: string, areas: CsvSurroundings['areas'], errors: Problem[]): string[] {
  return listOf(text).flatMap((part) => {
    const byId = areas.find(({ id }) => id === part.toLowerCase());
    if (byId) return [byId.id];
    const [only, ...more] = areas.filter(({ name }) => name.toLowerCase() === part.toLowerCase());
    const shown = part.slice(0, 60);
    if (!only) errors.push({ column: 'areas', message: `there is no area "${shown}" in this site` });
    else if (more.length > 0)
      errors.push({
        column: 'areas',
        message: `${more.length + 1} areas are called "${shown}": give the id`,
      });
    return only && more.length === 0 ? [only.id] : [];
  });
}

function civicOf(
  cell: (column: string) => string | undefined,
  country: string,
  existing: Location | undefined,
): Partial<Record<CivicElement, string>> {
  const given = civicOrder.map((name) => [name, cell(name.toLowerCase())] as const);
  const required = { A1: '', A3: '', RD: '', HNO: '' };
  const read = Object.fromEntries(given.filter(([, text]) => text !== undefined)) as Partial<
    Record<CivicElement, string>
  >;
  const named = read.country?.toUpperCase() ?? '';
  return {
    ...(existing ? {} : required),
    ...read,
    country: named === '' ? (existing?.civic.country ?? country) : named,
  };
}

function readYes(text: string, errors: Problem[]): boolean {
  if (/^(?:yes|true|1|x)$/i.test(text)) return true;
  if (!/^(?:no|false|0|)$/i.test(text)) errors.push({ column: 'default', message: 'must be yes or no' });
  return false;
}

const dropUnset = (value: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));

/** The column that a field of the location is filled from. */
function columnOf(field: string): string {
  const [first = '', second = ''] = field.split('.');
  const names: Record<string, string> = {
    area_ids: 'areas',
    is_default: 'default',
    civic: second.toLowerCase(),
  };
  const name = names[first] ?? first;
  return columns.some((column) => column === name) ? name : 'row';
}

const same = (existing: Location, input: EmergencyLocationInput): boolean =>
  JSON.stringify(sorted(EmergencyLocationInput.parse(existing))) === JSON.stringify(sorted(input));
const sorted = (input: EmergencyLocationInput): unknown => ({
  ...input,
  area_ids: input.area_ids.toSorted(),
  networks: input.networks.toSorted(),
});

function sameLabels(rows: readonly CsvLocation[]): void {
  const first = new Map<string, number>();
  for (const { label, line, errors } of rows) {
    const before = first.get(label.toLowerCase());
    if (before === undefined) first.set(label.toLowerCase(), line);
    else errors.push({ column: 'label', message: `the same as line ${before}` });
  }
  const defaults = rows.filter(({ input }) => input?.is_default);
  const [main, ...more] = defaults;
  for (const { errors } of more)
    errors.push({ column: 'default', message: `line ${main?.line ?? 0} is the default of the site already` });
}

/** Each row as it would stand with all the others applied: rows may trade areas and networks among each other. */
function againstEachOther(rows: readonly CsvLocation[], given: CsvSurroundings): void {
  const changed = new Set(rows.flatMap(({ existing }) => (existing ? [existing.id] : [])));
  const stay = given.locations.filter(({ id }) => !changed.has(id));
  const coming = rows.flatMap((row) => (row.input ? [{ row, location: asLocation(row, row.input) }] : []));
  const neighbours = neighboursOf([...stay, ...coming.map(({ location }) => location)]);
  for (const { row, location } of coming) {
    const seen = new Set(row.errors.map(({ column }) => column));
    for (const { field, message } of errorsOf(locationFindings(location, { ...given.around, neighbours })))
      if (!seen.has(columnOf(field))) row.errors.push({ column: columnOf(field), message });
  }
}

const asLocation = ({ existing, line }: CsvLocation, input: EmergencyLocationInput): Location => ({
  ...input,
  id: existing?.id ?? `line ${line}`,
  org_id: existing?.org_id ?? '',
  revision: existing?.revision ?? 0,
  validated_ms: existing?.validated_ms ?? null,
  validated_by: existing?.validated_by ?? null,
});

const badFile = (message: string): CsvLocation => ({
  line: 1,
  label: '',
  action: 'error',
  existing: undefined,
  input: undefined,
  errors: [{ column: 'row', message }],
});
