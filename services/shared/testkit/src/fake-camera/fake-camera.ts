/**
 * A camera that speaks ONVIF, WS-Discovery and RTSP like a real one, with the bad habits a test asks for. The test moves
 * things in front of it, pulls its plug, and reads what it was told to do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../ports.ts';
import { type Addresses, CameraState, type PtzCommand, type RelayCommand } from './camera-state.ts';
import { inputToken, numbers, relayToken } from './device-service.ts';
import { Discovery } from './discovery.ts';
import { topics } from './event-service.ts';
import { OnvifServer, realm } from './onvif-server.ts';
import { type CameraFaults, cameraSpec, type FakeCameraOptions } from './options.ts';
import { type FakeRtspServer, startRtspServer } from './rtsp-server.ts';

export type FakeCamera = AsyncDisposable & {
  readonly name: string;
  readonly host: string;
  readonly httpPort: number;
  readonly rtspPort: number;
  /** The ONVIF device service, as it can be reached: not what the camera says under a wrong `xaddrHost`. */
  readonly deviceUrl: string;
  readonly credentials: { username: string; password: string };
  readonly serial: string;
  readonly mac: string;
  /** The endpoint reference of WS-Discovery. */
  readonly urn: string;
  /** May be changed at any time. */
  readonly faults: CameraFaults;
  readonly ptzLog: readonly PtzCommand[];
  readonly relayLog: readonly RelayCommand[];
  /** What SetVideoEncoderConfiguration asked for. The picture itself changes with its codec only. */
  readonly encoderLog: CameraState['encoderLog'];
  /** Names of the ONVIF operations that came, oldest first. */
  readonly calls: readonly string[];
  /** With the credentials in it unless told otherwise. */
  rtspUrl: (stream?: 'main' | 'sub', options?: { credentials?: boolean }) => string;
  motion: (on: boolean) => void;
  line: () => void;
  tamper: (on: boolean) => void;
  digitalInput: (on: boolean, input?: number) => void;
  /** Pull points that are alive. */
  subscriptions: () => number;
  setClockOffset: (ms: number) => void;
  clockOffset: () => number;
  /** Off for `downMs`, then on again with no subscription left. Resolves when it is up. */
  reboot: (options?: { downMs?: number }) => Promise<void>;
  /** Off until `plugIn`, as if the cable were pulled. */
  unplug: () => Promise<void>;
  plugIn: () => Promise<void>;
  /** Another address or port from now on, as after a new lease. Subscriptions are lost. */
  moveTo: (addresses: Partial<Addresses>) => Promise<void>;
  /** Closes the RTSP connections. @returns how many there were. */
  dropRtsp: () => Promise<number>;
  rtspClients: () => Promise<number>;
  stop: () => Promise<void>;
};

/** How long a camera is gone when SystemReboot is called or a reboot has no time of its own. */
const rebootMs = 1_000;

export async function startFakeCamera(options: FakeCameraOptions = {}): Promise<FakeCamera> {
  const spec = cameraSpec(options);
  const state = new CameraState(
    spec,
    { ...options.faults },
    {
      host: spec.host,
      httpPort: options.httpPort ?? (await freePort()),
      // Without RTSP it still tells an address, at which nobody answers.
      rtspPort: options.rtspPort ?? (options.rtsp === false ? await freePort() : 0),
    },
  );
  const ownRtsp = options.rtsp === undefined ? await startRtspServer() : undefined;
  const rtsp = options.rtsp === false ? undefined : (options.rtsp ?? ownRtsp);
  const parts: Parts = { state, onvif: new OnvifServer(state), rtsp, discovery: discoveryOf(state, options) };
  setProperties(state);
  state.remount = async (stream) => await rtsp?.remount(spec.name, stream);
  try {
    await plugIn(parts);
  } catch (error) {
    await ownRtsp?.stop();
    throw error;
  }
  const stop = async () => {
    parts.stopped = true;
    await unplug(parts, { bye: true });
    await ownRtsp?.stop();
  };
  const reboot = async ({ downMs = rebootMs }: { downMs?: number } = {}) => {
    await unplug(parts, { bye: false });
    await sleep(downMs);
    if (parts.stopped !== true) await plugIn(parts);
  };
  state.reboot = () => {
    // The answer goes out first; what then fails shows in the test that waits for the camera.
    setTimeout(() => void reboot().catch((error: unknown) => console.error(error)), 50);
  };
  return {
    ...facts(state),
    ...scene(state),
    get host() {
      return state.addresses.host;
    },
    get httpPort() {
      return state.addresses.httpPort;
    },
    get rtspPort() {
      return state.addresses.rtspPort;
    },
    get deviceUrl() {
      return `http://${state.addresses.host}:${state.addresses.httpPort}/onvif/device_service`;
    },
    reboot,
    unplug: () => unplug(parts, { bye: false }),
    plugIn: () => plugIn(parts),
    moveTo: async (addresses) => {
      await unplug(parts, { bye: false });
      state.addresses = { ...state.addresses, ...addresses };
      await plugIn(parts);
    },
    dropRtsp: async () => (await rtsp?.drop(spec.name)) ?? 0,
    rtspClients: async () => (await rtsp?.clients(spec.name)) ?? 0,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

type Parts = {
  state: CameraState;
  onvif: OnvifServer;
  rtsp: FakeRtspServer | undefined;
  discovery: Discovery | undefined;
  plugged?: boolean;
  /** A reboot that is under way ends here. */
  stopped?: boolean;
};

function discoveryOf(state: CameraState, { discovery = false }: FakeCameraOptions): Discovery | undefined {
  if (discovery === false) return undefined;
  return new Discovery(state, discovery === true ? {} : discovery);
}

async function plugIn(parts: Parts): Promise<void> {
  const { state, onvif, rtsp, discovery } = parts;
  if (parts.plugged === true) return;
  parts.plugged = true;
  const { name, username, password, auth } = state.spec;
  const port = await rtsp?.add({
    camera: name,
    host: state.addresses.host,
    port: state.addresses.rtspPort,
    username: auth === 'none' ? '' : username,
    password,
    realm,
    hue: Number.parseInt(state.spec.uuid.slice(0, 4), 16),
    streams: state.streams,
  });
  state.addresses = { ...state.addresses, rtspPort: port ?? state.addresses.rtspPort };
  await onvif.listen();
  await discovery?.start();
}

async function unplug(parts: Parts, options: { bye: boolean }): Promise<void> {
  const { state, onvif, rtsp, discovery } = parts;
  if (parts.plugged !== true) return;
  parts.plugged = false;
  await onvif.close();
  state.subscriptions.clear();
  await discovery?.stop(options);
  await rtsp?.remove(state.spec.name);
}

function facts(state: CameraState) {
  const { name, username, password, serial, mac, uuid } = state.spec;
  return {
    name,
    credentials: { username, password },
    serial,
    mac,
    urn: `urn:uuid:${uuid}`,
    faults: state.faults,
    ptzLog: state.ptzLog,
    relayLog: state.relayLog,
    encoderLog: state.encoderLog,
    calls: state.calls,
    subscriptions: () => state.subscriptions.size,
    setClockOffset: (ms: number) => {
      state.clockOffsetMs = ms;
    },
    clockOffset: () => state.clockOffsetMs,
    rtspUrl: (stream: 'main' | 'sub' = 'main', options: { credentials?: boolean } = {}) => {
      const { host, rtspPort } = state.addresses;
      const secret =
        options.credentials === false || state.spec.auth === 'none' ? '' : `${username}:${password}@`;
      return `rtsp://${secret}${host}:${rtspPort}/${name}/${stream}`;
    },
  };
}

const rule = (name: string) => ({
  VideoSourceConfigurationToken: 'source_configuration_0',
  VideoAnalyticsConfigurationToken: 'analytics_0',
  Rule: name,
});
const motionTopic = {
  cell: (on: boolean) => ({
    topic: topics.cellMotion,
    source: rule('motion'),
    data: { IsMotion: String(on) },
  }),
  alarm: (on: boolean) => ({
    topic: topics.motionAlarm,
    source: { Source: 'source_0' },
    data: { State: String(on) },
  }),
} as const;
const tampered = (on: boolean) => ({
  topic: topics.tamper,
  source: rule('tamper'),
  data: { IsTamper: String(on) },
});
const closed = (on: boolean, input: number) => ({
  topic: topics.digitalInput,
  source: { InputToken: inputToken(input) },
  data: { LogicalState: String(on) },
});

/** What moves in front of the camera. */
function scene(state: CameraState) {
  let crossings = 0;
  return {
    motion: (on: boolean) => {
      if (!on && state.faults.motionNeverEnds === true) return;
      for (const topic of state.spec.motionTopics) state.changeProperty(motionTopic[topic](on));
    },
    line: () => {
      crossings += 1;
      state.announce({ topic: topics.line, source: rule('line'), data: { ObjectId: String(crossings) } });
    },
    tamper: (on: boolean) => state.changeProperty(tampered(on)),
    digitalInput: (on: boolean, input = 0) => state.changeProperty(closed(on, input)),
  };
}

function setProperties(state: CameraState): void {
  for (const topic of state.spec.motionTopics) state.setProperty(motionTopic[topic](false));
  state.setProperty(tampered(false));
  for (const input of numbers(state.spec.digitalInputs)) state.setProperty(closed(false, input));
  for (const relay of numbers(state.spec.relays)) {
    state.setProperty({
      topic: topics.relay,
      source: { RelayToken: relayToken(relay) },
      data: { LogicalState: 'inactive' },
    });
  }
}
