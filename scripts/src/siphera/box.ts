/** Where the parts of this box are: files, ports and addresses, natively or as seen from the `tools` container. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '@siphera/runtime';

export type Address = { host: string; port: number };
export type ServiceName = 'core' | 'panel' | 'signaling' | 'camera' | 'sip-bridge';
/** The two relays for the sound of phone calls, as the services are named. */
export type SoundRelay = 'rtpengine-a' | 'rtpengine-b';
/** A listener: a socket's path, or a port. */
export type Place = { socketPath: string } | Address;

export type BoxPlace = {
  mode: 'native' | 'docker';
  hostName: string;
  etcDir: string;
  dataDir: string;
  backupDir: string;
  /** Footage. */
  recordingsDir: string;
  /** Core's internal API: a socket's path, or an address that takes the CLI's client certificate. */
  internal: Place;
  front: Address;
  mqtt: Address;
  dc09: Address;
  /** Each answers `/healthz`. */
  health: Readonly<Record<ServiceName, Place>>;
  media: MediaPlace;
  /** The relay for calls, by UDP (and TCP) and by TLS; undefined when it is switched off. */
  relay: { turn: Address; turns: Address } | undefined;
  /** What carries phones; undefined when they are switched off, and then there is no sip-bridge either. */
  phones: { kamailio: Probe; relays: Readonly<Record<SoundRelay, Probe>> } | undefined;
  /** Port of the front door as browsers see it. */
  publicPort: number;
  /** The admin's own certificate stands at the front door in place of the box CA's. */
  ownCertificate: boolean;
};

/** Live video: what Janus offers to browsers, and how Janus itself is. */
export type MediaPlace = {
  /** As the settings have it: `auto` is worked out by the installer. */
  address: string;
  ports: string;
  /** Addresses of this machine; undefined when nobody here can tell. */
  ownAddresses: readonly string[] | undefined;
  janus: Probe;
};

/** Of what is on the host's network: natively its health check can be run; in the container the launcher has run it. */
export type Probe =
  { healthcheck: string; env: Readonly<Record<string, string>> } | { up: boolean | undefined };

/** @throws AppError `unavailable` when there is no box here. */
export function readBox(env: Readonly<Record<string, string | undefined>>): BoxPlace {
  const etcDir = env['SIPHERA_ETC'] ?? '/etc/siphera';
  const settings = readSettings(join(etcDir, 'siphera.env'));
  const setting = (name: string, fallback: string): string => {
    const value = settings.get(`SIPHERA_${name}`);
    return value === undefined || value === '' ? fallback : value;
  };
  const docker = (env['SIPHERA_MODE'] ?? setting('MODE', 'native')) === 'docker';
  const dataDir = docker ? '/var/lib/siphera' : setting('DATA_DIR', '/var/lib/siphera');
  const port = (name: string, fallback: string): number => Number(setting(name, fallback));
  const local = (at: number): Address => ({ host: '127.0.0.1', port: at });
  return {
    mode: docker ? 'docker' : 'native',
    hostName: setting('HOST_NAME', 'localhost'),
    etcDir,
    dataDir,
    backupDir: docker ? '/var/lib/siphera/backup' : setting('BACKUP_DIR', join(dataDir, 'backup')),
    recordingsDir: docker
      ? '/var/lib/siphera/recordings'
      : setting('RECORDINGS_DIR', join(dataDir, 'recordings')),
    internal: docker
      ? { host: 'core', port: 7443 }
      : { socketPath: join(env['SIPHERA_RUN'] ?? '/run/siphera', 'core.sock') },
    front: docker ? { host: 'nginx', port: 8443 } : local(port('HTTPS_PORT', '443')),
    mqtt: docker
      ? { host: 'mosquitto.internal', port: 8883 }
      : { host: 'localhost', port: port('MQTT_PORT', '8883') },
    dc09: docker ? { host: 'panel', port: 12000 } : local(port('DC09_PORT', '12000')),
    health: docker
      ? {
          core: { host: 'core', port: 7180 },
          panel: { host: 'panel', port: 7182 },
          signaling: { host: 'signaling', port: 7181 },
          camera: { socketPath: join(dataDir, 'run', 'camera', 'metrics.sock') },
          'sip-bridge': { socketPath: join(dataDir, 'run', 'sip-bridge', 'metrics.sock') },
        }
      : {
          core: local(7180),
          panel: local(7182),
          signaling: local(7181),
          camera: local(7183),
          'sip-bridge': local(7184),
        },
    media: {
      address: setting('MEDIA_ADDRESS', 'auto'),
      ports: setting('MEDIA_PORTS', '20000-20199'),
      ...(docker ? seenByLauncher(env) : seenHere()),
    },
    relay: relayPlace(docker, setting('TURN_PORT', '3478'), port('TURNS_PORT', '5349')),
    phones:
      setting('SIP_PORT', '5060') === 'off'
        ? undefined
        : docker
          ? {
              kamailio: seenState(env['SIPHERA_KAMAILIO']),
              relays: {
                'rtpengine-a': seenState(env['SIPHERA_RTPENGINE_A']),
                'rtpengine-b': seenState(env['SIPHERA_RTPENGINE_B']),
              },
            }
          : {
              kamailio: healthcheck('kamailio', { SIP_PORT: setting('SIP_PORT', '5060') }),
              // As compose/install/options.sh has their ports.
              relays: {
                'rtpengine-a': healthcheck('rtpengine', { RTPENGINE_CONTROL: '127.0.0.1:7068' }),
                'rtpengine-b': healthcheck('rtpengine', { RTPENGINE_CONTROL: '127.0.0.1:7069' }),
              },
            },
    publicPort: port('HTTPS_PORT', '443'),
    ownCertificate: setting('CERT', '') !== '',
  };
}

function relayPlace(docker: boolean, turnPort: string, turnsPort: number): BoxPlace['relay'] {
  if (turnPort === 'off') return undefined;
  const at = (port: number): Address => ({ host: docker ? 'coturn' : '127.0.0.1', port });
  return docker ? { turn: at(3478), turns: at(5349) } : { turn: at(Number(turnPort)), turns: at(turnsPort) };
}

function seenHere(): Pick<MediaPlace, 'ownAddresses' | 'janus'> {
  const ownAddresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({ internal }) => !internal).map(({ address }) => address),
  );
  return { ownAddresses, janus: healthcheck('janus') };
}

const healthcheck = (daemon: string, env: Readonly<Record<string, string>> = {}): Probe => ({
  healthcheck: fileURLToPath(new URL(`../../../compose/${daemon}/healthcheck.sh`, import.meta.url)),
  env,
});

const seenState = (said: string | undefined): Probe => ({
  up: said === undefined ? undefined : said === 'up',
});

/** The container sees neither the host's addresses nor Janus on its loopback; scripts/siphera looked before it started us. */
function seenByLauncher(
  env: Readonly<Record<string, string | undefined>>,
): Pick<MediaPlace, 'ownAddresses' | 'janus'> {
  const { SIPHERA_HOST_ADDRESSES: addresses, SIPHERA_JANUS: janus } = env;
  return {
    ownAddresses: addresses?.split(/\s+/).filter((address) => address !== ''),
    janus: seenState(janus),
  };
}

/** Public half of the key that signs this box's exports; undefined where there is no box. */
export function ownEvidenceKey(env: Readonly<Record<string, string | undefined>>): string | undefined {
  try {
    return join(readBox(env).dataDir, 'camera', 'evidence-public.pem');
  } catch (error) {
    if (error instanceof AppError && error.code === 'unavailable') return undefined;
    throw error;
  }
}

/** Those that run on this box. */
export const servicesOf = ({ phones }: BoxPlace): ServiceName[] => [
  'core',
  'panel',
  'signaling',
  'camera',
  ...(phones ? (['sip-bridge'] as const) : []),
];

/** Origin of the front door as browsers name it. */
export const publicUrl = (box: BoxPlace): string =>
  `https://${box.hostName}${box.publicPort === 443 ? '' : `:${box.publicPort}`}`;

export const pkiFile = (box: BoxPlace, ...parts: string[]): string => join(box.etcDir, 'pki', ...parts);

function readSettings(file: string): Map<string, string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError('unavailable', `There is no box on this machine: cannot read ${file}`, { cause });
  }
  const pairs = text
    .split('\n')
    .map((line) => /^([A-Z0-9_]+)=(.*)$/.exec(line))
    .filter((match) => match !== null);
  return new Map(pairs.map(([, name = '', value = '']) => [name, value]));
}
