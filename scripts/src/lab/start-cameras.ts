/**
 * Starts the building's cameras on this machine (ONVIF and RTSP, as real ones speak them) and adds them to the box as an
 * admin does. What must stay true: a second run finds each camera again by its serial number and adds none.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import {
  type CallOutput,
  cameraFile,
  type FakeCamera,
  type FakeCameraOptions,
  type FakeRtspServer,
  RefusedCall,
  startFakeCamera,
  startRtspServer,
} from '@siphera/testkit';
import type { BoxClient } from './box-client.ts';
import { cameras, type LabCamera, planSize, rooms } from './building.ts';
import { LabCameras } from './cameras.ts';
import type { Building, Report } from './provision.ts';

/** The same ports at each start, so that the box finds a camera where it was. */
const firstHttpPort = 27_080;
const firstRtspPort = 27_554;
/** These draw a clock into a live picture; the others loop a file, so that sixteen fit on a small machine. */
const withClock = 4;

type StartCamerasOptions = {
  count: number;
  /** The address of this machine at which the box reaches the cameras; worked out when undefined. */
  host: string | undefined;
  /** The box's own. */
  boxHost: string;
  box: BoxClient;
  building: Building;
  report: Report;
};
type Known = CallOutput<'listCameras'>['items'][number];
type Started = { camera: LabCamera; fake: FakeCamera };

/** undefined, with the reason told, when there can be none here. */
export async function startCameras(options: StartCamerasOptions): Promise<LabCameras | undefined> {
  const { count, report, boxHost } = options;
  if (count === 0) return undefined;
  try {
    const { items: known } = await options.box.call('listCameras');
    const host = options.host ?? (await addressTowards(boxHost));
    await using stack = new AsyncDisposableStack();
    const server = stack.use(await startRtspServer());
    const started: Started[] = [];
    for (const [index, camera] of cameras.slice(0, count).entries()) {
      const fake = stack.use(await startFakeCamera(await fakeOptions(camera, index, host, server)));
      started.push({ camera, fake });
    }
    for (const { camera, fake } of started) await ensureCamera(camera, fake, known, options);
    report(`${started.length} cameras at ${host}`);
    stack.move();
    return new LabCameras(started, () => server.stop());
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n').slice(0, 2).join(' ') : String(error);
    report(error instanceof RefusedCall ? `no cameras: ${why}` : `no cameras: ${why} (${needed})`);
    return undefined;
  }
}

const needed =
  "they need ffmpeg, and Debian's python3-gi, gir1.2-gst-rtsp-server-1.0 and gstreamer1.0-plugins-{base,good,bad,ugly}";

/** Our address on the way to the box: connecting a datagram socket sends nothing and names it. */
async function addressTowards(host: string): Promise<string> {
  const socket = createSocket('udp4');
  try {
    socket.connect(9, host);
    await once(socket, 'connect');
    const { address } = socket.address();
    // A box on this machine: to a real one its loopback is itself and no camera.
    return address.startsWith('127.') ? (lanAddress() ?? address) : address;
  } finally {
    socket.close();
  }
}

const lanAddress = (): string | undefined =>
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(
      ({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('169.254.'),
    )?.address;

async function fakeOptions(
  { id }: LabCamera,
  index: number,
  host: string,
  rtsp: FakeRtspServer,
): Promise<FakeCameraOptions> {
  const common: FakeCameraOptions = {
    name: id,
    host,
    httpPort: firstHttpPort + index,
    rtspPort: firstRtspPort + index,
    rtsp,
    model: 'Lab camera',
    discovery: !host.startsWith('127.'),
  };
  if (index < withClock) return common;
  const [main, sub] = [
    { width: 1_280, height: 720, fps: 15, bitrateKbps: 1_500 },
    { width: 640, height: 360, fps: 10, bitrateKbps: 300 },
  ];
  return {
    ...common,
    main: { ...main, mode: 'file', profile: 'high', gopSeconds: 2, file: await cameraFile(main) },
    sub: { ...sub, mode: 'file', profile: 'high', gopSeconds: 2, file: await cameraFile(sub) },
  };
}

async function ensureCamera(
  camera: LabCamera,
  fake: FakeCamera,
  known: readonly Known[],
  { box, building, report }: StartCamerasOptions,
): Promise<void> {
  const address = `${fake.host}:${fake.httpPort}`;
  const found = known.find(({ serial, name }) => serial === fake.serial || name === camera.name);
  const { credentials } = fake;
  if (!found) {
    await box.call('createCamera', { body: { ...describe(camera, building), address, credentials } });
    report(`added ${camera.name}`);
    return;
  }
  if (found.address === address && found.enabled) return;
  await box.call('updateCamera', {
    params: { id: found.id },
    body: { address, credentials, enabled: true },
  });
  report(`${camera.name} is at ${address} now`);
}

function describe(camera: LabCamera, { areas, floors, devices }: Building) {
  const room = rooms.find((candidate) => candidate.key === camera.room);
  const [area, floor] = [areas.get(camera.room), room && floors.get(room.floor)];
  if (area === undefined || floor === undefined)
    throw new Error(`${camera.id} is in no room of the building`);
  const watched = camera.watches.map((id) => devices.get(id)?.id).filter((id) => id !== undefined);
  return {
    name: camera.name,
    area_id: area,
    place: { floor_id: floor, x: camera.x / planSize.width, y: camera.y / planSize.height },
    watches: { area_ids: [], device_ids: watched },
  };
}
