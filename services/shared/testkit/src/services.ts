/** Starts the box's own services as real processes, `node services/<name>/src/main.ts`, with the environment the product gives them. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import { exchange } from './http.ts';
import type { SipServer } from './kamailio.ts';
import { coreUser, type Mosquitto } from './mosquitto.ts';
import { freePort } from './ports.ts';
import { repositoryRoot } from './repository.ts';

export type ServiceName = 'core' | 'panel' | 'signaling' | 'camera' | 'sip-bridge';
export type Service = { daemon: Daemon; metricsPort: number };
export type CoreService = Service & {
  httpPort: number;
  internalUrl: string;
  setupCodeFile: string;
  caDir: string;
};
export type PanelService = Service & { httpPort: number; dc09Port: number };
export type CameraService = Service & { httpPort: number; dataDir: string; recordingsDir: string };
export type SipBridgeService = Service & { httpPort: number; dataDir: string };
export type SignalingService = Service & { port: number; dataDir: string };

/** What every service of one box shares. */
export type ServiceContext = {
  dir: string;
  /** Adds to or replaces the environment of a service. */
  env?: Readonly<Record<string, string>>;
  onOutput?: (text: string) => void;
  /** E.g. `--watch`, while developing. */
  nodeArgs?: readonly string[];
};

export type CoreOptions = ServiceContext & {
  mosquitto: Mosquitto;
  hostName: string;
  publicUrls: readonly string[];
};

/** Starts core on free ports with its data below `dir`. */
export async function startCore(options: CoreOptions): Promise<CoreService> {
  const { dir, mosquitto } = options;
  const [httpPort, metricsPort] = [await freePort(), await freePort()];
  const client = await mosquitto.issueClientCert(coreUser);
  const front = await mosquitto.ca.issueServer('front', 'front', [
    options.hostName,
    'localhost',
    '127.0.0.1',
  ]);
  const dataDir = await folder(dir, 'core');
  const setupCodeFile = join(dir, 'setup-code');
  const internalUrl = `unix:${join(dir, 'core.sock')}`;
  const daemon = await startService('core', options, metricsPort, {
    CORE_HTTP_LISTEN: `127.0.0.1:${httpPort}`,
    CORE_INTERNAL_LISTEN: internalUrl,
    CORE_METRICS_LISTEN: `127.0.0.1:${metricsPort}`,
    DATA_DIR: dataDir,
    BACKUP_DIR: await folder(dir, 'backup'),
    MQTT_URL: mosquitto.url,
    MQTT_PUBLIC_URL: mosquitto.url,
    MQTT_CERT_FILE: client.certFile,
    MQTT_KEY_FILE: client.keyFile,
    MQTT_CA_FILE: client.caFile,
    CA_DIR: mosquitto.ca.caDir,
    PUBLIC_HOST_NAME: options.hostName,
    PUBLIC_URLS: options.publicUrls.join(','),
    FRONT_CERT_FILE: front.certFile,
    SETUP_CODE_FILE: setupCodeFile,
  });
  return { daemon, httpPort, metricsPort, internalUrl, setupCodeFile, caDir: mosquitto.ca.caDir };
}

/** Starts the DC-09 receiver on free ports. */
export async function startPanel(options: ServiceContext & { internalUrl: string }): Promise<PanelService> {
  const [httpPort, dc09Port, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const daemon = await startService('panel', options, metricsPort, {
    PANEL_HTTP_LISTEN: `127.0.0.1:${httpPort}`,
    PANEL_DC09_LISTEN: `127.0.0.1:${dc09Port}`,
    PANEL_METRICS_LISTEN: `127.0.0.1:${metricsPort}`,
    DATA_DIR: await folder(options.dir, 'panel'),
    CORE_INTERNAL_URL: options.internalUrl,
    PANEL_KEY_FILE: await keyFile(options.dir, 'panel'),
  });
  return { daemon, httpPort, dc09Port, metricsPort };
}

/** Starts the camera service on free ports, without Janus unless `env` names one. */
export async function startCamera(
  options: ServiceContext & { internalUrl: string; hostName: string; publicUrl: string | undefined },
): Promise<CameraService> {
  const [httpPort, metricsPort] = [await freePort(), await freePort()];
  const [dataDir, recordingsDir] = [
    await folder(options.dir, 'camera'),
    await folder(options.dir, 'recordings'),
  ];
  const daemon = await startService('camera', options, metricsPort, {
    CAMERA_HTTP_LISTEN: `127.0.0.1:${httpPort}`,
    CAMERA_METRICS_LISTEN: `127.0.0.1:${metricsPort}`,
    DATA_DIR: dataDir,
    RECORDINGS_DIR: recordingsDir,
    STORAGE_ROOTS: options.dir,
    CORE_INTERNAL_URL: options.internalUrl,
    CAMERA_ALLOW_LOOPBACK: '1',
    CAMERA_KEY_FILE: await keyFile(options.dir, 'camera'),
    PUBLIC_HOST_NAME: options.hostName,
    ...(options.publicUrl === undefined ? {} : { PUBLIC_URL: options.publicUrl }),
  });
  return { daemon, httpPort, metricsPort, dataDir, recordingsDir };
}

/** Starts the realtime socket and the server of talk, on one free port. */
export async function startSignaling(
  options: ServiceContext & { internalUrl: string; publicOrigins: readonly string[] },
): Promise<SignalingService> {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const dataDir = await folder(options.dir, 'signaling');
  const daemon = await startService('signaling', options, metricsPort, {
    SIGNALING_LISTEN: `127.0.0.1:${port}`,
    SIGNALING_METRICS_LISTEN: `127.0.0.1:${metricsPort}`,
    DATA_DIR: dataDir,
    SIGNALING_KEY_FILE: await keyFile(options.dir, 'signaling'),
    CORE_INTERNAL_URL: options.internalUrl,
    PUBLIC_ORIGINS: [...options.publicOrigins, `http://127.0.0.1:${port}`].join(','),
  });
  return { daemon, port, metricsPort, dataDir };
}

/** Starts the SIP bridge beside a running Kamailio. */
export async function startSipBridge(
  options: ServiceContext & { internalUrl: string; sip: SipServer; websocketUrl: string },
): Promise<SipBridgeService> {
  const { sip } = options;
  const [httpPort, metricsPort] = [await freePort(), await freePort()];
  const dataDir = await folder(options.dir, 'sip-bridge');
  const daemon = await startService('sip-bridge', options, metricsPort, {
    SIP_BRIDGE_LISTEN: `127.0.0.1:${httpPort}`,
    SIP_BRIDGE_METRICS_LISTEN: `127.0.0.1:${metricsPort}`,
    DATA_DIR: dataDir,
    SIP_DIR: sip.sipDir,
    SIP_BRIDGE_KEY_FILE: await keyFile(options.dir, 'sip-bridge'),
    SIP_DOMAIN: sip.domain,
    SIP_SECRET: sip.secret,
    SIP_WEBSOCKET_URL: options.websocketUrl,
    KAMAILIO_RPC_URL: sip.rpcUrl,
    KAMAILIO_RPC_SECRET: sip.rpcSecret,
    KAMAILIO_EVENTS: sip.events,
    RTPENGINE_CONTROL: `a=${sip.relays.a.control},b=${sip.relays.b.control}`,
    DTMF_LISTEN: sip.dtmfListen,
    SIP_ADDRESS: `${sip.address}:${sip.port}`,
    CORE_INTERNAL_URL: options.internalUrl,
  });
  return { daemon, httpPort, metricsPort, dataDir };
}

function startService(
  name: ServiceName,
  context: ServiceContext,
  metricsPort: number,
  env: Readonly<Record<string, string>>,
): Promise<Daemon> {
  return startDaemon({
    name,
    command: process.execPath,
    args: [...(context.nodeArgs ?? []), `services/${name}/src/main.ts`],
    cwd: repositoryRoot,
    env: { LOG_LEVEL: 'info', ...env, ...context.env },
    ready: async () => (await exchange(`http://127.0.0.1:${metricsPort}/healthz`)).status === 200,
    ...(context.onOutput ? { onOutput: context.onOutput } : {}),
  });
}

async function folder(dir: string, name: string): Promise<string> {
  const path = join(dir, 'data', name);
  await mkdir(path, { recursive: true, mode: 0o700 });
  return path;
}

/** 32 random bytes in base64, as the installer makes them. */
async function keyFile(dir: string, name: string): Promise<string> {
  const path = join(dir, `${name}.key`);
  const text = `${randomBytes(32).toString('base64')}\n`;
  await writeFile(path, text, { mode: 0o600, flag: 'wx' }).catch(keepExisting);
  return path;
}

/** A key from an earlier run of the same directory stays: data at rest is encrypted with it. */
function keepExisting(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
}
