/**
 * The bridge in this process beside a core for tests and a Kamailio that is not there, on free ports, in a directory of its
 * own. Its clock can be a fake. With `config` it takes a real Kamailio instead, as far as that goes.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { phoneRoutes, rolePermissions, type Grant, type Role } from '@siphera/contract';
import { createLogger, openDatabase, systemClock, type Clock, type Random } from '@siphera/runtime';
import { FakeCore, waitFor } from '@siphera/testkit';
import { SipBridgeConfig } from '../config.ts';
import type { Ground, Part } from '../ground.ts';
import { createPlanPart } from '../plan.part.ts';
import { startSipBridge, type RunningSipBridge } from '../start-sip-bridge.ts';
import { FakeSwitch } from './fake-switch.ts';

export const testOrg = '0192f000-0000-7000-8000-000000000001';
export const testSite = '0192f000-0000-7000-8000-000000000002';
/** Two areas of the site; the office holds the desk. */
export const yard = '0192f000-0000-7000-8000-0000000000a1';
export const office = '0192f000-0000-7000-8000-0000000000a2';
export const sipDomain = 'box.test';
export const sipSecret = 'a-secret-for-softphones';
const migrations = join(import.meta.dirname, '..', '..', 'migrations');

type Who = { sub?: string; sid?: string; kind?: 'user' | 'api_key'; name?: string; org?: string };
export type Asked = { as?: Role | readonly Grant[] } & Who;
export type Answered = { status: number; body: unknown };

export type BridgeRig = {
  core: FakeCore;
  kamailio: FakeSwitch;
  /** The bridge that runs now: another one after `restart`. */
  readonly bridge: RunningSipBridge;
  directory: string;
  /** Lines of the log. */
  log: string[];
  readonly url: string;
  /** A token for a role on the whole organisation (admin unless told otherwise), or for these grants. */
  token(asked?: Asked): string;
  /** A request with JSON and its answer. */
  rest(method: string, path: string, body?: unknown, asked?: Asked): Promise<Answered>;
  /** A table of `plan.sqlite` as it lies there now, key → value. */
  table(name: string): Record<string, string>;
  /** Rows of any table of it. */
  planRows(sql: string): Record<string, unknown>[];
  /** Lines of `dispatcher.list`. */
  planTargets(): { set: number; uri: string; priority: number; attrs: string }[];
  /** Resolves when Kamailio works with what is set now. */
  published(): Promise<void>;
  halt(): Promise<void>;
  /** Stops the bridge, if it runs, and starts it on the same files. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

export type RigOptions = {
  clock?: Clock;
  random?: Random;
  env?: Record<string, string>;
  /** Default: the plan alone. */
  parts?(ground: Ground): Part[];
  /** Called before the bridge starts, e.g. to put people into core. */
  before?(core: FakeCore, kamailio: FakeSwitch): void;
  /** Waits for Kamailio of the configuration instead of using the fake one. */
  realSwitch?: boolean;
};

export async function startBridgeRig(options: RigOptions = {}): Promise<BridgeRig> {
  const directory = mkdtempSync(join(tmpdir(), 'siphera-sip-'));
  const core = new FakeCore(join(directory, 'core.sock'));
  const kamailio = new FakeSwitch();
  core.directory.addSite({ id: testSite, org_id: testOrg, name: 'Head office', time_zone: 'Europe/Vienna' });
  for (const [id, name] of [
    [yard, 'Yard'],
    [office, 'Office'],
  ] as const)
    core.directory.addArea({ id, org_id: testOrg, site_id: testSite, name, parent_id: null });
  options.before?.(core, kamailio);
  await core.start();
  const log: string[] = [];
  const start = (): Promise<RunningSipBridge> => startOn({ directory, core, kamailio, log, options });
  let bridge = await start();
  let running = true;
  const halt = async (): Promise<void> => {
    if (running) await bridge.stop();
    running = false;
    kamailio.forgetListeners();
  };
  const token = ({ as = 'admin', org = testOrg, name, ...who }: Asked = {}): string =>
    core.token(org, grantsOf(as, org), (options.clock ?? systemClock).now(), name, who);
  const planRows = (sql: string): Record<string, unknown>[] => {
    const db = openDatabase(join(directory, 'sip', 'plan', 'plan.sqlite'), { readonly: true });
    try {
      return db.prepare<[], Record<string, unknown>>(sql).all();
    } finally {
      db.close();
    }
  };
  return {
    core,
    kamailio,
    get bridge() {
      return bridge;
    },
    directory,
    log,
    get url() {
      return `http://127.0.0.1:${bridge.httpPort}`;
    },
    token,
    rest: (method, path, body, asked) =>
      ask(`http://127.0.0.1:${bridge.httpPort}/api/v1${path}`, method, body, token(asked)),
    planRows,
    table: (name) =>
      Object.fromEntries(
        planRows(`SELECT key_name, key_value FROM "${name}"`).map(({ key_name: key, key_value: value }) => [
          key,
          value,
        ]),
      ) as Record<string, string>,
    planTargets: () => targetsOf(join(directory, 'sip', 'plan', 'dispatcher.list')),
    published: () => bridge.ground.publisher.published(),
    halt,
    restart: async () => {
      await halt();
      bridge = await start();
      running = true;
    },
    stop: async () => {
      await halt();
      await core.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function targetsOf(path: string): ReturnType<BridgeRig['planTargets']> {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return lines
    .filter((line) => line !== '')
    .map((line) => line.split(' '))
    .map(([set, uri = '', , priority, attrs = '']) => ({
      set: Number(set),
      uri,
      priority: Number(priority),
      attrs,
    }));
}

const grantsOf = (as: NonNullable<Asked['as']>, org: string): Grant[] =>
  typeof as === 'string' ? [{ permissions: [...rolePermissions[as]], scope: `org:${org}` }] : [...as];

async function ask(url: string, method: string, body: unknown, bearer: string): Promise<Answered> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

async function startOn({
  directory,
  core,
  kamailio,
  log,
  options,
}: {
  directory: string;
  core: FakeCore;
  kamailio: FakeSwitch;
  log: string[];
  options: RigOptions;
}): Promise<RunningSipBridge> {
  const sipDir = join(directory, 'sip');
  for (const name of ['plan', 'spool', 'public']) mkdirSync(join(sipDir, name), { recursive: true });
  let parts: Part[] = [];
  const bridge = await startSipBridge({
    config: SipBridgeConfig.parse({
      SIP_BRIDGE_LISTEN: '127.0.0.1:0',
      SIP_BRIDGE_METRICS_LISTEN: '127.0.0.1:0',
      DATA_DIR: join(directory, 'data'),
      SIP_DIR: sipDir,
      SIP_BRIDGE_KEY: Buffer.alloc(32, 7).toString('base64'),
      SIP_DOMAIN: sipDomain,
      SIP_SECRET: sipSecret,
      KAMAILIO_RPC_SECRET: 'a-secret-for-kamailio',
      CORE_INTERNAL_URL: `unix:${core.socketPath}`,
      ...options.env,
    }),
    log: createLogger({
      service: 'sip-bridge',
      level: 'debug',
      destination: { write: (line) => void log.push(line) },
    }),
    migrations,
    parts: (ground) => {
      parts = options.parts?.(ground) ?? [createPlanPart(ground).part];
      return parts;
    },
    ...(options.realSwitch ? {} : { kamailio }),
    ...(options.clock ? { clock: options.clock } : {}),
    ...(options.random ? { random: options.random } : {}),
  });
  const { people, places } = bridge.ground;
  await waitFor(
    'the bridge knows the people and places of core, and takes tokens',
    async () =>
      people.all().length === core.directory.people.size &&
      places.all().areas.length === core.directory.places.length &&
      (await isListening(bridge, parts, core)),
    30_000,
  );
  return bridge;
}

/** Core is heard when a route asks who calls and does not answer that it cannot tell. */
async function isListening(
  bridge: RunningSipBridge,
  parts: readonly Part[],
  core: FakeCore,
): Promise<boolean> {
  const routes = parts.flatMap(({ handlers }) =>
    (Object.keys(handlers) as (keyof typeof phoneRoutes)[]).map((name) => phoneRoutes[name]),
  );
  const guarded = routes.find(({ access, path }) => access !== 'public' && !path.includes('{'));
  if (!guarded) return true;
  const bearer = core.token(testOrg, [], bridge.ground.clock.now());
  const response = await fetch(`http://127.0.0.1:${bridge.httpPort}/api/v1${guarded.path}`, {
    method: guarded.method.toUpperCase(),
    headers: { authorization: `Bearer ${bearer}` },
  });
  await response.body?.cancel();
  return response.status !== 503;
}
