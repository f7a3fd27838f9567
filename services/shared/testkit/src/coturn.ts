/** Debian's coturn with the product's own configuration and the test's CA, on free ports of loopback. */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import type { TestCa } from './pki.ts';
import { freePort } from './ports.ts';
import { repositoryRoot } from './repository.ts';
import { runCommand } from './run-command.ts';
import type { Address } from './stun-message.ts';
import { renderTemplate } from './template.ts';

export type Coturn = AsyncDisposable & {
  daemon: Daemon;
  /** Where clients reach it, by UDP and TCP. */
  server: Address;
  tlsPort: number;
  /** For TURN_SECRET. */
  secret: string;
  /** For TURN_URIS: by UDP, TCP and TLS. By address: Chromium looks names up for UDP past its `hosts`. */
  uris: readonly [string, string, string];
  /** The relay's address on the box, and the one that clients are shown. */
  relayAddress: string;
  shownAddress: string;
  /** Credentials as signaling makes them. @param lifeSeconds negative: they have ended. */
  credentials: (lifeSeconds?: number, session?: string) => { username: string; password: string };
  /** Issues its certificate anew for one name more, as the daily renewal does when the box has another address. */
  renewCertificate: (name: string) => Promise<unknown>;
  stop: () => Promise<void>;
};

export type CoturnOptions = {
  dir: string;
  ca: TestCa;
  hostName?: string;
  /** As natively, unless told. */
  relayAddress?: string;
  /** Starts it by its run script, as the product does, with this added to the environment. It outlives a test that is killed. */
  runScript?: Readonly<Record<string, string>>;
};

export async function startCoturn(options: CoturnOptions): Promise<Coturn> {
  const { ca, hostName = 'siphera.test', relayAddress = '127.84.85.86' } = options;
  const shownAddress = '198.51.100.1';
  const dir = join(options.dir, 'coturn');
  const runDir = join(dir, 'run');
  await mkdir(runDir, { recursive: true });
  const [port, tlsPort] = [await freePort(), await freePort()];
  const secret = randomBytes(32).toString('base64');
  const issue = (...more: string[]) =>
    ca.issueServer('turn', 'turn', [hostName, 'localhost', '127.0.0.1', ...more]);
  await issue();
  const text = await renderTemplate('coturn/turnserver.conf.template', {
    TURN_LISTEN_PORT: String(port),
    TURNS_LISTEN_PORT: String(tlsPort),
    TURN_LISTENING_LINE: 'listening-ip=127.0.0.1',
    TURN_RELAY_ADDRESS: relayAddress,
    TURN_SHOWN_ADDRESS: shownAddress,
    TURN_SECRET: secret,
    TURN_REALM: hostName,
    PKI_DIR: ca.pkiDir,
    COTURN_RUN_DIR: runDir,
  });
  await writeFile(join(dir, 'turnserver.conf'), text, { mode: 0o400 });
  const program = (name: string) => join(repositoryRoot, 'compose', 'coturn', name);
  const ready = () => answers(program('healthcheck.sh'), port);
  const env = { COTURN_CONF_DIR: dir, COTURN_RUN_DIR: runDir, PKI_DIR: ca.pkiDir, ...options.runScript };
  const daemon = await startDaemon(
    options.runScript
      ? { name: 'coturn', command: program('run.sh'), env, ready }
      : { name: 'coturn', command: 'turnserver', args: ['-c', join(dir, 'turnserver.conf')], ready },
  );
  const stop = () => daemon.stop();
  return {
    daemon,
    server: { address: '127.0.0.1', port },
    tlsPort,
    secret,
    uris: [
      `turn:127.0.0.1:${port}?transport=udp`,
      `turn:127.0.0.1:${port}?transport=tcp`,
      `turns:127.0.0.1:${tlsPort}?transport=tcp`,
    ],
    relayAddress,
    shownAddress,
    credentials: (lifeSeconds = 600, session = 'a-session') => {
      const username = `${Math.floor(Date.now() / 1_000) + lifeSeconds}:${session}`;
      return { username, password: createHmac('sha1', secret).update(username).digest('base64') };
    },
    renewCertificate: issue,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function answers(healthcheck: string, port: number): Promise<boolean> {
  try {
    await runCommand('env', [`TURN_LISTEN_PORT=${port}`, healthcheck]);
    return true;
  } catch {
    // Not yet; what keeps it from starting is in its output.
    return false;
  }
}
