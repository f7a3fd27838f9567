/** Puts the parts of the service together, so that the process and the tests start the same thing. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { panelRoutes } from '@siphera/contract';
import {
  createMetrics,
  createRouteApp,
  InternalClient,
  metricsHandler,
  migrate,
  openDatabase,
  startListener,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
  type Random,
  type Sqlite,
} from '@siphera/runtime';
import { CoreLink } from './adapters/core-link.ts';
import { CorePump } from './adapters/core-pump.ts';
import { Dc09Tcp } from './adapters/dc09-tcp.ts';
import { Dc09Udp } from './adapters/dc09-udp.ts';
import { heartbeatMs, heartbeatOf, sendHeartbeat } from './adapters/heartbeat.ts';
import { Intake } from './adapters/intake.ts';
import { createPanelMetrics } from './adapters/panel-metrics.ts';
import { Supervisor } from './adapters/supervisor.ts';
import { internalTls, splitAddress, type PanelConfig } from './config.ts';
import { accountHandlers } from './http/accounts.routes.ts';
import { createChanges } from './http/changes.ts';
import { frameHandlers } from './http/frames.routes.ts';
import { zoneHandlers } from './http/zones.routes.ts';
import { AccountStore } from './store/account.store.ts';
import { AuditStore } from './store/audit.store.ts';
import { FrameStore } from './store/frame.store.ts';
import { KeyBox } from './store/key-box.ts';
import { ListeningStore } from './store/listening.store.ts';
import { MessageStore } from './store/message.store.ts';

export type PanelOptions = {
  config: PanelConfig;
  log: Logger;
  /** Directory of the SQL files. */
  migrations: string;
  clock?: Clock;
  random?: Random;
};

export type Panel = {
  tcpPort: number;
  udpPort: number;
  httpPort: number;
  metricsPort: number;
  /** One look at the supervised accounts, as the service does every second. */
  tick(): void;
  stop(): Promise<void>;
};

/** Once a second: supervision, and answers that came too late. */
const tickMs = 1_000;

export async function startPanel(options: PanelOptions): Promise<Panel> {
  const { config, log } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const metrics = createMetrics('panel');
  const numbers = createPanelMetrics(metrics);
  const db = openStore(config.DATA_DIR, options.migrations, clock);
  const keys = new KeyBox(config.PANEL_KEY, random);
  const accounts = new AccountStore(db, keys);
  const frames = new FrameStore(db);
  const messages = new MessageStore(db);
  const audit = new AuditStore(db);
  const client = new InternalClient(config.CORE_INTERNAL_URL, internalTls(config));
  const intake = new Intake({ db, accounts, frames, messages, clock, random, log, metrics: numbers });
  const pump = new CorePump({
    client,
    messages,
    audit,
    log,
    metrics: numbers,
    onSettled: (settled) => intake.settle(settled),
  });
  intake.usePump(pump);
  const record: Intake['record'] = (change) => intake.record(change);
  const listening = new ListeningStore(db);
  const supervisor = new Supervisor({
    accounts,
    messages,
    listening,
    record,
    clock,
    random,
    log,
    metrics: numbers,
  });
  const link = new CoreLink({ client, clock, log });
  const changes = createChanges({ db, accounts, audit, auditAdded: () => pump.auditAdded() });
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

  const { host, port } = splitAddress(config.PANEL_DC09_LISTEN);
  const limits = {
    connectionsMax: config.PANEL_CONNECTIONS_MAX,
    perAddressMax: config.PANEL_CONNECTIONS_PER_ADDRESS_MAX,
  };
  const tcp = new Dc09Tcp({
    host,
    port,
    intake,
    clock,
    metrics: numbers,
    limits,
    idleMs: config.PANEL_IDLE_MS,
    partialMs: config.PANEL_PARTIAL_MS,
  });
  pump.start();
  link.start();
  const tcpPort = await tcp.start();
  // With port 0 (tests) UDP takes the port that TCP got, so that a panel has one address.
  const udp = new Dc09Udp({ host, port: tcpPort, intake, log, metrics: numbers });
  const udpPort = await udp.start();
  const http = await startListener(config.PANEL_HTTP_LISTEN, app);
  const metricsListener = await startListener(
    config.PANEL_METRICS_LISTEN,
    metricsHandler(metrics, () => true),
  );
  const tick = (): void => {
    try {
      supervisor.tick();
      intake.expire();
    } catch (error) {
      // A full disk: the timers are rows, the next second looks again.
      log.error('tick_failed', { error });
    }
  };
  const ticking = setInterval(tick, tickMs);
  const beat = (): void => {
    const health = {
      coreReachable: pump.isReachable(),
      outboxMessages: messages.waitingCount(),
      supervisionLost: accounts.all().filter((account) => account.supervision === 'lost').length,
      connections: tcp.connections,
    };
    sendHeartbeat(client, heartbeatOf(health, version, process.memoryUsage.rss())).catch((error: unknown) =>
      log.debug('heartbeat_not_sent', { error }),
    );
  };
  const beating = setInterval(beat, heartbeatMs);
  beat();
  log.info('listening', { dc09: tcpPort, http: http.port, metrics: metricsListener.port });

  return {
    tcpPort,
    udpPort,
    httpPort: http.port,
    metricsPort: metricsListener.port,
    tick,
    async stop() {
      clearInterval(ticking);
      clearInterval(beating);
      await Promise.all([tcp.stop(), udp.stop(), http.close(), metricsListener.close()]);
      link.stop();
      await pump.stop();
      intake.drain();
      db.close();
    },
  };
}

const version = '0.1.0';

function openStore(directory: string, migrations: string, clock: Clock): Sqlite {
  mkdirSync(directory, { recursive: true, mode: 0o750 });
  const db = openDatabase(join(directory, 'panel.db'));
  migrate(db, migrations, clock.now());
  // Panels whose answer was under way when the service ended have heard nothing.
  db.prepare("UPDATE frames SET verdict = 'silent', reason = 'restarted' WHERE verdict = 'pending'").run();
  return db;
}
