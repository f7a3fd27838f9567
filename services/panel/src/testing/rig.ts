/** A panel service with a core beside it, on free ports, in a directory of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Grant, PanelAccount } from '@siphera/contract';
import { createLogger, systemClock, type Clock } from '@siphera/runtime';
import { FakeCore } from '@siphera/testkit';
import { PanelConfig } from '../config.ts';
import { startPanel, type Panel } from '../start-panel.ts';

export const testOrg = '0192f000-0000-7000-8000-000000000001';
export const testSite = '0192f000-0000-7000-8000-000000000002';
export const migrationsDirectory = join(import.meta.dirname, '..', '..', 'migrations');

export type Rig = {
  core: FakeCore;
  panel: Panel;
  directory: string;
  log: string[];
  /** Ends the service. */
  halt(): Promise<void>;
  /** Ends the service, if it runs, and starts it again on the same file. */
  restart(): Promise<void>;
  rest(
    method: string,
    path: string,
    body?: unknown,
    grants?: Grant[],
  ): Promise<{ status: number; body: unknown }>;
  /** Adds an active account. */
  adopt(account: string, more?: Record<string, unknown>): Promise<PanelAccount>;
  stop(): Promise<void>;
};

export type RigOptions = { clock?: Clock; env?: Record<string, string> };

const admin = (org: string): Grant[] => [
  { permissions: ['panel.read', 'panel.manage'], scope: `org:${org}` },
];

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const directory = mkdtempSync(join(tmpdir(), 'siphera-panel-'));
  const core = new FakeCore(join(directory, 'core.sock'));
  await core.start();
  const log: string[] = [];
  const start = (): Promise<Panel> => startOn(directory, core, log, options);
  const takesEvents = (): true | undefined =>
    log.filter((line) => line.includes('core_takes_events')).length > starts ? true : undefined;
  let starts = 0;
  let panel = await start();
  await until(takesEvents);
  let running = true;
  const halt = async (): Promise<void> => {
    if (running) await panel.stop();
    running = false;
  };
  const rest: Rig['rest'] = async (method, path, body, grants = admin(testOrg)) => {
    const response = await fetch(`http://127.0.0.1:${panel.httpPort}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${core.token(testOrg, grants, systemClock.now())}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  };
  return {
    core,
    get panel() {
      return panel;
    },
    directory,
    log,
    halt,
    restart: async () => {
      await halt();
      starts = log.filter((line) => line.includes('core_takes_events')).length;
      panel = await start();
      running = true;
      await until(takesEvents);
    },
    rest,
    adopt: async (account, more = {}) => {
      const made = await until(async () => {
        const answer = await rest('POST', '/panel/accounts', {
          account,
          name: `Panel ${account}`,
          site_id: testSite,
          ...more,
        });
        return answer.status === 503 ? undefined : answer;
      });
      if (made.status !== 201) throw new Error(`not adopted: ${JSON.stringify(made.body)}`);
      return made.body as PanelAccount;
    },
    stop: async () => {
      await halt();
      await core.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Never relied on for timing: two slow cores are shared by every program of a run. */
const waitMsMax = 60_000;

/** Asks until there is a value; tests wait for things to happen, not for time to pass. */
export async function until<T>(
  look: () => T | undefined | Promise<T | undefined>,
  ms = waitMsMax,
): Promise<T> {
  const deadline = systemClock.monotonic() + ms;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (systemClock.monotonic() > deadline) throw new Error(`It did not happen in ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function startOn(
  directory: string,
  core: FakeCore,
  log: string[],
  { clock, env }: RigOptions,
): Promise<Panel> {
  return startPanel({
    config: PanelConfig.parse({
      PANEL_HTTP_LISTEN: '127.0.0.1:0',
      PANEL_DC09_LISTEN: '127.0.0.1:0',
      PANEL_METRICS_LISTEN: '127.0.0.1:0',
      DATA_DIR: directory,
      CORE_INTERNAL_URL: `unix:${core.socketPath}`,
      PANEL_KEY: Buffer.alloc(32, 7).toString('base64'),
      ...env,
    }),
    log: createLogger({ service: 'panel', destination: { write: (line) => void log.push(line) } }),
    migrations: migrationsDirectory,
    ...(clock ? { clock } : {}),
  });
}
