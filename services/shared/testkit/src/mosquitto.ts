/** Debian's Mosquitto on a free loopback port, with mTLS and the ACL by certificate name that the product uses. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { readFileSync } from 'node:fs';
import { type Daemon, startDaemon } from './daemon.ts';
import { type CertificateFiles, createTestCa, type TestCa } from './pki.ts';
import { freePort } from './ports.ts';

export type Mosquitto = AsyncDisposable & {
  daemon: Daemon;
  ca: TestCa;
  port: number;
  /** `mqtts://localhost:port` */
  url: string;
  issueClientCert: (commonName: string) => Promise<CertificateFiles>;
  /** A connected mqtt.js client that uses these files. */
  connect: (files: CertificateFiles, options?: IClientOptions) => Promise<MqttClient>;
  kill9: () => Promise<void>;
  restart: () => Promise<void>;
  stop: () => Promise<void>;
};

export const coreUser = 'siphera-core';

/** Starts a broker that keeps its files in `dir`; the CA is made there too unless one is given. */
export async function startMosquitto(options: {
  dir: string;
  ca?: TestCa;
  port?: number;
}): Promise<Mosquitto> {
  const ca = options.ca ?? (await createTestCa(join(options.dir, 'pki')));
  const port = options.port ?? (await freePort());
  const dir = join(options.dir, 'mosquitto');
  await mkdir(dir, { recursive: true });
  const server = await ca.issueServer('mosquitto', ['localhost', '127.0.0.1']);
  await writeFile(join(dir, 'acl'), aclText);
  await writeFile(join(dir, 'mosquitto.conf'), configText({ dir, port, server, crlFile: ca.crlFile }));
  const daemon = await startDaemon({
    name: 'mosquitto',
    command: 'mosquitto',
    args: ['-c', join(dir, 'mosquitto.conf')],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    ready: () => accepts(port),
  });
  const stop = () => daemon.stop();
  return {
    daemon,
    ca,
    port,
    url: `mqtts://localhost:${port}`,
    issueClientCert: (commonName) => ca.issueClient(commonName),
    connect: (files, extra) => connect(port, files, extra),
    kill9: () => daemon.kill9(),
    restart: () => daemon.restart(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function connect(port: number, files: CertificateFiles, options: IClientOptions = {}): Promise<MqttClient> {
  return mqtt.connectAsync(`mqtts://localhost:${port}`, {
    cert: readFileSync(files.certFile),
    key: readFileSync(files.keyFile),
    ca: readFileSync(files.caFile),
    reconnectPeriod: 250,
    ...options,
  });
}

const aclText = `user ${coreUser}
topic readwrite siphera/v1/#
pattern write siphera/v1/+/%u/event
pattern write siphera/v1/+/%u/telemetry
pattern write siphera/v1/+/%u/state
pattern write siphera/v1/+/%u/result
pattern read siphera/v1/+/%u/ack
pattern read siphera/v1/+/%u/command
pattern read siphera/v1/+/%u/twin
`;

const configText = (box: {
  dir: string;
  port: number;
  server: CertificateFiles;
  crlFile: string;
}): string => `
# As root it would change to its own user, which cannot read a test's directory.
user root
per_listener_settings false
listener ${box.port} 127.0.0.1
cafile ${box.server.caFile}
certfile ${box.server.certFile}
keyfile ${box.server.keyFile}
crlfile ${box.crlFile}
require_certificate true
use_identity_as_username true
allow_anonymous false
acl_file ${box.dir}/acl
persistence true
persistence_location ${box.dir}/
autosave_interval 1
autosave_on_changes false
max_inflight_messages 1000
max_queued_messages 200000
set_tcp_nodelay true
log_dest stderr
`;

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(port, '127.0.0.1');
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
