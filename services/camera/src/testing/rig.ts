/** The camera service beside a core for tests, on free ports, in a directory of its own. In this process: its clock can be a fake. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Camera,
  RecordingPolicy,
  Watches,
  type Grant,
  type InternalDevice,
  type Permission,
} from '@siphera/contract';
import { createLogger, systemClock } from '@siphera/runtime';
import { FakeCore } from '@siphera/testkit';
import { CameraConfig } from '../config.ts';
import { motionHoldMsDefault, type CameraRow } from '../domain/camera-row.ts';
import { startCamera, type CameraOptions, type RunningCamera } from '../start-camera.ts';

export const testOrg = '0192f000-0000-7000-8000-000000000001';
export const testSite = '0192f000-0000-7000-8000-000000000002';
export const yard = '0192f000-0000-7000-8000-0000000000a1';
export const office = '0192f000-0000-7000-8000-0000000000a2';
const migrations = join(import.meta.dirname, '..', '..', 'migrations');

export const allCameraPermissions: Permission[] = [
  'camera.live',
  'camera.playback',
  'camera.export',
  'camera.ptz',
  'camera.manage',
  'registry.write',
  'device.command',
];
export const admin: Grant[] = [{ permissions: allCameraPermissions, scope: `org:${testOrg}` }];

export type Rig = {
  core: FakeCore;
  camera: RunningCamera;
  directory: string;
  log: string[];
  url: string;
  token(grants?: readonly Grant[]): string;
  /** Any request to the service. */
  fetch(method: string, path: string, body?: unknown, grants?: readonly Grant[]): Promise<Response>;
  /** The same, for JSON. */
  rest(
    method: string,
    path: string,
    body?: unknown,
    grants?: readonly Grant[],
  ): Promise<{ status: number; body: unknown }>;
  /** Puts a camera into core's registry and this service, without any device being asked: for tests of other parts. */
  place(row: Partial<CameraRow> & Pick<CameraRow, 'streams'>, name?: string, areaId?: string): InternalDevice;
  /** Adds a camera over REST. */
  add(input: Record<string, unknown>): Promise<Camera>;
  /** Ends the service. */
  halt(): Promise<void>;
  /** Ends the service, if it runs, and starts it again on the same files. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

export type RigOptions = Pick<CameraOptions, 'clock' | 'parts'> & { env?: Record<string, string> };

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const directory = mkdtempSync(join(tmpdir(), 'siphera-camera-'));
  const core = new FakeCore(join(directory, 'core.sock'));
  for (const [id, name] of [
    [yard, 'Yard'],
    [office, 'Office'],
  ] as const)
    core.registry.addArea({ id, org_id: testOrg, site_id: testSite, name });
  await core.start();
  const log: string[] = [];
  const start = async (): Promise<RunningCamera> => {
    const running = await startOn(directory, core, log, options);
    await until(() => running.base.feedPosition() > 0);
    return running;
  };
  let camera = await start();
  let running = true;
  const halt = async (): Promise<void> => {
    if (running) await camera.stop();
    running = false;
  };
  const token = (grants: readonly Grant[] = admin): string => core.token(testOrg, grants, systemClock.now());
  const call: Rig['fetch'] = (method, path, body, grants) =>
    fetch(`http://127.0.0.1:${camera.httpPort}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token(grants)}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const rest: Rig['rest'] = async (...args) => {
    const response = await call(...args);
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  };
  return {
    core,
    get camera() {
      return camera;
    },
    directory,
    log,
    get url() {
      return `http://127.0.0.1:${camera.httpPort}`;
    },
    token,
    fetch: call,
    rest,
    place: (row, name = 'Camera', areaId = yard) => {
      const device = core.registry.put(areaId, name);
      camera.base.registry.save(rowOf(device.id, row));
      return device;
    },
    add: async (input) => {
      const made = await rest('POST', '/camera/cameras', { name: 'Camera', area_id: yard, ...input });
      if (made.status !== 201) throw new Error(`not added: ${JSON.stringify(made.body)}`);
      return Camera.parse(made.body);
    },
    halt,
    restart: async () => {
      await halt();
      camera = await start();
      running = true;
    },
    stop: async () => {
      await halt();
      await core.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Never relied on for timing: two slow cores are shared by every program of a run. */
const waitMsMax = 60_000;

/** Asks until there is something true; tests wait for things to happen, not for time to pass. */
export async function until<T>(
  look: () => T | undefined | Promise<T | undefined>,
  ms = waitMsMax,
): Promise<T> {
  const deadline = systemClock.monotonic() + ms;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (systemClock.monotonic() > deadline) throw new Error(`It did not happen in ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const rowOf = (id: string, row: Partial<CameraRow> & Pick<CameraRow, 'streams'>): CameraRow => ({
  id,
  orgId: testOrg,
  enabled: true,
  connection: 'rtsp',
  address: '127.0.0.1',
  onvifUrl: null,
  credentials: null,
  manufacturer: null,
  model: null,
  firmware: null,
  serial: null,
  mac: null,
  endpoint: null,
  profiles: [],
  mainProfile: null,
  subProfile: null,
  snapshotUrl: null,
  hasPtz: false,
  hasEvents: false,
  relays: 0,
  inputs: 0,
  recording: RecordingPolicy.parse({}),
  motionHoldMs: motionHoldMsDefault,
  watches: Watches.parse({}),
  revision: 1,
  createdMs: 0,
  ...row,
});

function startOn(
  directory: string,
  core: FakeCore,
  log: string[],
  { env, ...options }: RigOptions,
): Promise<RunningCamera> {
  return startCamera({
    config: CameraConfig.parse({
      CAMERA_HTTP_LISTEN: '127.0.0.1:0',
      CAMERA_METRICS_LISTEN: '127.0.0.1:0',
      DATA_DIR: join(directory, 'data'),
      RECORDINGS_DIR: join(directory, 'footage'),
      STORAGE_ROOTS: directory,
      CORE_INTERNAL_URL: `unix:${core.socketPath}`,
      CAMERA_ALLOW_LOOPBACK: '1',
      CAMERA_KEY: Buffer.alloc(32, 7).toString('base64'),
      ...env,
    }),
    log: createLogger({
      service: 'camera',
      level: 'debug',
      destination: { write: (line) => void log.push(line) },
    }),
    migrations,
    ...options,
  });
}
