/**
 * Debian's Kamailio and two rtpengines with the product's own script and start scripts, on free ports. What must stay true: a test
 * gives its plan by the same files as the bridge, and reads reports from the same spool.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDatabase } from '@siphera/runtime';
import { type Daemon, startDaemon } from './daemon.ts';
import type { NetworkNamespace } from './network-namespace.ts';
import type { TestCa } from './pki.ts';
import { freePort } from './ports.ts';
import { repositoryRoot } from './repository.ts';
import { type Rtpengine, startRtpengine, succeeds } from './rtpengine.ts';
import { type SipPlan, sipTables, writeSipPlan } from './sip-plan.ts';
import { renderTemplate } from './template.ts';
import { waitFor } from './wait.ts';

export type SipReport = Readonly<Record<string, unknown>> & { kind: string; id: number };

export type SipServer = AsyncDisposable & {
  /** run.sh, and Kamailio below it. */
  daemon: Daemon;
  /** SIGKILL for all processes of Kamailio: a crash. `daemon.start()` brings it back. */
  crash: () => Promise<void>;
  relays: { a: Rtpengine; b: Rtpengine };
  domain: string;
  /** Where phones and trunks reach it. */
  address: string;
  port: number;
  tlsPort: number;
  wsUrl: string;
  rpcUrl: string;
  rpcSecret: string;
  /** host:port of evapi. */
  events: string;
  /** host:port that rtpengine reports digits to. */
  dtmfListen: string;
  secret: string;
  sipDir: string;
  rpc: (method: string, params?: readonly (string | number)[]) => Promise<unknown>;
  /** Writes the files and has all of them loaded, unless told. */
  plan: (plan: SipPlan, options?: { load?: boolean }) => Promise<void>;
  /** All that lie in the spool. */
  reports: () => SipReport[];
  /** The first report with all of these fields. */
  report: (fields: Readonly<Record<string, unknown>>) => Promise<SipReport>;
  /** Credentials as the bridge makes them. @param lifeSeconds negative: they have ended. */
  softphone: (number: string, lifeSeconds?: number) => { username: string; password: string };
  stop: () => Promise<void>;
};

export type SipServerOptions = {
  dir: string;
  hostName?: string;
  /** With it there is TLS. */
  ca?: TestCa;
  /** All of it runs there, and is reached by its link: open it with `hostLink`. */
  network?: NetworkNamespace;
  /** What it starts with. */
  plan?: SipPlan;
  /** Pages that softphones may come from. */
  origins?: readonly string[];
  /** Where it listens for phones instead of 127.0.0.1, or in a network instead of both of its addresses. */
  addresses?: readonly string[];
  /** Of run.sh, over what it is given. */
  env?: Readonly<Record<string, string>>;
};

export async function startSipServer(options: SipServerOptions): Promise<SipServer> {
  const { network, hostName = 'siphera.test' } = options;
  const places = await choosePlaces(options);
  const { sipDir, confDir, runDir, secret, rpcSecret } = places;
  for (const path of [sipDir, confDir, runDir]) await mkdir(path, { recursive: true });
  const planDir = join(sipDir, 'plan');
  if (options.plan) await writeSipPlan(planDir, hostName, options.plan);
  const media = places.addresses.at(-1) ?? '127.0.0.1';
  const relay = (name: 'a' | 'b', firstPort: number) =>
    startRtpengine({
      name,
      mediaAddress: media,
      dtmfListen: places.dtmfListen,
      firstPort,
      ...(network === undefined ? {} : { network }),
    });
  const [a, b] = await Promise.all([relay('a', places.mediaPort), relay('b', places.mediaPort + 400)]);
  await writeFile(join(confDir, 'kamailio.cfg'), await renderConfiguration(options, places, a, b));
  const daemon = await startKamailio(options, places);
  const rpc = (method: string, params: readonly (string | number)[] = []) =>
    callRpc(places.rpcUrl, rpcSecret, method, params);
  let loaded = JSON.stringify(options.plan?.registrations ?? []);
  const reports = () => readSpool(join(sipDir, 'spool', 'events.sqlite'));
  const stop = async () => {
    await Promise.all([daemon.stop(), a.daemon.stop(), b.daemon.stop()]);
  };
  return {
    daemon,
    crash: () => crash(daemon, runDir),
    relays: { a, b },
    domain: hostName,
    address: places.addresses[0] ?? '127.0.0.1',
    port: places.port,
    tlsPort: places.tlsPort,
    wsUrl: `ws://${places.ws}/sip`,
    rpcUrl: places.rpcUrl,
    rpcSecret,
    events: places.events,
    dtmfListen: places.dtmfListen,
    secret,
    sipDir,
    rpc,
    plan: async (plan, { load = true } = {}) => {
      await writeSipPlan(planDir, hostName, plan);
      const registrations = JSON.stringify(plan.registrations ?? []);
      if (load) await loadAll(rpc, registrations !== loaded);
      if (load) loaded = registrations;
    },
    reports,
    report: (fields) => waitFor(`a report with ${JSON.stringify(fields)}`, () => find(reports(), fields)),
    softphone: (number, lifeSeconds = 600) => {
      const username = `${Math.floor(Date.now() / 1_000) + lifeSeconds}:${number}`;
      return { username, password: createHmac('sha1', secret).update(username).digest('base64') };
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function choosePlaces({ dir, network, addresses }: SipServerOptions) {
  const inside = network?.link?.inside;
  const local = inside ?? '127.0.0.1';
  const own = addresses ?? (network === undefined ? ['127.0.0.1'] : [local, network.address]);
  const at = async (host: string) => `${host}:${await freePort()}`;
  return {
    sipDir: join(dir, 'sip'),
    confDir: join(dir, 'kamailio'),
    runDir: join(dir, 'kamailio-run'),
    secret: randomBytes(24).toString('base64'),
    rpcSecret: randomBytes(24).toString('base64'),
    addresses: own,
    port: await freePort(),
    tlsPort: await freePort(),
    ws: await at(local),
    rpcUrl: `http://${await at(local)}/RPC`,
    events: await at(local),
    dtmfListen: await at(network?.link?.outside ?? '127.0.0.1'),
    // Outside of what freePort gives; each process has its own place.
    mediaPort: 40_000 + (process.pid % 25) * 900,
  };
}
type Places = Awaited<ReturnType<typeof choosePlaces>>;

const renderConfiguration = (options: SipServerOptions, places: Places, a: Rtpengine, b: Rtpengine) =>
  renderTemplate('kamailio/kamailio.cfg.template', {
    SIP_DOMAIN: options.hostName ?? 'siphera.test',
    SIP_SECRET: places.secret,
    KAMAILIO_RPC_SECRET: places.rpcSecret,
    SIP_ORIGINS: (options.origins ?? ['https://siphera.test']).join(','),
    SIP_DIR: places.sipDir,
    KAMAILIO_RUN_DIR: places.runDir,
    KAMAILIO_SCRIPT_DIR: join(repositoryRoot, 'compose', 'kamailio'),
    KAMAILIO_WS_LISTEN: places.ws,
    KAMAILIO_RPC_LISTEN: new URL(places.rpcUrl).host,
    KAMAILIO_EVENTS_LISTEN: places.events,
    RTPENGINE_A: a.control,
    RTPENGINE_B: b.control,
  });

async function startKamailio(
  { ca, network, hostName, env: more }: SipServerOptions,
  places: Places,
): Promise<Daemon> {
  const program = (name: string) => join(repositoryRoot, 'compose', 'kamailio', name);
  const certificate = await ca?.issueServer('sip', 'sip', [hostName ?? 'siphera.test', '127.0.0.1']);
  const env = {
    KAMAILIO_CONF_DIR: places.confDir,
    KAMAILIO_RUN_DIR: places.runDir,
    SIP_DIR: places.sipDir,
    SIP_PORT: String(places.port),
    SIPS_PORT: String(places.tlsPort),
    SIP_ADDRESSES: places.addresses.join(' '),
    ...(certificate === undefined
      ? {}
      : { SIP_CERT_FILE: certificate.certFile, SIP_KEY_FILE: certificate.keyFile }),
    ...more,
  };
  const within = (command: string) => network?.command(command) ?? { command, args: [] };
  const health = within(program('healthcheck.sh'));
  killWithUs.add(places.runDir);
  return startDaemon({
    name: 'kamailio',
    ...within(program('run.sh')),
    env,
    ready: () => succeeds(health.command, health.args, env),
  });
}

/** Kamailio is a group of processes below run.sh; a test process that ends must not leave it behind. */
const killWithUs = new Set<string>();
process.on('exit', () => {
  for (const runDir of killWithUs) killGroup(runDir);
});

function killGroup(runDir: string): void {
  const file = join(runDir, 'kamailio.pid');
  const group = existsSync(file) ? Number(readFileSync(file, 'utf8').trim()) : 0;
  // Not a number that another program has by now.
  if (group > 1 && readFileCommand(group).includes('kamailio')) process.kill(-group, 'SIGKILL');
}

const readFileCommand = (pid: number): string =>
  existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';

async function crash(daemon: Daemon, runDir: string): Promise<void> {
  killGroup(runDir);
  await waitFor('Kamailio to be gone', () => !daemon.running);
}

/** @throws when it refuses or is not there. */
async function callRpc(
  url: string,
  secret: string,
  method: string,
  params: readonly (string | number)[],
): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'x-siphera-secret': secret, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method}: ${response.status} ${text}`);
  const { result, error } = JSON.parse(text) as { result?: unknown; error?: { message: string } };
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

/** Registrations are loaded where they changed alone, as the bridge does it: Kamailio wants ten seconds between two loads. */
async function loadAll(rpc: SipServer['rpc'], registrationsToo: boolean): Promise<void> {
  for (const table of sipTables) await rpc('htable.reload', [table]);
  await rpc('permissions.addressReload');
  await rpc('dispatcher.reload');
  if (registrationsToo) await rpc('uac.reg_reload');
}

function readSpool(path: string): SipReport[] {
  if (!existsSync(path)) return [];
  const db = openDatabase(path, { readonly: true });
  try {
    return db
      .prepare<[], { id: number; body: string }>('SELECT id, body FROM event ORDER BY id')
      .all()
      .map(({ id, body }) => ({ ...(JSON.parse(body) as { kind: string }), id }));
  } finally {
    db.close();
  }
}

const find = (reports: readonly SipReport[], fields: Readonly<Record<string, unknown>>) =>
  reports.find((report) => Object.entries(fields).every(([name, value]) => report[name] === value));
