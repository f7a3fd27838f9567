/**
 * `npm run dev`: the whole box on this machine, with its state kept in .dev/, every service started again when its source
 * changes, and the console served by Vite with hot reload. Ends with Ctrl-C; `rm -rf .dev` starts over.
 */
import { existsSync, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Box, call, type Daemon, setupCode, startBox, startDaemon } from '@siphera/testkit';
import { startDevJanus } from './dev-janus.ts';
import { root } from './root.ts';

/** As in web/vite.config.ts. Browsers treat localhost as a secure origin, so cookies work without TLS here. */
const consoleUrl = 'http://localhost:5173';
const frontPort = 8443;
const hostName = 'localhost';
/** Editors write several files at once; one restart is enough for all. */
const settleMs = 200;

/** Debian's path. Without it the box runs without phones. */
const hasKamailio = existsSync('/usr/sbin/kamailio');

const print = (name: string, text: string): void => {
  for (const line of text.trimEnd().split('\n')) console.log(`${name.padEnd(10)} ${line}`);
};

async function main(): Promise<void> {
  const dir = join(root, '.dev');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  console.log('Starting Mosquitto, core, panel, signaling, camera, Janus, phones and nginx …');
  if (!hasKamailio) print('kamailio', 'is not installed: no phones');
  const origins = [`https://${hostName}:${frontPort}`, consoleUrl].join(',');
  const janus = await startDevJanus(dir, (line) => print('janus', line));
  const box = await startBox({
    dir,
    services: ['panel', 'signaling', 'camera'],
    hostName,
    frontDoor: { port: frontPort },
    phones: hasKamailio && { origins: [consoleUrl] },
    env: {
      signaling: { PUBLIC_ORIGINS: origins },
      core: { PUBLIC_URLS: origins },
      camera: { ...janus?.env },
    },
    onOutput: print,
  });
  const vite = await startVite(box);
  const watching = new AbortController();
  restartOnChange(box, watching.signal);
  await welcome(box);
  await ended();
  // First of all, or a change during the stop would start a service again.
  watching.abort();
  await vite.stop();
  await box.stop();
  await janus?.daemon.stop();
}

const startVite = (box: Box): Promise<Daemon> =>
  startDaemon({
    name: 'vite',
    command: 'vite',
    cwd: join(root, 'web'),
    env: { BOX_URL: box.origin, NODE_EXTRA_CA_CERTS: box.mosquitto.ca.caFile },
    ready: async () => (await fetch(`${consoleUrl}/`)).ok,
    onOutput: (text) => print('web', text),
  });

function restartOnChange(box: Box, signal: AbortSignal): void {
  const services: Record<string, Daemon | undefined> = {
    core: box.core.daemon,
    panel: box.panel?.daemon,
    signaling: box.signaling?.daemon,
    camera: box.camera?.daemon,
    'sip-bridge': box.sipBridge?.daemon,
  };
  const pending = new Set<Daemon>();
  let timer: NodeJS.Timeout | undefined;
  const restart = async (): Promise<void> => {
    const daemons = [...pending];
    pending.clear();
    for (const daemon of daemons) {
      if (signal.aborted) return;
      print('dev', `${daemon.name} starts again`);
      // A service that does not start says why in its own output; the next change tries again.
      await daemon.restart().catch((error: unknown) => print('dev', String(error)));
    }
  };
  watch(join(root, 'services'), { recursive: true, signal }, (_event, file) => {
    if (file === null || !/\/(src|migrations)\/.*\.(ts|sql)$/.test(file) || file.endsWith('.test.ts')) return;
    const [folder = ''] = file.split('/');
    const hit = folder === 'shared' ? Object.values(services) : [services[folder]];
    for (const daemon of hit) if (daemon) pending.add(daemon);
    clearTimeout(timer);
    timer = setTimeout(() => void restart(), settleMs);
  });
}

async function welcome(box: Box): Promise<void> {
  const { needed } = await call(box, 'getSetup');
  console.log(`
The console       ${consoleUrl}
By the front door ${box.origin} (trust ${box.mosquitto.ca.caFile})
${needed ? `First admin       setup code ${await setupCode(box)}` : 'Sign in with the account you made before.'}
MQTT              ${box.mosquitto.url}
DC-09             127.0.0.1:${box.panel?.dc09Port ?? 0} (TCP and UDP)
`);
}

const ended = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });

await main();
