/**
 * The table of "add many": what was found, what the probe learnt, what a person set, and how the adding goes. Pure but for the
 * two calls that are handed in. What must stay true: one row that fails stops no other; a row is created once.
 */
import type { CameraInput, FoundCamera, ProbeReport, Recording } from '#features/cameras/camera-types.ts';

export type Credentials = { username: string; password: string };
export type RowState = 'found' | 'probing' | 'ready' | 'refused' | 'adding' | 'added' | 'failed' | 'known';
export type AddRow = {
  address: string;
  found: Pick<FoundCamera, 'name' | 'hardware' | 'mac'> | undefined;
  state: RowState;
  chosen: boolean;
  name: string;
  area_id: string;
  main_profile: string;
  report: ProbeReport | undefined;
  /** Why it was refused or could not be added. */
  problem: string;
  camera_id: string | undefined;
};
export type Update = (address: string, patch: Partial<AddRow>) => void;

/** The box probes so many at once; more would only wait. */
const probeBatch = 8;
/** What an unknown camera is counted with until its bitrate was measured: 1080p H.264 of a common camera. */
const usualBitrateBps = 4_000_000;

const isRtsp = (address: string): boolean => /^rtsps?:\/\//i.test(address);

export function newRow(address: string, found?: FoundCamera): AddRow {
  return {
    address,
    found,
    state: found?.camera_id ? 'known' : 'found',
    chosen: !found?.camera_id,
    name: '',
    area_id: '',
    main_profile: '',
    report: undefined,
    problem: '',
    camera_id: found?.camera_id ?? undefined,
  };
}

/** Adds what a scan found; rows that are already there keep what was typed into them. */
export function withFound(rows: readonly AddRow[], found: readonly FoundCamera[]): AddRow[] {
  const known = new Set(rows.map((row) => row.address));
  return [...rows, ...found.filter((one) => !known.has(one.address)).map((one) => newRow(one.address, one))];
}

/** Addresses out of what was typed: one a line, or divided by commas or spaces. */
export const addressesOf = (text: string): string[] => [
  ...new Set(text.split(/[\s,;]+/).filter((part) => part !== '')),
];
/** What stands for many addresses at once: `10.0.4.0/24`, `10.0.4.20-10.0.4.60`. */
export const isRange = (text: string): boolean => /^[0-9a-f.:]+(\/\d{1,3}|-[0-9a-f.:]+)$/i.test(text);

export function learn(row: AddRow, report: ProbeReport): Partial<AddRow> {
  const said = [report.manufacturer, report.model].filter((part) => part !== null && part !== '').join(' ');
  const name = row.name || row.found?.name || said || row.address;
  const problem = report.steps.find((step) => step.state === 'failed')?.detail ?? '';
  if (report.camera_id) return { report, state: 'known', chosen: false, camera_id: report.camera_id, name };
  return {
    report,
    name,
    problem: report.ok ? '' : problem,
    state: report.ok ? 'ready' : 'refused',
    main_profile: row.main_profile || (report.main_profile ?? ''),
  };
}

/** Asks the cameras in batches; each row is told as soon as its batch has answered. */
export async function probeRows(
  rows: readonly AddRow[],
  probe: (addresses: string[]) => Promise<ProbeReport[]>,
  update: Update,
  failed: (thrown: unknown) => string,
): Promise<void> {
  for (let at = 0; at < rows.length; at += probeBatch) {
    const batch = rows.slice(at, at + probeBatch);
    for (const row of batch) update(row.address, { state: 'probing', problem: '' });
    try {
      const reports = await probe(batch.map((row) => row.address));
      const byAddress = new Map(reports.map((report) => [report.address, report]));
      batch.forEach((row, index) => {
        const report = byAddress.get(row.address) ?? reports[index];
        update(row.address, report ? learn(row, report) : { state: 'refused', problem: failed(undefined) });
      });
    } catch (thrown) {
      for (const row of batch) update(row.address, { state: 'refused', problem: failed(thrown) });
    }
  }
}

export function toInput(row: AddRow, tried: readonly Credentials[], recording: Recording): CameraInput {
  const index = row.report?.credentials_index;
  const credentials = index === null || index === undefined ? null : (tried[index] ?? null);
  const common = { name: row.name.trim(), area_id: row.area_id, credentials, recording };
  if (isRtsp(row.address)) return { ...common, connection: 'rtsp', rtsp_urls: [row.address] };
  return {
    ...common,
    connection: 'onvif',
    address: row.address,
    ...(row.main_profile === '' ? {} : { main_profile: row.main_profile }),
    ...(row.report?.sub_profile && row.report.sub_profile !== row.main_profile
      ? { sub_profile: row.report.sub_profile }
      : {}),
  };
}

export const isReady = (row: AddRow): boolean =>
  row.chosen &&
  (row.state === 'ready' || row.state === 'failed') &&
  row.name.trim() !== '' &&
  row.area_id !== '';

/** Adds one after another: the box reaches each camera as it comes, and a person sees the table fill. */
export async function createRows(
  rows: readonly AddRow[],
  create: (row: AddRow) => Promise<{ id: string }>,
  update: Update,
  failed: (thrown: unknown) => string,
): Promise<void> {
  for (const row of rows) {
    update(row.address, { state: 'adding', problem: '' });
    try {
      const { id } = await create(row);
      update(row.address, { state: 'added', camera_id: id, chosen: false });
    } catch (thrown) {
      update(row.address, { state: 'failed', problem: failed(thrown) });
    }
  }
}

export function bitrateOf(report: ProbeReport | undefined, profile: string): number {
  const media = report?.media_profiles.find((one) => one.token === profile);
  return media?.bitrate_bps ?? usualBitrateBps;
}

/** Names by a pattern: `{n}` counts, `{model}` and `{address}` stand for themselves. */
export function nameBy(pattern: string, row: AddRow, index: number): string {
  const model = row.report?.model ?? row.found?.hardware ?? '';
  return pattern
    .replaceAll('{n}', String(index + 1))
    .replaceAll('{model}', model)
    .replaceAll('{address}', row.address)
    .trim();
}
