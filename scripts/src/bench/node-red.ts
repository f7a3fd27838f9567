/** Node-RED on the box's own Mosquitto: mqtt in → function → mqtt out, nothing kept on disk but its flow. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { exchange, freePort, startDaemon, type Daemon, type Mosquitto } from '@siphera/testkit';

export type NodeRedOptions = {
  dir: string;
  mosquitto: Mosquitto;
  /** Identity that may read all topics and write commands: core's, which does not run meanwhile. */
  certFile: string;
  keyFile: string;
  from: string;
  to: string;
};

export async function startNodeRed(options: NodeRedOptions): Promise<Daemon> {
  const userDir = join(options.dir, 'node-red');
  await mkdir(userDir, { recursive: true });
  await writeFile(join(userDir, 'flows.json'), JSON.stringify(flow(options)));
  await writeFile(
    join(userDir, 'settings.js'),
    `module.exports = { flowFile: 'flows.json', credentialSecret: false, telemetry: { enabled: false, updateNotification: false },
      logging: { console: { level: 'warn' } } };\n`,
  );
  await writeFile(join(userDir, 'no-delay.cjs'), noDelay);
  const port = await freePort();
  const main = join(dirname(createRequire(import.meta.url).resolve('node-red/package.json')), 'red.js');
  return await startDaemon({
    name: 'node-red',
    command: process.execPath,
    args: ['--require', join(userDir, 'no-delay.cjs'), main, '--userDir', userDir, '--port', String(port)],
    ready: async () => (await exchange(`http://127.0.0.1:${port}/settings`)).status === 200,
  });
}

/** Without it Nagle's algorithm holds each answer of Node-RED back for 40 ms, and the comparison would flatter us. */
const noDelay = `const { Socket } = require('node:net');
const { connect } = Socket.prototype;
Socket.prototype.connect = function (...options) { this.setNoDelay(true); return connect.apply(this, options); };
`;

function flow({ mosquitto, certFile, keyFile, from, to }: NodeRedOptions): object[] {
  const tls = {
    id: 'tls',
    type: 'tls-config',
    cert: certFile,
    key: keyFile,
    ca: mosquitto.ca.caFile,
    verifyservercert: true,
  };
  const broker = {
    id: 'broker',
    type: 'mqtt-broker',
    broker: 'localhost',
    port: String(mosquitto.port),
    tls: 'tls',
    usetls: true,
    clientid: 'node-red',
    autoConnect: true,
    protocolVersion: '4',
    keepalive: '60',
    cleansession: true,
  };
  const decide = `if (msg.payload.type !== 'motion.started' || msg.payload.data.value < 0) return null;
    return { payload: JSON.stringify({ id: msg.payload.id, name: 'identify', target: msg.payload.subject }) };`;
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    tls,
    broker,
    {
      id: 'in',
      type: 'mqtt in',
      z: 'tab',
      topic: from,
      qos: '1',
      datatype: 'json',
      broker: 'broker',
      wires: [['decide']],
    },
    { id: 'decide', type: 'function', z: 'tab', func: decide, outputs: 1, wires: [['out']] },
    {
      id: 'out',
      type: 'mqtt out',
      z: 'tab',
      topic: to,
      qos: '1',
      retain: 'false',
      broker: 'broker',
      wires: [],
    },
  ];
}
