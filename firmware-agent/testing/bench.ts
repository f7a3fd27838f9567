/** Agents for the integration tests: in this process, or as the shipped bundle in a process of its own. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  type CertificateFiles,
  type Daemon,
  type Mosquitto,
  runCommand,
  startDaemon,
} from '@siphera/testkit';
import { type Agent, startAgent } from '../src/agent.ts';
import { type AgentConfig, loadConfig } from '../src/config.ts';
import { systemClock } from '../src/domain/clock.ts';
import type { Driver } from '../src/domain/driver.ts';
import { systemRandom } from '../src/domain/random.ts';
import { type Child, readIdentity, writeEnrolled, writeKey } from '../src/enrol/identity.ts';
import { createLog } from '../src/log.ts';
import { orgId } from './ack-box.ts';

export type Installed = {
  dir: string;
  deviceId: string;
  configFile: string;
  config: AgentConfig;
  files: CertificateFiles;
};

let made = 0;
/** A device id of its own for each agent of a test run. */
const newDeviceId = (): string =>
  `01930000-0000-7000-9000-${String((made += 1)).padStart(6, '0')}${String(process.pid % 1_000_000).padStart(6, '0')}`;

/** An agent as enrolment leaves it, in a directory of its own. */
export async function install(
  base: string,
  mosquitto: Mosquitto,
  extra: { children?: Child[]; settings?: Record<string, unknown> } = {},
): Promise<Installed> {
  const deviceId = newDeviceId();
  const dir = join(base, deviceId.slice(-12));
  await mkdir(dir, { recursive: true });
  const configFile = join(dir, 'config.json');
  const settings = { data_dir: 'data', log_level: 'debug', heartbeat_seconds: 1, ...extra.settings };
  await writeFile(configFile, JSON.stringify(settings));
  const config = await loadConfig(configFile);
  const files = await mosquitto.issueClientCert(deviceId);
  await writeKey(config.data_dir, readFileSync(files.keyFile, 'utf8'));
  await writeEnrolled(config.data_dir, {
    device_id: deviceId,
    org_id: orgId,
    mqtt_url: mosquitto.url,
    certificate_pem: readFileSync(files.certFile, 'utf8'),
    ca_pem: readFileSync(files.caFile, 'utf8'),
    children: extra.children ?? [],
  });
  return { dir, deviceId, configFile, config, files };
}

/** A driver that does nothing but remember what it was told. */
export function recordingDriver(execute: Driver['execute'] = async () => ({ ok: true, state: 'unlocked' })) {
  const executed: string[] = [];
  const twins: Record<string, unknown>[] = [];
  const driver: Driver = {
    start: async () => undefined,
    execute: async (command, signal) => {
      executed.push(command.id);
      return await execute(command, signal);
    },
    configure: (twin) => void twins.push(twin),
    stop: async () => undefined,
  };
  return { driver, executed, twins };
}

/** Starts the agent in this process. */
export async function startHere(
  installed: Installed,
  driver: Driver = recordingDriver().driver,
): Promise<Agent> {
  return await startAgent({
    config: installed.config,
    identity: await readIdentity(installed.config.data_dir),
    driver,
    clock: systemClock,
    random: systemRandom,
    log: createLog({ clock: systemClock, level: 'error', write: (line) => void process.stderr.write(line) }),
  });
}

/** Builds the bundle into an empty directory and gives its path. */
export async function buildBundle(dir: string): Promise<string> {
  const file = join(dir, 'siphera-agent.mjs');
  await runCommand(process.execPath, [join(import.meta.dirname, '../build.ts'), file]);
  return file;
}

/** Starts the bundle as an integrator's controller does: plain node, nothing else around. */
export async function startBundle(bundle: string, installed: Installed): Promise<Daemon> {
  const socket = join(installed.config.data_dir, 'driver.sock');
  return await startDaemon({
    name: 'siphera-agent',
    command: process.execPath,
    args: [bundle, 'run', '--config', installed.configFile],
    cwd: installed.dir,
    ready: async () => {
      const probe = await connectSocket(socket);
      probe?.destroy();
      return probe !== undefined;
    },
  });
}

async function connectSocket(path: string): Promise<Socket | undefined> {
  const socket = createConnection(path);
  try {
    await once(socket, 'connect');
    return socket;
  } catch {
    // Not listening yet, or no longer: the caller asks again.
    return undefined;
  }
}

/** An integrator's hardware process: keeps each event until the agent accepted it, and answers commands. */
export class Hardware {
  readonly accepted: number[] = [];
  readonly heard: Record<string, unknown>[] = [];
  readonly #path: string;
  #open: number[] = [];
  #socket: Socket | undefined;

  constructor(installed: Installed) {
    this.#path = join(installed.config.data_dir, 'driver.sock');
  }

  /** Connects, and sends again what was not accepted. */
  async connect(): Promise<void> {
    this.#socket?.destroy();
    const socket = await connectSocket(this.#path);
    if (!socket) throw new Error('The agent does not listen');
    this.#socket = socket;
    socket.on('error', () => socket.destroy());
    createInterface({ input: socket }).on('line', (line) =>
      this.#hear(JSON.parse(line) as Record<string, unknown>),
    );
    for (const n of this.#open) this.#report(n);
  }

  report(n: number): void {
    this.#open.push(n);
    this.#report(n);
  }

  send(message: Record<string, unknown>): void {
    this.raw(`${JSON.stringify(message)}\n`);
  }

  raw(text: string): void {
    if (this.#socket?.writable) this.#socket.write(text);
  }

  close(): void {
    this.#socket?.destroy();
  }

  #report(n: number): void {
    this.send({ event: { type: 'motion.started', id: `event-${n}`, data: { value: n }, ref: n } });
  }

  #hear(message: Record<string, unknown>): void {
    this.heard.push(message);
    const accepted = message['accepted'] as { ref: number } | undefined;
    if (accepted) {
      this.accepted.push(accepted.ref);
      this.#open = this.#open.filter((n) => n !== accepted.ref);
    }
    const command = message['command'] as { id: string } | undefined;
    if (command) this.send({ result: { id: command.id, ok: true, state: 'unlocked' } });
  }
}
