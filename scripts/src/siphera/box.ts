/** Where the parts of this box are: files, ports and addresses, natively or as seen from the `tools` container. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@siphera/runtime';

export type Address = { host: string; port: number };
export type ServiceName = 'core' | 'panel' | 'signaling';

export type BoxPlace = {
  mode: 'native' | 'docker';
  hostName: string;
  etcDir: string;
  dataDir: string;
  backupDir: string;
  /** Core's internal API: a socket's path, or an address that takes the CLI's client certificate. */
  internal: { socketPath: string } | Address;
  front: Address;
  mqtt: Address;
  dc09: Address;
  /** Each answers `/healthz`. */
  health: Readonly<Record<ServiceName, Address>>;
  /** Port of the front door as browsers see it. */
  publicPort: number;
  /** The admin's own certificate stands at the front door in place of the box CA's. */
  ownCertificate: boolean;
};

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
        }
      : { core: local(7180), panel: local(7182), signaling: local(7181) },
    publicPort: port('HTTPS_PORT', '443'),
    ownCertificate: setting('CERT', '') !== '',
  };
}

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
