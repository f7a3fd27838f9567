/**
 * A whole box for tests and for development: Mosquitto, core, panel, signaling and, when asked for, the nginx front door,
 * all real processes on free loopback ports with their data in one directory.
 */
import { join } from 'node:path';
import type { Route } from '@siphera/contract';
import { type Coturn, startCoturn } from './coturn.ts';
import { type FrontDoor, startFrontDoor } from './front-door.ts';
import { type SipServer, startSipServer } from './kamailio.ts';
import { type Mosquitto, startMosquitto } from './mosquitto.ts';
import { freePort } from './ports.ts';
import { repositoryRoot } from './repository.ts';
import type { RestTarget } from './rest-client.ts';
import {
  type CameraService,
  type CoreService,
  type PanelService,
  type ServiceContext,
  type ServiceName,
  type SignalingService,
  type SipBridgeService,
  startCamera,
  startCore,
  startPanel,
  startSignaling,
  startSipBridge,
} from './services.ts';
import { type TempDir, tempDir } from './temp-dir.ts';

export type BoxOptions = {
  /** Keeps the data there; without it a temporary directory that goes when the box stops. */
  dir?: string;
  /** Which services beside core. Panel and signaling, unless told. */
  services?: readonly ('panel' | 'signaling' | 'camera')[];
  /** Also starts nginx with TLS; `webDir` is what it serves, web/dist unless told. */
  frontDoor?: boolean | { webDir?: string; port?: number };
  /** Also starts coturn, which signaling then offers (`getTurn`). */
  relay?: boolean;
  /** Also starts Kamailio, both relays for sound and the SIP bridge; softphones may come from further `origins` than the front door's. */
  phones?: boolean | { origins: readonly string[] };
  hostName?: string;
  /** Extra environment, a service. */
  env?: Partial<Record<ServiceName, Readonly<Record<string, string>>>>;
  nodeArgs?: readonly string[];
  onOutput?: (name: string, text: string) => void;
};

export type Box = AsyncDisposable &
  RestTarget & {
    dir: string;
    hostName: string;
    /** Origin of the front door, or core's own when there is none. */
    origin: string;
    mosquitto: Mosquitto;
    core: CoreService;
    panel: PanelService | undefined;
    signaling: SignalingService | undefined;
    camera: CameraService | undefined;
    frontDoor: FrontDoor | undefined;
    relay: Coturn | undefined;
    /** Kamailio and what keeps it. */
    sip: SipServer | undefined;
    sipBridge: SipBridgeService | undefined;
    /** Where consoles connect their socket. */
    socketUrl: string;
    stop: () => Promise<void>;
  };

/** Starts a box. Whatever was already running is stopped again when a later part does not come up. */
export async function startBox(options: BoxOptions = {}): Promise<Box> {
  await using stack = new AsyncDisposableStack();
  const temporary: TempDir | undefined =
    options.dir === undefined ? stack.use(await tempDir('box')) : undefined;
  const dir = options.dir ?? temporary?.path ?? '';
  const hostName = options.hostName ?? 'siphera.test';
  const mosquitto = stack.use(await startMosquitto({ dir }));
  const { ca } = mosquitto;
  const door = options.frontDoor === true ? {} : options.frontDoor;
  const doorPort = door ? (door.port ?? (await freePort())) : undefined;
  const origin = doorPort === undefined ? undefined : `https://${hostName}:${doorPort}`;
  const relay = options.relay === true ? stack.use(await startCoturn({ dir, ca, hostName })) : undefined;
  const context = (name: ServiceName) => serviceContext(options, dir, name, relay);
  const core = await startCore({
    ...context('core'),
    mosquitto,
    hostName,
    publicUrls: origin === undefined ? [`https://${hostName}`] : [origin],
  });
  stack.use(core.daemon);
  const { panel, signaling, camera } = await startBesideCore(stack, {
    wanted: options.services ?? ['panel', 'signaling'],
    context,
    internalUrl: core.internalUrl,
    hostName,
    origin,
  });
  const phones = await startPhones(stack, {
    wanted: options.phones ?? false,
    dir,
    hostName,
    origin,
    ca,
    context: context('sip-bridge'),
    internalUrl: core.internalUrl,
  });
  const ports = portsOf({ core, panel, camera, signaling, sipBridge: phones.sipBridge });
  const frontDoor =
    door && doorPort !== undefined
      ? await startFrontDoor({
          dir,
          port: doorPort,
          hostName,
          ca,
          ...behindDoor(ports, phones.sip, door.webDir),
        })
      : undefined;
  if (frontDoor) stack.use(frontDoor.daemon);

  const parts = stack.move();
  const stop = () => parts.disposeAsync();
  const direct = (service: Route['service']) => `http://127.0.0.1:${ports[service]}`;
  return {
    dir,
    hostName,
    origin: frontDoor?.origin ?? direct('core'),
    mosquitto,
    core,
    panel,
    signaling,
    camera,
    frontDoor,
    relay,
    ...phones,
    baseUrl: (service: Route['service']) => frontDoor?.origin ?? direct(service),
    ...(frontDoor ? { ca: ca.caPem } : {}),
    socketUrl: frontDoor?.origin ?? direct('signaling'),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Of what was not started: one on which nothing listens. */
const portsOf = (
  box: Pick<Box, 'core' | 'panel' | 'camera' | 'signaling' | 'sipBridge'>,
): Record<Route['service'], number> => ({
  core: box.core.httpPort,
  panel: box.panel?.httpPort ?? 1,
  camera: box.camera?.httpPort ?? 1,
  signaling: box.signaling?.port ?? 1,
  'sip-bridge': box.sipBridge?.httpPort ?? 1,
});

/** What the front door leads to. */
const behindDoor = (
  ports: ReturnType<typeof portsOf>,
  sip: SipServer | undefined,
  webDir = join(repositoryRoot, 'web', 'dist'),
) => ({
  upstream: { ...ports, sipBridge: ports['sip-bridge'] },
  ...(sip ? { sip: { wsPort: Number(new URL(sip.wsUrl).port), publicDir: join(sip.sipDir, 'public') } } : {}),
  webDir,
});

type BesideCore = {
  wanted: readonly ServiceName[];
  context: (name: ServiceName) => ServiceContext;
  internalUrl: string;
  hostName: string;
  origin: string | undefined;
};

async function startBesideCore(stack: AsyncDisposableStack, options: BesideCore) {
  const { wanted, context, internalUrl, hostName, origin } = options;
  const panel = wanted.includes('panel') ? await startPanel({ ...context('panel'), internalUrl }) : undefined;
  if (panel) stack.use(panel.daemon);
  const publicOrigins = origin === undefined ? [] : [origin];
  const signaling = wanted.includes('signaling')
    ? await startSignaling({ ...context('signaling'), internalUrl, publicOrigins })
    : undefined;
  if (signaling) stack.use(signaling.daemon);
  const camera = wanted.includes('camera')
    ? await startCamera({ ...context('camera'), internalUrl, hostName, publicUrl: origin })
    : undefined;
  if (camera) stack.use(camera.daemon);
  return { panel, signaling, camera };
}

type Phones = {
  wanted: NonNullable<BoxOptions['phones']>;
  dir: string;
  hostName: string;
  origin: string | undefined;
  ca: Mosquitto['ca'];
  context: ServiceContext;
  internalUrl: string;
};

/** Kamailio first: the bridge finds it, as on a box that is started. */
async function startPhones(
  stack: AsyncDisposableStack,
  { wanted, dir, hostName, origin, ca, context, internalUrl }: Phones,
): Promise<Pick<Box, 'sip' | 'sipBridge'>> {
  if (wanted === false) return { sip: undefined, sipBridge: undefined };
  const origins = [...(origin === undefined ? [] : [origin]), ...(wanted === true ? [] : wanted.origins)];
  const sip = stack.use(
    await startSipServer({ dir, hostName, ca, ...(origins.length > 0 ? { origins } : {}) }),
  );
  const websocketUrl = origin === undefined ? sip.wsUrl : `${origin.replace(/^http/, 'ws')}/sip`;
  const sipBridge = await startSipBridge({ ...context, internalUrl, sip, websocketUrl });
  stack.use(sipBridge.daemon);
  return { sip, sipBridge };
}

function serviceContext(options: BoxOptions, dir: string, name: ServiceName, relay: Coturn | undefined) {
  const { onOutput } = options;
  const relayEnv = { TURN_URIS: relay?.uris.join(',') ?? '', TURN_SECRET: relay?.secret ?? '' };
  return {
    dir,
    env: { ...(name === 'signaling' ? relayEnv : {}), ...options.env?.[name] },
    nodeArgs: options.nodeArgs ?? [],
    ...(onOutput ? { onOutput: (text: string) => onOutput(name, text) } : {}),
  };
}
