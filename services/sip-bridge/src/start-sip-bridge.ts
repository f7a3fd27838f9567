/** Puts the parts of the service together, so that the process and the tests start the same thing. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  internalPaths,
  phoneRoutes,
  Revocation,
  type FeedKind,
  type InternalHeartbeat,
} from '@siphera/contract';
import {
  CoreLink,
  CoreOutbox,
  createMetrics,
  createRouteApp,
  InternalClient,
  internalTls,
  metricsHandler,
  migrate,
  openDatabase,
  OutboxStore,
  startListener,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
  type Random,
} from '@siphera/runtime';
import packageJson from '../package.json' with { type: 'json' };
import { CoreDirectory } from './adapters/core-directory.ts';
import { callKamailio } from './adapters/kamailio-rpc.ts';
import { PlanPublisher } from './adapters/plan-publisher.ts';
import { SwitchEvents } from './adapters/switch-events.ts';
import type { SipBridgeConfig } from './config.ts';
import type { Ground, Part, PhoneHandlers, Switch } from './ground.ts';
import { createParts } from './part-list.ts';
import { BaseStore } from './store/base.store.ts';

export type SipBridgeOptions = {
  config: SipBridgeConfig;
  log: Logger;
  /** Directory of the SQL files. */
  migrations: string;
  clock?: Clock;
  random?: Random;
  /** Instead of all parts: for tests of some. */
  parts?(ground: Ground): Part[];
  /** Instead of the Kamailio of the configuration: for tests without one. */
  kamailio?: Switch;
};

export type RunningSipBridge = {
  httpPort: number;
  metricsPort: number;
  ground: Ground;
  stop(): Promise<void>;
};

/** Core shows a service as down after 15 s of silence: three missed beats. */
const heartbeatMs = 5_000;
/** The position in the feed is kept this often at most: what comes twice after a crash changes nothing. */
const positionMs = 5_000;
/** Rows waiting for core above which the service calls itself degraded. */
const outboxDegraded = 1_000;

export async function startSipBridge(options: SipBridgeOptions): Promise<RunningSipBridge> {
  const base = createBase(options);
  const { ground, directory, events, publisher, outbox, link, store } = base;
  const { config, log } = ground;
  const parts = (options.parts ?? createParts)(ground);
  base.follow(parts);
  for (const part of parts) await part.start?.();
  outbox.start();
  link.start();
  directory.refresh();
  events?.start();
  publisher.publish();
  const http = await startListener(
    config.SIP_BRIDGE_LISTEN,
    createApp(base, parts, options.parts === undefined),
  );
  const metrics = await startListener(
    config.SIP_BRIDGE_METRICS_LISTEN,
    metricsHandler(ground.metrics, () => true),
  );
  const beat = (): void => sendHeartbeat(base, parts);
  const timer = setInterval(beat, heartbeatMs);
  beat();
  log.info('listening', { http: http.port, metrics: metrics.port });
  return {
    httpPort: http.port,
    metricsPort: metrics.port,
    ground,
    async stop() {
      clearInterval(timer);
      await Promise.all([http.close(), metrics.close()]);
      link.stop();
      directory.stop();
      await events?.stop();
      publisher.stop();
      for (const part of parts.toReversed()) await part.stop();
      await outbox.stop();
      store.setFeedPosition(link.position());
      ground.db.close();
    },
  };
}

type Base = ReturnType<typeof createBase>;

/** What every part stands on: the file, the ways to core and to Kamailio, people and places. */
function createBase(options: SipBridgeOptions) {
  const { config, log, migrations, clock = systemClock, random = systemRandom } = options;
  const metrics = createMetrics('sip_bridge');
  const client = new InternalClient(config.CORE_INTERNAL_URL, internalTls(config));
  mkdirSync(config.DATA_DIR, { recursive: true, mode: 0o750 });
  const db = openDatabase(join(config.DATA_DIR, 'sip-bridge.db'));
  migrate(db, migrations, clock.now());
  const store = new BaseStore(db);
  const outboxStore = new OutboxStore(db);
  const outbox = new CoreOutbox({ client, store: outboxStore, channel: 'sip', clock, log, metrics });
  const directory = new CoreDirectory({ client, store, log });
  const { kamailio, events } = options.kamailio
    ? { kamailio: options.kamailio, events: undefined }
    : createSwitch({ config, db, clock, log, metrics });
  const publisher = new PlanPublisher({ directory: join(config.SIP_DIR, 'plan'), kamailio, clock, log });
  const parts: Part[] = [];
  const link = createLink({ client, clock, log, store, directory, parts });
  const ground: Ground = {
    config,
    log,
    clock,
    random,
    metrics,
    client,
    db,
    outbox,
    people: directory.people,
    places: directory.places,
    kamailio,
    publisher,
    isRevoked: (claims) => link.isRevoked(claims),
  };
  const follow = (made: readonly Part[]): void => void parts.push(...made);
  return { ground, store, outboxStore, outbox, directory, events, publisher, link, follow };
}

function createSwitch(options: Pick<Ground, 'config' | 'db' | 'clock' | 'log' | 'metrics'>): {
  kamailio: Switch;
  events: SwitchEvents;
} {
  const { config, ...rest } = options;
  const events = new SwitchEvents({
    address: config.KAMAILIO_EVENTS,
    spool: join(config.SIP_DIR, 'spool'),
    ...rest,
  });
  const access = { url: config.KAMAILIO_RPC_URL, secret: config.KAMAILIO_RPC_SECRET };
  const kamailio: Switch = {
    rpc: (method, params) => callKamailio(access, method, params),
    on: (hear) => events.on(hear),
    onUp: (hear) => events.onUp(hear),
    isUp: () => events.isUp(),
  };
  return { kamailio, events };
}

const feedKinds: readonly FeedKind[] = [
  'user',
  'area',
  'site',
  'device',
  'incident',
  'alarm_call',
  'command',
  'settings',
];

/** Follows the feed from the kept position; when core no longer keeps that, from now on. */
function createLink(options: {
  client: InternalClient;
  clock: Clock;
  log: Logger;
  store: BaseStore;
  directory: CoreDirectory;
  parts: readonly Part[];
}): CoreLink {
  const { client, clock, log, store, directory, parts } = options;
  let tried: number | undefined;
  let keptAt = -Infinity;
  return new CoreLink({
    client,
    clock,
    log,
    kinds: feedKinds,
    after: () => {
      const kept = store.feedPosition();
      return kept === tried ? undefined : kept;
    },
    onStart: () => {
      directory.refresh();
      tried = store.feedPosition();
      return Promise.resolve();
    },
    onRevocation: (entry) => {
      const revocation = Revocation.parse(entry.data);
      if (revocation.issued_before !== undefined) return;
      for (const part of parts)
        part.onRevoked?.(({ sid, sub }) => sid === revocation.sid || sub === revocation.sub);
    },
    onEntries: async (entries) => {
      directory.hear(entries);
      for (const part of parts) {
        const wanted = entries.filter(({ kind }) => part.kinds?.includes(kind));
        if (wanted.length > 0) await part.onEntries?.(wanted);
      }
      keptAt = -Infinity;
    },
    onPosition: (upto) => {
      if (clock.monotonic() - keptAt < positionMs) return;
      keptAt = clock.monotonic();
      store.setFeedPosition(upto);
    },
  });
}

/** With all parts each route needs a handler, or the start fails; a test of some parts serves theirs. */
function createApp({ ground, link }: Base, parts: readonly Part[], whole: boolean) {
  const handlers = Object.assign({}, ...parts.map((part) => part.handlers)) as PhoneHandlers;
  const served = Object.entries(phoneRoutes).filter(([name]) => whole || name in handlers);
  return createRouteApp({
    routes: Object.fromEntries(served) as typeof phoneRoutes,
    handlers,
    authenticate: (bearer) => link.authenticate(bearer),
    log: ground.log,
    metrics: ground.metrics,
    clock: ground.clock,
    random: ground.random,
  });
}

function sendHeartbeat(
  { ground, outbox, outboxStore, publisher, events }: Base,
  parts: readonly Part[],
): void {
  const waiting = outboxStore.waitingCount();
  const plan = publisher.state();
  const checks: InternalHeartbeat['checks'] = [
    {
      name: 'SIP server',
      state: ground.kamailio.isUp() ? 'ok' : 'down',
      detail: ground.kamailio.isUp() ? 'heard' : 'is not heard',
    },
    {
      name: 'plan',
      state: plan.applied ? 'ok' : 'degraded',
      detail: plan.error ?? (plan.applied ? 'as set' : 'waits for the SIP server'),
    },
    {
      name: 'outbox',
      state: waiting > outboxDegraded ? 'degraded' : 'ok',
      detail: `${waiting} wait for core`,
    },
    ...(events ? [events.check()] : []),
    ...parts.flatMap((part) => part.checks?.() ?? []),
  ];
  const heartbeat: InternalHeartbeat = {
    service: 'sip-bridge',
    state: checks.every(({ state }) => state === 'ok') ? 'ok' : 'degraded',
    version: packageJson.version,
    rss_bytes: process.memoryUsage.rss(),
    checks,
  };
  ground.client.call('POST', internalPaths.heartbeat, heartbeat).then(
    () => outbox.noteHeartbeat(undefined),
    (error: unknown) => outbox.noteHeartbeat(error),
  );
}
