/**
 * Every route of the camera service × who may call it, driven from the contract's table of routes: a new route fails here
 * until it has a request. Nothing is asked of a camera: none of these cameras is there.
 */
import { cameraRoutes, footageRoutes, type Grant, type Permission, type Route } from '@siphera/contract';
import { systemClock, systemRandom, toRfc3339 } from '@siphera/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stream } from './testing/evidence-rig.ts';
import { allCameraPermissions, office, startRig, testOrg, until, yard, type Rig } from './testing/rig.ts';

const table: Record<string, Route> = { ...cameraRoutes, ...footageRoutes };
const elsewhere = systemRandom.uuid();
const hour = { from: toRfc3339(systemClock.now() - 3_600_000), to: toRfc3339(systemClock.now()) };

let rig: Rig;
const world = {
  camera: '',
  incident: systemRandom.uuid(),
  still: systemRandom.uuid(),
  export: systemRandom.uuid(),
  lock: '',
  link: '',
  layout: '',
  storage: '',
  session: '',
};
type Ask = { id?: string; rest?: Record<string, string>; query?: Record<string, string>; body?: unknown };

/** What removes things comes last. */
const requests: Record<string, () => Ask> = {
  discoverCameras: () => ({ body: { ranges: [], wait_ms: 500 } }),
  probeCameras: () => ({ body: { addresses: ['127.0.0.1:1'] } }),
  listCameras: () => ({}),
  createCamera: () => ({
    body: { name: 'Another', area_id: yard, connection: 'rtsp', rtsp_urls: ['rtsp://127.0.0.1:1/a'] },
  }),
  getCamera: () => ({ id: world.camera }),
  updateCamera: () => ({ id: world.camera, body: { motion_hold_ms: 20_000 } }),
  updateCameras: () => ({ body: { ids: [world.camera], patch: { motion_hold_ms: 20_000 } } }),
  previewCameraImport: () => ({ body: { csv: 'name,area,address\nA,Yard,10.0.0.1\n' } }),
  importCameras: () => ({ body: { csv: 'name,area,address\n' } }),
  setCameraClock: () => ({ id: world.camera }),
  setCameraCodec: () => ({ id: world.camera, body: { role: 'main', video: 'h264' } }),
  getCameraSnapshot: () => ({ id: world.camera }),
  movePtz: () => ({ id: world.camera, body: { action: 'stop' } }),
  listPtzPresets: () => ({ id: world.camera }),
  createPtzPreset: () => ({ id: world.camera, body: { name: 'Gate' } }),
  deletePtzPreset: () => ({ id: world.camera, rest: { token: '1' } }),
  listCameraPorts: () => ({ id: world.camera }),
  setCameraRelay: () => ({ id: world.camera, rest: { token: '1' }, body: { on: true } }),
  watchLive: () => ({ id: world.camera }),
  offerWebRtc: () => ({ id: world.camera, body: {} }),
  answerWebRtc: () => ({ id: systemRandom.uuid(), body: { sdp: 'v=0' } }),
  endWebRtc: () => ({ id: systemRandom.uuid() }),
  createPlaybackSession: () => ({ body: { camera_ids: [world.camera], reason: 'Test' } }),
  getCameraTimeline: () => ({ id: world.camera, query: hour }),
  listSegments: () => ({ id: world.camera, query: { ...hour, session: world.session } }),
  getSegment: () => ({ id: world.camera, rest: { segment: '1' }, query: { session: world.session } }),
  getThumbnail: () => ({ id: world.camera, query: { session: world.session, at: hour.from } }),
  getFootageSettings: () => ({}),
  putFootageSettings: () => ({
    body: {
      reason_required: false,
      evidence_before_ms: 1_000,
      evidence_after_ms: 1_000,
      evidence_keep_days: 1,
      transcodes_max: 1,
    },
  }),
  listStorages: () => ({}),
  createStorage: () => ({ body: { name: 'More', path: '/proc/nowhere' } }),
  updateStorage: () => ({ id: world.storage, body: { name: 'Footage' } }),
  forecastStorage: () => ({ body: { bitrates_bps: [4_000_000] } }),
  getIncidentEvidence: () => ({ id: world.incident }),
  getStill: () => ({ id: world.still }),
  listEvidenceLocks: () => ({}),
  createEvidenceLock: () => ({ body: { camera_id: world.camera, ...hour, reason: 'Test' } }),
  listExports: () => ({}),
  createExport: () => ({ body: { camera_ids: [world.camera], ...hour, reason: 'Test' } }),
  getExport: () => ({ id: world.export }),
  getExportFile: () => ({ id: world.export }),
  listCameraLinks: () => ({}),
  createCameraLink: () => ({ body: { camera_id: world.camera, kind: 'live', name: 'Test' } }),
  openCameraLink: () => ({ rest: { token: 'none' } }),
  listWallLayouts: () => ({}),
  createWallLayout: () => ({ body: { name: 'Wall', columns: 1, rows: 1, tiles: [], shared: false } }),
  putWallLayout: () => ({
    id: world.layout,
    body: { name: 'Wall', columns: 1, rows: 1, tiles: [], shared: false },
  }),
  deleteWallLayout: () => ({ id: world.layout }),
  deleteCameraLink: () => ({ id: world.link }),
  deleteExport: () => ({ id: world.export }),
  deleteEvidenceLock: () => ({ id: world.lock }),
  deleteStorage: () => ({ id: world.storage }),
  deleteCamera: () => ({ id: world.camera }),
};
const names = Object.keys(requests);
const guarded = names.filter((name) => table[name]?.access !== 'public');

beforeAll(async () => {
  rig = await startRig();
  world.camera = rig.place({ streams: [stream], enabled: false }, 'Dock', yard).id;
  await until(() => rig.camera.ground.directory.get(world.camera));
  const id = async (path: string, body: unknown): Promise<string> => {
    const answer = await rig.rest('POST', path, body);
    expect({ path, status: answer.status }).toEqual({ path, status: 201 });
    return (answer.body as { id: string }).id;
  };
  world.lock = await id('/camera/locks', requests['createEvidenceLock']?.().body);
  world.link = await id('/camera/links', requests['createCameraLink']?.().body);
  world.layout = await id('/camera/layouts', requests['createWallLayout']?.().body);
  world.session = await id('/camera/playback-sessions', requests['createPlaybackSession']?.().body);
  const { body } = await rig.rest('GET', '/camera/storages');
  world.storage = (body as { items: { id: string }[] }).items[0]?.id ?? '';
  const { db } = rig.camera.ground;
  const clip = systemRandom.uuid();
  db.prepare(
    `INSERT INTO clips (id, incident_id, camera_id, org_id, camera_name, time_zone, at_ms, from_ms, to_ms, state, told, until_ms)
     VALUES (?, ?, ?, ?, 'Dock', 'UTC', 1, 1, 2, 'ready', 1, 9e15)`,
  ).run(clip, world.incident, world.camera, testOrg);
  db.prepare(
    `INSERT INTO stills (id, clip_id, camera_id, org_id, at_ms, state, until_ms) VALUES (?, ?, ?, ?, 1, 'ready', 9e15)`,
  ).run(world.still, clip, world.camera, testOrg);
  db.prepare(
    `INSERT INTO exports (id, org_id, name, cameras, from_ms, to_ms, reason, state, bytes, sha256, created_ms, created_by, actor, expires_ms)
     VALUES (?, ?, 'Export', ?, 1, 2, '', 'ready', 1, 'x', 1, 'Ada', '{}', 9e15)`,
  ).run(
    world.export,
    testOrg,
    JSON.stringify([{ id: world.camera, name: 'Dock', area: 'Yard', time_zone: 'UTC' }]),
  );
});
afterAll(() => rig.stop());

async function ask(name: string, bearer: string | undefined): Promise<{ code: string; text: string }> {
  const route = table[name];
  const { id = '', rest = {}, query, body } = requests[name]?.() ?? {};
  const path = (route?.path ?? '')
    .replace('{id}', id)
    .replaceAll(/\{(\w+)\}/g, (_, key: string) => rest[key] ?? '');
  const search = query ? `?${new URLSearchParams(query).toString()}` : '';
  const answer = await fetch(`${rig.url}/api/v1${path}${search}`, {
    method: (route?.method ?? 'get').toUpperCase(),
    headers: {
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { code: answer.ok ? 'ok' : (JSON.parse(text) as { code: string }).code, text };
}
const tokenOf = (permissions: Permission[], scope = `org:${testOrg}`, org = testOrg): string =>
  rig.core.token(org, [{ permissions, scope } satisfies Grant], systemClock.now());
const namesThings = (name: string): boolean => {
  const text = JSON.stringify(requests[name]?.());
  return Object.values(world).some((id) => id !== '' && text.includes(id)) || text.includes(yard);
};
/** Runs through all routes. @returns those that answered otherwise. */
async function wrong(
  bearer: (name: string) => string | undefined,
  fits: (name: string, code: string, text: string) => boolean,
  which: readonly string[] = guarded,
): Promise<string[]> {
  const found: string[] = [];
  for (const name of which) {
    const { code, text } = await ask(name, bearer(name));
    if (!fits(name, code, text)) found.push(`${name}: ${code}`);
  }
  return found;
}

describe('every route of the camera service', () => {
  it('has a request in this test', () => {
    expect(Object.keys(table).filter((name) => !(name in requests))).toEqual([]);
  });

  it('refuses who has not signed in, unless it is public', async () => {
    expect(
      await wrong(
        () => undefined,
        (_name, code) => code === 'unauthenticated',
      ),
    ).toEqual([]);
  });

  it('refuses who holds every permission but the one it names', async () => {
    const but = (name: string): string =>
      tokenOf(allCameraPermissions.filter((permission) => permission !== table[name]?.access));
    expect(await wrong(but, (_name, code) => code === 'forbidden')).toEqual([]);
  });

  it('keeps the things of another organisation out of reach', async () => {
    const stranger = tokenOf(allCameraPermissions, `org:${elsewhere}`, elsewhere);
    const refusals = ['not_found', 'forbidden', 'unprocessable', 'validation_failed'];
    expect(
      await wrong(
        () => stranger,
        (name, code, text) =>
          (code === 'ok' &&
            !Object.values(world).some((id) => id !== '' && text.includes(id)) &&
            !isChange(name)) ||
          refusals.includes(code),
        guarded.filter((name) => namesThings(name) && !isOfTheBox(name)),
      ),
    ).toEqual([]);
    const lists = guarded.filter(
      (name) => !isOfTheBox(name) && table[name]?.method === 'get' && !table[name].path.includes('{'),
    );
    const shown = await wrong(
      () => stranger,
      (_name, _code, text) => !Object.values(world).some((id) => id !== '' && text.includes(id)),
      lists,
    );
    expect(shown).toEqual([]);
  });

  it('keeps a camera out of reach of who may do everything in another area', async () => {
    const neighbour = tokenOf(allCameraPermissions, `area:${office}`);
    const onCameras = guarded.filter((name) => JSON.stringify(requests[name]?.()).includes(world.camera));
    expect(
      await wrong(
        () => neighbour,
        (_name, code) => ['not_found', 'forbidden', 'unprocessable'].includes(code),
        onCameras,
      ),
    ).toEqual([]);
  });
});

/** The disks are the box's, not an organisation's: who manages the cameras of a whole organisation may see to them. */
const isOfTheBox = (name: string): boolean => /Storages?$/.test(name);
const isChange = (name: string): boolean => table[name]?.method !== 'get';
