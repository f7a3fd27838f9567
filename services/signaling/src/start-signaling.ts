/** Puts the parts of the service together, so that the process and the tests start the same thing. */
import { accessTokenLifeSeconds, talkRoutes, type InternalHeartbeat } from '@siphera/contract';
import {
  AppError,
  CoreOutbox,
  createRouteApp,
  feedStaleMsMax,
  InternalClient,
  internalTls,
  metricsHandler,
  startListener,
  systemClock,
  systemRandom,
  TokenVerifier,
  toRfc3339,
  type Caller,
  type Clock,
  type Logger,
  type Random,
} from '@siphera/runtime';
import packageJson from '../package.json' with { type: 'json' };
import { admit } from './adapters/admission.ts';
import { startHeartbeat } from './adapters/core-heartbeat.ts';
import { Hub } from './adapters/hub.ts';
import { IncidentDirectory } from './adapters/incident-directory.ts';
import { PeopleDirectory } from './adapters/people-directory.ts';
import { createSocketServer, type Io } from './adapters/socket-server.ts';
import { TalkFeed } from './adapters/talk-feed.ts';
import { createTalkSignals } from './adapters/talk-signals.ts';
import { TalkSockets } from './adapters/talk-sockets.ts';
import { Upstream } from './adapters/upstream.ts';
import type { Config } from './config.ts';
import type { Ground, Part, TalkHandlers } from './ground.ts';
import { createSignalingMetrics, type SignalingMetrics } from './metrics.ts';
import { createParts } from './part-list.ts';
import { openStores } from './store/open-stores.ts';

export type SignalingOptions = {
  config: Config;
  log: Logger;
  /** Directory of the SQL files. */
  migrations: string;
  clock?: Clock;
  random?: Random;
  /** Instead of all parts: for tests of some. */
  parts?(ground: Ground): Part[];
};

export type RunningSignaling = {
  port: number;
  metricsPort: number;
  ground: Ground;
  stop(): Promise<void>;
};

/** Rows waiting for core above which the service calls itself degraded. */
const outboxDegraded = 1_000;

/** Comes up when core was heard for the first time. @throws Error when the store or a route is not whole. */
export async function startSignaling(options: SignalingOptions): Promise<RunningSignaling> {
  const base = createBase(options);
  const { ground, stores, upstream, hub, io, metrics } = base;
  const parts = (options.parts ?? createParts)(ground);
  base.follow(parts);
  const app = createApp(base, parts, options.parts === undefined);
  for (const part of parts) part.start?.();
  base.outbox.start();
  base.people.refresh();
  void upstream.run();
  const { config, client, log } = ground;
  const heartbeat = startHeartbeat({ client, log, describe: () => describe(base, parts) });
  let isListening = false;
  const metricsListener = await startListener(
    config.SIGNALING_METRICS_LISTEN,
    metricsHandler(metrics.metrics, () => isListening && upstream.isFresh()),
  );
  // Not before core is heard: a console whose connection is refused tries again by itself, one that is turned away may not.
  await upstream.ready;
  const listener = await startListener(config.SIGNALING_LISTEN, app);
  io.attach(listener.server);
  isListening = true;
  log.info('listening', { port: listener.port, metrics: metricsListener.port });
  return {
    port: listener.port,
    metricsPort: metricsListener.port,
    ground,
    async stop() {
      hub.stop();
      await Promise.all([listener.close(), metricsListener.close()]);
      heartbeat.stop();
      upstream.stop();
      base.people.stop();
      for (const part of parts.toReversed()) await part.stop();
      await base.outbox.stop();
      base.feed.stop();
      stores.db.close();
    },
  };
}

type Base = ReturnType<typeof createBase>;

/** What every part stands on: the file, the way to core, people, incidents and sockets. */
function createBase(options: SignalingOptions) {
  const { config, log, clock = systemClock, random = systemRandom } = options;
  const metrics = createSignalingMetrics();
  const client = new InternalClient(config.CORE_INTERNAL_URL, internalTls(config));
  const stores = openStores({ directory: config.DATA_DIR, migrations: options.migrations, clock });
  const signals = createTalkSignals(log);
  const sockets = new TalkSockets(signals);
  const people = new PeopleDirectory({ client, store: stores.base, signals, log });
  const incidents = new IncidentDirectory(stores.base);
  const outbox = new CoreOutbox({
    client,
    store: stores.outbox,
    channel: 'system',
    clock,
    log,
    metrics: metrics.metrics,
  });
  const parts: Part[] = [];
  const guarded = (part: Part, act: () => void): void => {
    try {
      act();
    } catch (error) {
      log.error('part_failed', { part: part.name, error });
    }
  };
  const feed = new TalkFeed({
    client,
    store: stores.base,
    clock,
    log,
    onEntries: (entries) => {
      people.hear(entries);
      incidents.hear(entries);
      for (const part of parts) guarded(part, () => part.onEntries?.(entries));
    },
    onRevoked: (hits) => {
      for (const part of parts) guarded(part, () => part.onRevoked?.(hits));
    },
  });
  const realtime = createRealtime({ config, log, clock, metrics, client, feed });
  const { io, hub, verifier } = realtime;
  io.on('connection', (socket) => {
    if (!socket.connected) return;
    sockets.add(socket);
    for (const part of parts) guarded(part, () => part.onSocket?.(socket));
  });
  const ground: Ground = {
    config,
    log,
    clock,
    random,
    metrics: metrics.metrics,
    client,
    db: stores.db,
    outbox,
    people,
    incidents,
    signals,
    sockets,
    endSession(sid) {
      const expires = toRfc3339(clock.now() + accessTokenLifeSeconds * 1_000);
      verifier.revocations.add({ sid, reason: 'device of talk removed', expires_at: expires });
      for (const socket of sockets.ofSession(sid)) hub.cut(socket, 'revoked');
    },
  };
  const follow = (made: readonly Part[]): void => void parts.push(...made);
  return { ...realtime, ground, stores, outbox, people, feed, metrics, follow };
}

/** The socket between core's feed and the consoles. */
function createRealtime(options: {
  config: Config;
  log: Logger;
  clock: Clock;
  metrics: SignalingMetrics;
  client: InternalClient;
  feed: TalkFeed;
}) {
  const { config, log, clock, metrics, client, feed } = options;
  const verifier = new TokenVerifier({ client, clock });
  const countRefused = (reason: string): void => metrics.refused.inc({ reason });
  const io: Io = createSocketServer({
    origins: config.PUBLIC_ORIGINS,
    socketsMax: config.SOCKETS_MAX,
    onRefused: countRefused,
  });
  const upstream: Upstream = new Upstream({
    client,
    clock,
    log,
    verifier,
    onStart: async (position) => {
      await feed.catchUp(position);
      hub.start(position);
    },
    onLine: (line) => {
      feed.hear(line);
      return hub.hear(line);
    },
  });
  admit(io, {
    verifier,
    isFeedFresh: () => upstream.isFresh(),
    socketsMax: config.SOCKETS_MAX,
    socketsPerUserMax: config.SOCKETS_PER_USER_MAX,
    nowMs: () => clock.monotonic(),
    onRefused: (reason, error) => {
      countRefused(reason);
      log.info('connection_refused', { reason, detail: error.message });
    },
  });
  const hub = new Hub({
    io,
    client,
    verifier,
    clock,
    log,
    metrics,
    socketsPerUserMax: config.SOCKETS_PER_USER_MAX,
    feedStaleMs: () => upstream.staleMs(),
  });
  return { verifier, io, upstream, hub };
}

/** With all parts each route needs a handler, or the start fails; a test of some parts serves theirs. */
function createApp({ ground, metrics, ...base }: Base, parts: readonly Part[], whole: boolean) {
  const handlers = Object.assign({}, ...parts.map((part) => part.handlers)) as TalkHandlers;
  const served = Object.entries(talkRoutes).filter(([name]) => whole || name in handlers);
  return createRouteApp({
    routes: Object.fromEntries(served) as typeof talkRoutes,
    handlers,
    authenticate: (bearer) => authenticate(base, bearer),
    log: ground.log,
    metrics: metrics.metrics,
    clock: ground.clock,
    random: ground.random,
  });
}

/** @throws AppError when the token is bad, when revocations may have been missed, or when it is nobody's own. */
async function authenticate(
  { upstream, verifier }: Pick<Base, 'upstream' | 'verifier'>,
  bearer: string,
): Promise<Caller> {
  if (!upstream.isFresh())
    throw new AppError('unavailable', 'Core is not heard, so the token cannot be checked.', {
      hint: 'What waits for you is kept. Try again when core is back.',
    });
  const claims = await verifier.verify(bearer);
  if (claims.kind !== 'user')
    throw new AppError('forbidden', 'Talk is for people: API keys and services take no part in it.');
  return { claims };
}

function describe({ upstream, io, stores, ground }: Base, parts: readonly Part[]): InternalHeartbeat {
  const isFresh = upstream.isFresh();
  const feed = isFresh ? 'followed' : `silent for over ${feedStaleMsMax / 1_000} s`;
  const waiting = stores.outbox.waitingCount();
  const checks: InternalHeartbeat['checks'] = [
    { name: 'feed', state: isFresh ? 'ok' : 'degraded', detail: feed },
    {
      name: 'sockets',
      state: 'ok',
      detail: `${io.of('/').sockets.size} of ${ground.config.SOCKETS_MAX}`,
    },
    {
      name: 'outbox',
      state: waiting > outboxDegraded ? 'degraded' : 'ok',
      detail: `${waiting} wait for core`,
    },
    ...parts.flatMap((part) => part.checks?.() ?? []),
  ];
  return {
    service: 'signaling',
    state: checks.every(({ state }) => state === 'ok') ? 'ok' : 'degraded',
    version: packageJson.version,
    rss_bytes: process.memoryUsage.rss(),
    checks,
  };
}
