/** Puts the parts of the service together, so that the process and the tests start the same thing. */
import { panelRoutes } from '@siphera/contract';
import {
  CoreLink,
  createMetrics,
  createRouteApp,
  InternalClient,
  internalTls,
  metricsHandler,
  startListener,
  systemClock,
  systemRandom,
  type Clock,
  type Listener,
  type Logger,
  type Metrics,
  type Random,
} from '@siphera/runtime';
import packageJson from '../package.json' with { type: 'json' };
import { CorePump } from './adapters/core-pump.ts';
import { Dc09Tcp } from './adapters/dc09-tcp.ts';
import { Dc09Udp } from './adapters/dc09-udp.ts';
import { heartbeatMs, heartbeatOf, sendHeartbeat } from './adapters/heartbeat.ts';
import { Intake } from './adapters/intake.ts';
import { createPanelMetrics, type PanelMetrics } from './adapters/panel-metrics.ts';
import { Supervisor } from './adapters/supervisor.ts';
import { splitAddress, type PanelConfig } from './config.ts';
import { accountHandlers } from './http/accounts.routes.ts';
import { createChanges } from './http/changes.ts';
import { frameHandlers } from './http/frames.routes.ts';
import { zoneHandlers } from './http/zones.routes.ts';
import { openStores, type Stores } from './store/open-stores.ts';

export type PanelOptions = {
  config: PanelConfig;
  log: Logger;
  /** Directory of the SQL files. */
  migrations: string;
  clock?: Clock;
  random?: Random;
};

export type Panel = {
  /** Of TCP and UDP. */
  dc09Port: number;
  httpPort: number;
  metricsPort: number;
  /** One look at the supervised accounts, as the service does every second. */
  tick(): void;
  stop(): Promise<void>;
};

/** Once a second: supervision, and answers that came too late. */
const tickMs = 1_000;

/** What every part is made of. */
type Ground = {
  config: PanelConfig;
  log: Logger;
  clock: Clock;
  random: Random;
  client: InternalClient;
  metrics: Metrics;
  numbers: PanelMetrics;
  stores: Stores;
};

export async function startPanel(options: PanelOptions): Promise<Panel> {
  const { config, log, clock = systemClock, random = systemRandom } = options;
  const metrics = createMetrics('panel');
  const ground: Ground = {
    config,
    log,
    clock,
    random,
    client: new InternalClient(config.CORE_INTERNAL_URL, internalTls(config)),
    metrics,
    numbers: createPanelMetrics(metrics),
    stores: openStores({
      directory: config.DATA_DIR,
      migrations: options.migrations,
      key: config.PANEL_KEY,
      clock,
      random,
    }),
  };
  const { intake, pump, tick } = makeReceiver(ground);
  const link = new CoreLink({ client: ground.client, clock, log });
  pump.start();
  link.start();
  const { tcp, udp, dc09Port } = await listenForPanels(ground, intake);
  const http = await listenForPeople(ground, link, pump);
  const metricsListener = await startListener(
    config.PANEL_METRICS_LISTEN,
    metricsHandler(metrics, () => true),
  );
  const timers = [
    setInterval(tick, tickMs),
    setInterval(() => beat(ground, { intake, pump, tcp }), heartbeatMs),
  ];
  beat(ground, { intake, pump, tcp });
  log.info('listening', { dc09: dc09Port, http: http.port, metrics: metricsListener.port });
  return {
    dc09Port,
    httpPort: http.port,
    metricsPort: metricsListener.port,
    tick,
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all([tcp.stop(), udp.stop(), http.close(), metricsListener.close()]);
      link.stop();
      await pump.stop();
      intake.drain();
      ground.stores.close();
    },
  };
}

function makeReceiver(ground: Ground): { intake: Intake; pump: CorePump; tick: () => void } {
  const { clock, random, log, client, numbers: metrics, stores } = ground;
  const intake = new Intake({ ...stores, clock, random, log, metrics });
  const pump = new CorePump({
    ...stores,
    client,
    log,
    metrics,
    onSettled: (settled) => intake.settle(settled),
  });
  intake.usePump(pump);
  const record: Intake['record'] = (change) => intake.record(change);
  const supervisor = new Supervisor({ ...stores, record, clock, random, log, metrics });
  const tick = (): void => {
    try {
      supervisor.tick();
      intake.expire();
    } catch (error) {
      // A full disk: the timers are rows, the next second looks again.
      log.error('tick_failed', { error });
    }
  };
  return { intake, pump, tick };
}

async function listenForPanels(
  { config, clock, log, numbers: metrics }: Ground,
  intake: Intake,
): Promise<{ tcp: Dc09Tcp; udp: Dc09Udp; dc09Port: number }> {
  const { host, port } = splitAddress(config.PANEL_DC09_LISTEN);
  const tcp = new Dc09Tcp({
    host,
    port,
    intake,
    clock,
    metrics,
    limits: {
      connectionsMax: config.PANEL_CONNECTIONS_MAX,
      perAddressMax: config.PANEL_CONNECTIONS_PER_ADDRESS_MAX,
    },
    idleMs: config.PANEL_IDLE_MS,
    partialMs: config.PANEL_PARTIAL_MS,
  });
  // With port 0 (tests) UDP takes the port that TCP got, so that a panel has one address.
  const dc09Port = await tcp.start();
  const udp = new Dc09Udp({ host, port: dc09Port, intake, log, metrics });
  await udp.start();
  return { tcp, udp, dc09Port };
}

function listenForPeople(
  { config, stores, clock, random, log, metrics }: Ground,
  link: CoreLink,
  pump: CorePump,
): Promise<Listener> {
  const { accounts, keys, frames } = stores;
  const changes = createChanges({ ...stores, auditAdded: () => pump.auditAdded() });
  const app = createRouteApp({
    routes: panelRoutes,
    handlers: {
      ...accountHandlers({ accounts, keys, changes, clock, random }),
      ...zoneHandlers({ accounts, changes }),
      ...frameHandlers({ accounts, frames, feedPosition: () => link.position() }),
    },
    authenticate: (bearer) => link.authenticate(bearer),
    log,
    metrics,
    clock,
    random,
  });
  return startListener(config.PANEL_HTTP_LISTEN, app);
}

function beat(
  { client, stores }: Ground,
  { intake, pump, tcp }: { intake: Intake; pump: CorePump; tcp: Dc09Tcp },
): void {
  const health = {
    coreReachable: pump.isReachable(),
    storing: intake.isStoring(),
    connections: tcp.connections,
    outboxMessages: stores.messages.waitingCount(),
    supervisionLost: stores.accounts.all().filter((account) => account.supervision === 'lost').length,
  };
  const heartbeat = heartbeatOf(health, packageJson.version, process.memoryUsage.rss());
  sendHeartbeat(client, heartbeat).then(
    () => pump.noteHeartbeat(undefined),
    (error: unknown) => pump.noteHeartbeat(error),
  );
}
