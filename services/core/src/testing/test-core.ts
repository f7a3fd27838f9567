/**
 * The whole of core in one process and one thread, on a real database and a real HTTP listener, with a clock that stands
 * still. For tests of what depends on time; the rest is tested on a started box. Unless told to run, timers, the outbox,
 * housekeeping and the broker are left out.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import {
  createLogger,
  createMetrics,
  migrate,
  openDatabase,
  startListener,
  systemRandom,
  type Sqlite,
} from '@siphera/runtime';
import {
  coreUser,
  createTestCa,
  exchange,
  fakeClock,
  tempDir,
  type FakeClock,
  type HttpAnswer,
  type Mosquitto,
  type RestTarget,
} from '@siphera/testkit';
import type { AppDeps } from '../app-deps.ts';
import { configSchema } from '../config.ts';
import { createCoreHttp, createInternalHttp } from '../http-app.ts';
import type { Authenticator } from '../identity/http/authenticator.ts';
import { Box } from '../kernel/box.ts';
import { FeedHub } from '../kernel/feed-hub.ts';
import { FeedReader } from '../kernel/feed-reader.ts';
import { RpcClient, serveRpc } from '../kernel/rpc.ts';
import { Status } from '../kernel/status.ts';
import type { ReadCase } from '../kernel/transaction.ts';
import { readCases, type ReadCases } from '../read-cases.ts';
import type { WriteCases } from '../write-cases.ts';
import { createWriterSide } from '../writer-side.ts';

export const adminKey = 'the-key-of-root';

export type TestCore = AsyncDisposable &
  RestTarget & {
    app: AppDeps;
    authenticator: Authenticator;
    clock: FakeClock;
    /** The writer's own connection: tests may arrange and look with it. */
    db: Sqlite;
    dir: string;
    logLines: string[];
    /** One call of the internal API; without a body it reads. */
    internal(path: string, body?: unknown, headers?: Record<string, string>): Promise<HttpAnswer>;
  };

export type TestCoreOptions = {
  /** Keeps the data there, so that another core can be started on it after this one: a restart. */
  dir?: string;
  clock?: FakeClock;
  /** Also runs what works by itself: timers, outbox, housekeeping. They look at the clock once a second of real time. */
  run?: boolean;
  /** The broker it connects to when it runs; without one, none answers. */
  mosquitto?: Mosquitto;
};

export async function startTestCore(options: TestCoreOptions = {}): Promise<TestCore> {
  await using stack = new AsyncDisposableStack();
  const dir = options.dir ?? stack.use(await tempDir('core')).path;
  const clock = options.clock ?? fakeClock();
  const logLines: string[] = [];
  const log = createLogger({
    service: 'core',
    level: 'debug',
    destination: { write: (line) => void logLines.push(line) },
  });
  const config = await testConfig(dir, options.mosquitto);
  const db = openDatabase(join(dir, 'core.sqlite'));
  stack.defer(() => void db.close());
  migrate(db, join(import.meta.dirname, '../../migrations'), clock.now());
  const side = await createWriterSide({ config, db, log, clock, random: systemRandom });
  stack.defer(() => side.stop());
  const [toWriter, toReader] = [new MessageChannel(), new MessageChannel()];
  stack.defer(() => {
    toWriter.port1.close();
    toReader.port1.close();
  });
  side.serve(toWriter.port1);
  const reading = openDatabase(join(dir, 'core.sqlite'), { readonly: true });
  stack.defer(() => void reading.close());
  const cases: Readonly<Record<string, ReadCase<never, unknown>>> = readCases;
  serveRpc(toReader.port1, log, (call) => {
    const context = { db: reading, nowMs: clock.now(), actor: call.actor, traceId: call.traceId };
    return cases[call.name]?.(context, call.input as never);
  });
  const hub = new FeedHub(new FeedReader(reading), clock);
  stack.defer(() => hub.close());
  side.onNotice(() => hub.wake());
  const metrics = createMetrics('core');
  const box = new Box<WriteCases, ReadCases>(new RpcClient(toWriter.port2), [new RpcClient(toReader.port2)]);
  const status = new Status(metrics, clock.now());
  const app: AppDeps = { config, box, hub, db: reading, log, metrics, status, clock, random: systemRandom };
  const { rest, authenticator, sender } = await createCoreHttp(app);
  stack.defer(() => authenticator.stop());
  const front = await startListener('127.0.0.1:0', rest);
  stack.defer(() => front.close());
  const inside = await startListener('127.0.0.1:0', createInternalHttp(app, authenticator));
  stack.defer(() => inside.close());
  if (options.run) {
    await side.start();
    sender.start();
    stack.defer(() => sender.stop());
  }
  const parts = stack.move();
  const insideTarget = `http://127.0.0.1:${inside.port}`;
  return {
    app,
    authenticator,
    clock,
    db,
    dir,
    logLines,
    baseUrl: () => `http://127.0.0.1:${front.port}`,
    internal: (path, body, headers = {}) =>
      exchange(
        insideTarget + path,
        body === undefined
          ? { headers }
          : {
              method: 'POST',
              headers: { 'content-type': 'application/json', ...headers },
              body: JSON.stringify(body),
            },
      ),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function testConfig(dir: string, mosquitto: Mosquitto | undefined) {
  const ca = mosquitto?.ca ?? (await createTestCa(join(dir, 'pki')));
  const front = await ca.issueServer('front', 'front', ['siphera.test']);
  const client = await ca.issueClient(coreUser);
  writeFileSync(join(dir, 'admin.key'), `${adminKey}\n`, { mode: 0o600 });
  mkdirSync(join(dir, 'data'), { recursive: true, mode: 0o700 });
  return configSchema.parse({
    DATA_DIR: join(dir, 'data'),
    // Port 1 is answered by nobody.
    MQTT_URL: mosquitto?.url ?? 'mqtts://localhost:1',
    MQTT_CERT_FILE: client.certFile,
    MQTT_KEY_FILE: client.keyFile,
    MQTT_CA_FILE: client.caFile,
    MQTT_PUBLIC_URL: 'mqtts://siphera.test:8883',
    CA_DIR: ca.caDir,
    CORE_ADMIN_KEY_FILE: join(dir, 'admin.key'),
    PUBLIC_HOST_NAME: 'siphera.test',
    PUBLIC_URLS: 'https://siphera.test,https://192.168.1.20',
    FRONT_CERT_FILE: front.certFile,
    SETUP_CODE_FILE: join(dir, 'setup-code'),
  });
}

/** The JSON of an answer. */
export const jsonOf = <T = Record<string, unknown>>(answer: HttpAnswer): T =>
  JSON.parse(answer.body.toString('utf8')) as T;

/** What the box set, by cookie name. */
export function cookiesOf(answer: HttpAnswer): Record<string, string> {
  const pairs = (answer.headers['set-cookie'] ?? []).map((line) => {
    const [pair = ''] = line.split(';');
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs);
}
