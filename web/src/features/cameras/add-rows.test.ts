import { expect, it } from 'vitest';
import {
  addressesOf,
  createRows,
  isRange,
  isReady,
  learn,
  nameBy,
  newRow,
  probeRows,
  toInput,
  withFound,
  type AddRow,
} from '#features/cameras/add-rows.ts';
import type { FoundCamera, ProbeReport } from '#features/cameras/camera-types.ts';
import { emptyRecording } from '#features/cameras/recording-draft.ts';

const report = (address: string, patch: Partial<ProbeReport> = {}): ProbeReport => ({
  address,
  ok: true,
  steps: [],
  credentials_index: 1,
  onvif_url: null,
  manufacturer: 'Axis',
  model: 'P3245',
  firmware: null,
  serial: null,
  mac: null,
  profiles: ['S'],
  clock_offset_ms: null,
  media_profiles: [],
  main_profile: 'main',
  sub_profile: 'sub',
  has_ptz: false,
  relays: 0,
  inputs: 0,
  has_events: true,
  camera_id: null,
  ...patch,
});
const found = (address: string, patch: Partial<FoundCamera> = {}): FoundCamera => ({
  address,
  onvif_url: '',
  name: null,
  hardware: null,
  mac: null,
  endpoint: null,
  camera_id: null,
  ...patch,
});

/** A table as the page keeps it. */
function table(rows: AddRow[]) {
  const kept = new Map(rows.map((row) => [row.address, row]));
  return {
    rows: () => [...kept.values()],
    update: (address: string, patch: Partial<AddRow>) =>
      kept.set(address, { ...kept.get(address)!, ...patch }),
  };
}

it('asks sixty cameras in batches of eight, and one batch that fails stops no other', async () => {
  const sixty = Array.from({ length: 60 }, (_, index) => newRow(`10.0.4.${String(index + 1)}`));
  const state = table(sixty);
  const sizes: number[] = [];
  await probeRows(
    sixty,
    async (addresses) => {
      sizes.push(addresses.length);
      if (sizes.length === 2) throw new Error('timeout');
      return addresses.map((address) => report(address));
    },
    state.update,
    () => 'No answer',
  );
  expect(sizes).toEqual([8, 8, 8, 8, 8, 8, 8, 4]);
  expect(state.rows().filter((row) => row.state === 'ready')).toHaveLength(52);
  expect(state.rows().filter((row) => row.problem === 'No answer')).toHaveLength(8);
});

it('adds row by row, goes on after one that failed, and adds none twice', async () => {
  const rows = ['a', 'b', 'c'].map((address) => ({
    ...newRow(address),
    ...learn(newRow(address), report(address)),
    area_id: 'area',
  }));
  const state = table(rows);
  let calls = 0;
  const create = async (row: AddRow) => {
    calls += 1;
    if (row.address === 'b' && calls < 4) throw new Error('busy');
    return { id: `id-${row.address}` };
  };
  await createRows(state.rows().filter(isReady), create, state.update, () => 'Busy');
  expect(state.rows().map((row) => row.state)).toEqual(['added', 'failed', 'added']);
  expect(
    state
      .rows()
      .filter(isReady)
      .map((row) => row.address),
  ).toEqual(['b']);
  await createRows(state.rows().filter(isReady), create, state.update, () => 'Busy');
  expect(state.rows().map((row) => row.camera_id)).toEqual(['id-a', 'id-b', 'id-c']);
  expect(calls).toBe(4);
});

it('keeps what was typed when a scan is repeated, and never adds what the box has', () => {
  const typed = { ...newRow('10.0.4.7'), name: 'Gate' };
  const rows = withFound([typed], [found('10.0.4.7'), found('10.0.4.8', { camera_id: 'known' })]);
  expect(rows.map((row) => [row.address, row.name, row.state, row.chosen])).toEqual([
    ['10.0.4.7', 'Gate', 'found', true],
    ['10.0.4.8', '', 'known', false],
  ]);
  expect(learn(typed, report('10.0.4.7', { camera_id: 'same' }))).toMatchObject({
    state: 'known',
    chosen: false,
  });
});

it('sends the credentials that the camera took, and RTSP cameras by their address', () => {
  const tried = [
    { username: 'admin', password: 'wrong' },
    { username: 'root', password: 'right' },
  ];
  const row = { ...newRow('10.0.4.7'), ...learn(newRow('10.0.4.7'), report('10.0.4.7')), area_id: 'area' };
  expect(toInput(row, tried, emptyRecording())).toMatchObject({
    connection: 'onvif',
    name: 'Axis P3245',
    credentials: { username: 'root' },
    main_profile: 'main',
    sub_profile: 'sub',
  });
  const rtsp = { ...newRow('rtsp://10.0.4.9/live'), name: 'Old one', area_id: 'area' };
  expect(toInput(rtsp, tried, emptyRecording())).toMatchObject({
    connection: 'rtsp',
    rtsp_urls: ['rtsp://10.0.4.9/live'],
    credentials: null,
  });
});

it('reads addresses and ranges as people type them, and names by a pattern', () => {
  expect(addressesOf('10.0.4.0/24, 10.0.4.7\n cam.local:8080')).toEqual([
    '10.0.4.0/24',
    '10.0.4.7',
    'cam.local:8080',
  ]);
  expect(['10.0.4.0/24', '10.0.4.7', 'cam.local:8080'].map(isRange)).toEqual([true, false, false]);
  expect(nameBy('Yard {n} ({address})', newRow('10.0.4.7'), 2)).toBe('Yard 3 (10.0.4.7)');
});
