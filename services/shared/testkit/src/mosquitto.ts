/** Debian's Mosquitto on a free loopback port, with the product's own configuration: mTLS, and topics by certificate name. */
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { type Daemon, startDaemon } from './daemon.ts';
import { type CertificateFiles, createTestCa, type TestCa } from './pki.ts';
import { freePort } from './ports.ts';
import { repositoryRoot } from './repository.ts';
import { renderTemplate } from './template.ts';

export type Mosquitto = AsyncDisposable & {
  daemon: Daemon;
  ca: TestCa;
  port: number;
  /** By address: a bare root may not even know `localhost`. */
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
  await ca.issueServer('mqtt', 'mqtt', ['localhost', '127.0.0.1']);
  await copyFile(join(repositoryRoot, 'compose', 'mosquitto', 'acl'), join(dir, 'acl'));
  const config = await renderTemplate('mosquitto/mosquitto.conf.template', {
    MQTT_LISTEN_PORT: `${port} 127.0.0.1`,
    MOSQUITTO_CONF_DIR: dir,
    MOSQUITTO_DATA_DIR: dir,
    PKI_DIR: ca.pkiDir,
  });
  // As root it would change to its own user, which cannot read a test's directory.
  await writeFile(join(dir, 'mosquitto.conf'), `user root\n${config}`);
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
    url: `mqtts://127.0.0.1:${port}`,
    issueClientCert: (commonName) => ca.issueClient(commonName),
    connect: (files, extra) => connect(port, files, extra),
    kill9: () => daemon.kill9(),
    restart: () => daemon.restart(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function connect(port: number, files: CertificateFiles, options: IClientOptions = {}): Promise<MqttClient> {
  return mqtt.connectAsync(`mqtts://127.0.0.1:${port}`, {
    cert: readFileSync(files.certFile),
    key: readFileSync(files.keyFile),
    ca: readFileSync(files.caFile),
    reconnectPeriod: 250,
    ...options,
  });
}

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
