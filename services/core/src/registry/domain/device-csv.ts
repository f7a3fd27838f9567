/** Device rows of a CSV: what each cell must be. Pure; whether areas and floors exist is the store's matter. */
import { DeviceKind, Tag } from '@siphera/contract/base';
import { parse } from 'csv-parse/sync';

const importRowsMax = 5_000;
export type CellError = { column: string; message: string };
export type CsvDevice = {
  line: number;
  name: string;
  kind: DeviceKind | undefined;
  area: string;
  floor: string;
  x: number | undefined;
  y: number | undefined;
  externalId: string | undefined;
  parent: string | undefined;
  tags: string[];
  errors: CellError[];
};

const columns = ['name', 'kind', 'area', 'floor', 'x', 'y', 'external_id', 'parent', 'tags'] as const;
const required = ['name', 'kind', 'area'] as const;

/** @returns rows, or one error for the whole text when it is no CSV with our columns. */
export function parseDeviceCsv(text: string): { rows: CsvDevice[] } | { problem: string } {
  let records: Array<Record<string, string>>;
  try {
    records = parse(text, {
      bom: true,
      columns: (header: string[]) => header.map((name) => name.trim().toLowerCase()),
      skip_empty_lines: true,
      trim: true,
      relax_column_count: true,
      to: importRowsMax + 1,
      delimiter: guessDelimiter(text),
    });
  } catch (error) {
    return { problem: `This is not a CSV we can read: ${(error as Error).message}` };
  }
  if (records.length === 0) return { problem: 'There are no rows below the header.' };
  if (records.length > importRowsMax) return { problem: `At most ${importRowsMax} rows at a time.` };
  const missing = required.filter((name) => !(name in (records[0] ?? {})));
  if (missing.length > 0)
    return { problem: `The header lacks ${missing.join(', ')}. Columns: ${columns.join(', ')}.` };
  return { rows: records.map((record, index) => readRow(record, index + 2)) };
}

const guessDelimiter = (text: string): string => {
  const header = text.slice(0, 500).split('\n')[0] ?? '';
  return [';', '\t'].find((candidate) => header.includes(candidate)) ?? ',';
};

function readRow(record: Record<string, string>, line: number): CsvDevice {
  const errors: CellError[] = [];
  const cell = (column: (typeof columns)[number]): string => stripFormulaGuard(record[column] ?? '');
  const name = cell('name');
  if (name === '' || name.length > 120 || /\p{Cc}/u.test(name))
    errors.push({ column: 'name', message: 'must be 1 to 120 characters on one line' });
  const kind = DeviceKind.safeParse(cell('kind').toLowerCase());
  if (!kind.success)
    errors.push({ column: 'kind', message: `must be one of ${DeviceKind.options.join(', ')}` });
  if (cell('area') === '') errors.push({ column: 'area', message: 'is missing' });
  const x = readFraction(cell('x'), 'x', errors);
  const y = readFraction(cell('y'), 'y', errors);
  const placed = [cell('floor') !== '', x !== undefined, y !== undefined];
  if (placed.includes(true) && placed.includes(false))
    errors.push({ column: 'floor', message: 'floor, x and y go together' });
  const tags = cell('tags')
    .split(/[\s,|]+/)
    .filter((tag) => tag !== '');
  const badTag = tags.find((tag) => !Tag.safeParse(tag).success);
  if (badTag !== undefined)
    errors.push({ column: 'tags', message: `"${badTag.slice(0, 40)}" is not a tag (a–z, 0–9, - and _)` });
  if (tags.length > 20) errors.push({ column: 'tags', message: 'at most 20 tags' });
  const externalId = cell('external_id');
  if (externalId.length > 120) errors.push({ column: 'external_id', message: 'at most 120 characters' });
  return {
    line,
    name,
    kind: kind.data,
    area: cell('area'),
    floor: cell('floor'),
    x,
    y,
    externalId: externalId || undefined,
    parent: cell('parent') || undefined,
    tags,
    errors,
  };
}

/** Spreadsheets prefix dangerous cells with an apostrophe; our own export does too. */
const stripFormulaGuard = (value: string): string => (/^'[=+\-@\t\r]/.test(value) ? value.slice(1) : value);

function readFraction(text: string, column: string, errors: CellError[]): number | undefined {
  if (text === '') return undefined;
  const value = Number(text.replace(',', '.'));
  if (Number.isFinite(value) && value >= 0 && value <= 1) return value;
  errors.push({ column, message: 'must be a number from 0 to 1 (part of the plan’s width or height)' });
  return undefined;
}
