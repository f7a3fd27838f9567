/**
 * Janus while developing, with the product's own configuration: on this machine's first address, because it skips loopback.
 * Where there is none, or no Janus, the camera service runs without, and live pictures come by HTTP alone.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Daemon, freePort, renderTemplate, startDaemon } from '@siphera/testkit';
import { root } from './root.ts';

const run = promisify(execFile);
const healthcheck = join(root, 'compose/janus/healthcheck.sh');

type DevJanus = { daemon: Daemon; env: Readonly<Record<string, string>> };

/** undefined, with the reason told, where there can be none. */
export async function startDevJanus(dir: string, say: (line: string) => void): Promise<DevJanus | undefined> {
  const address = process.env['MEDIA_ADDRESS'] ?? firstAddress();
  if (address === undefined) {
    say('no address but loopback: live pictures by HTTP alone');
    return undefined;
  }
  if (!(await isInstalled())) {
    say('janus is not installed (apt-get install janus): live pictures by HTTP alone');
    return undefined;
  }
  const port = await freePort();
  const secret = randomBytes(24).toString('hex');
  const conf = await configure(join(dir, 'janus'), { address, port, secret });
  const daemon = await startDaemon({
    name: 'janus',
    command: 'janus',
    args: [`--configs-folder=${conf}`, '--disable-colors'],
    ready: async () =>
      run(healthcheck, { env: { ...process.env, JANUS_PORT: String(port) } }).then(
        () => true,
        () => false,
      ),
  });
  say(`live video from ${address}`);
  return { daemon, env: { JANUS_URL: `ws://127.0.0.1:${port}`, JANUS_SECRET: secret } };
}

/** It ends with 1 when asked for its version. */
const isInstalled = (): Promise<boolean> =>
  run('janus', ['--version']).then(
    () => true,
    (error: unknown) => (error as NodeJS.ErrnoException).code !== 'ENOENT',
  );

function firstAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
}

/** As compose/install/templates.sh renders it. */
async function configure(
  conf: string,
  { address, port, secret }: { address: string; port: number; secret: string },
): Promise<string> {
  await mkdir(conf, { recursive: true, mode: 0o700 });
  const values = {
    JANUS_CONF_DIR: conf,
    JANUS_SECRET: secret,
    JANUS_PORT: String(port),
    JANUS_IPV6: 'false',
    JANUS_INTERFACE_LINE: `interface = "${address}"`,
    JANUS_ADDRESS_LINE: `ice_enforce_list = "${address}"`,
    MEDIA_PORTS: '20000-20199',
  };
  for (const name of ['janus.jcfg', 'janus.transport.websockets.jcfg']) {
    const text = await renderTemplate(`janus/${name}.template`, values);
    await writeFile(join(conf, name), text, { mode: 0o600 });
  }
  return conf;
}
