/**
 * Cameras as CSV: name, area, address, rtsp_url, rtsp_sub_url, username, password, mode, keep_days. Reading names each bad row;
 * it never throws. Pure.
 */
import { CameraInput, Name, RecordingMode, type ImportRow, type RecordingPolicy } from '@siphera/contract';
import { parse } from 'csv-parse/sync';
import type { z } from 'zod';

/** One box's cameras, and some more: each row becomes a call to core and a connection. */
export const csvRowsMax = 1_000;
const columns = [
  'name',
  'area',
  'address',
  'rtsp_url',
  'rtsp_sub_url',
  'username',
  'password',
  'mode',
  'keep_days',
] as const;
type Column = (typeof columns)[number];
type Problem = z.infer<typeof ImportRow>['errors'][number];

export type CsvCamera = {
  line: number;
  name: string;
  areaId: string;
  address: string | undefined;
  rtspUrls: string[];
  credentials: { username: string; password: string } | null;
  recording: Partial<RecordingPolicy>;
  errors: Problem[];
};

/** What rows are held against: the areas of the site, and the addresses that cameras have. */
export type CsvSurroundings = {
  areas: readonly { id: string; name: string }[];
  takenBy(address: string): string | undefined;
};

export function readCameraCsv(csv: string, around: CsvSurroundings): CsvCamera[] {
  const read = readCells(csv);
  if ('error' in read) return [badFile(read.line, read.error)];
  const [header, ...body] = read.rows;
  const names = header?.cells.map((cell) => cell.trim().toLowerCase()) ?? [];
  const missing = ['name', 'area'].filter((name) => !names.includes(name));
  const unknown = names.filter((name) => !columns.some((column) => column === name));
  if (missing.length > 0)
    return [badFile(1, `The first line must name the columns; missing: ${missing.join(', ')}`)];
  if (unknown.length > 0) return [badFile(1, `Unknown column: ${unknown.join(', ').slice(0, 100)}`)];
  if (body.length === 0) return [badFile(1, 'There are no rows below the header')];
  if (body.length > csvRowsMax) return [badFile(1, `At most ${csvRowsMax} rows`)];
  const seen = new Map<string, number>();
  return body.map(({ line, cells }) => {
    const row = readRow(line, names, cells, around);
    const key = row.address ?? row.rtspUrls[0] ?? '';
    const first = seen.get(key);
    if (key !== '' && first !== undefined)
      row.errors.push({
        column: row.address === undefined ? 'rtsp_url' : 'address',
        message: `Same as line ${first}`,
      });
    seen.set(key, first ?? line);
    return row;
  });
}

function readRow(
  line: number,
  names: readonly string[],
  cells: readonly string[],
  around: CsvSurroundings,
): CsvCamera {
  const errors: Problem[] = [];
  const bad = (column: string, message: string): void => void errors.push({ column, message });
  const cell = (column: Column): string => (cells[names.indexOf(column)] ?? '').trim();
  if (cells.length > names.length) bad('row', 'More cells than columns');
  const name = cell('name');
  if (!Name.safeParse(name).success) bad('name', 'A name of 1 to 120 characters, one line');
  // A spreadsheet would run such a cell when the list is looked at there.
  if (/^[=+@\t-]/.test(name)) bad('name', 'Must not begin with =, +, - or @');
  const areaId = areaOf(cell('area'), around.areas, bad);
  const address = cell('address');
  const rtspUrls = [cell('rtsp_url'), cell('rtsp_sub_url')].filter((url) => url !== '');
  checkReach(address, rtspUrls, cell('rtsp_url'), bad);
  const takenBy = around.takenBy(address === '' ? (rtspUrls[0] ?? '') : address);
  if (takenBy !== undefined) bad(address === '' ? 'rtsp_url' : 'address', `It is "${takenBy}" already`);
  const [username, password] = [cell('username'), cells[names.indexOf('password')] ?? ''];
  if (username === '' && password !== '') bad('username', 'A password needs a user name');
  if (username.length > 120) bad('username', 'At most 120 characters');
  if (password.length > 256) bad('password', 'At most 256 characters');
  return {
    line,
    name,
    areaId,
    address: address === '' ? undefined : address,
    rtspUrls,
    credentials: username === '' ? null : { username, password },
    recording: recordingOf(cell('mode'), cell('keep_days'), bad),
    errors,
  };
}

type Bad = (column: string, message: string) => void;

/** By id, or by name where only one of the site has it. */
function areaOf(text: string, areas: CsvSurroundings['areas'], bad: Bad): string {
  const byId = areas.find(({ id }) => id === text.toLowerCase());
  if (byId) return byId.id;
  const byName = areas.filter(({ name }) => name.toLowerCase() === text.toLowerCase());
  const [only] = byName;
  if (text === '') bad('area', 'Name the area');
  else if (!only) bad('area', `There is no area "${text.slice(0, 60)}" in this site`);
  else if (byName.length > 1) bad('area', `${byName.length} areas are named so: give the id of one`);
  return only?.id ?? '';
}

function checkReach(address: string, rtspUrls: readonly string[], mainUrl: string, bad: Bad): void {
  if (address === '' && mainUrl === '') bad('address', 'Give an address (ONVIF), or an rtsp_url');
  if (address !== '' && rtspUrls.length > 0) bad('rtsp_url', 'Give an address or RTSP addresses, not both');
  if (address !== '' && !CameraInput.shape.address.safeParse(address).success)
    bad('address', 'Must be host or host:port');
  if (!CameraInput.shape.rtsp_urls.safeParse([...rtspUrls]).success)
    bad('rtsp_url', 'Must be rtsp://host/path, without credentials');
}

function recordingOf(mode: string, keepDays: string, bad: Bad): Partial<RecordingPolicy> {
  const parsed = RecordingMode.safeParse(mode.toLowerCase());
  if (mode !== '' && !parsed.success) bad('mode', `One of ${RecordingMode.options.join(', ')}`);
  const days = keepDays.toLowerCase() === 'unlimited' ? null : Number(keepDays);
  const fits = days === null || (Number.isInteger(days) && days >= 1 && days <= 3_650);
  if (keepDays !== '' && !fits) bad('keep_days', 'Days, 1 to 3650, or "unlimited"');
  return {
    ...(mode !== '' && parsed.success ? { mode: parsed.data } : {}),
    ...(keepDays !== '' && fits ? { keep_days: days } : {}),
  };
}

const badFile = (line: number, message: string): CsvCamera => ({
  line,
  name: '',
  areaId: '',
  address: undefined,
  rtspUrls: [],
  credentials: null,
  recording: {},
  errors: [{ column: 'row', message }],
});

type Cells = { line: number; cells: string[] };

function readCells(csv: string): { rows: Cells[] } | { line: number; error: string } {
  // Spreadsheets of half of Europe write semicolons.
  const delimiter = /^[^\n]*;/.test(csv) && !/^[^\n]*,/.test(csv) ? ';' : ',';
  try {
    const records = parse(csv, {
      bom: true,
      info: true,
      relax_column_count: true,
      // A password may have a quote in its middle.
      relax_quotes: true,
      skip_empty_lines: true,
      delimiter,
      max_record_size: 20_000,
      to: csvRowsMax + 2,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return { rows: records.map(({ record, info }) => ({ line: info.lines, cells: record })) };
  } catch (error) {
    const { lines = 1, message } = error as Error & { lines?: number };
    return { line: lines, error: `This is not CSV: ${message.slice(0, 200)}` };
  }
}
