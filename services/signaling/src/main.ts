/** Composition root of signaling: the realtime socket between core's feed and the consoles. */
import type { InternalHeartbeat } from '@siphera/contract';
import {
  feedStaleMsMax,
  createLogger,
  InternalClient,
  internalTls,
  metricsHandler,
  runService,
  startListener,
  systemClock,
  TokenVerifier,
} from '@siphera/runtime';
import packageJson from '../package.json' with { type: 'json' };
import { admit } from './adapters/admission.ts';
import { startHeartbeat } from './adapters/core-heartbeat.ts';
import { Hub } from './adapters/hub.ts';
import { createSocketServer } from './adapters/socket-server.ts';
import { Upstream } from './adapters/upstream.ts';
import { readConfig } from './config.ts';
import { createSignalingMetrics } from './metrics.ts';

const config = readConfig();
const log = createLogger({ service: 'signaling', level: config.LOG_LEVEL });

await runService(log, async (parts) => {
  const clock = systemClock;
  const metrics = createSignalingMetrics();
  const client = new InternalClient(config.CORE_INTERNAL_URL, internalTls(config));
  const verifier = new TokenVerifier({ client, clock });
  const countRefused = (reason: string): void => metrics.refused.inc({ reason });

  const io = createSocketServer({
    origins: config.PUBLIC_ORIGINS,
    socketsMax: config.SOCKETS_MAX,
    onRefused: countRefused,
  });
  const upstream: Upstream = new Upstream({
    client,
    clock,
    log,
    verifier,
    onStart: (position) => hub.start(position),
    onLine: (line) => hub.hear(line),
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
  let isListening = false;
  void upstream.run();
  parts.push({ name: 'upstream', stop: () => upstream.stop() });

  const heartbeat = startHeartbeat({
    client,
    log,
    describe: () => describe(upstream.isFresh(), io.of('/').sockets.size),
  });
  parts.push({ name: 'heartbeat', stop: () => heartbeat.stop() });
  const metricsListener = await startListener(
    config.SIGNALING_METRICS_LISTEN,
    metricsHandler(metrics.metrics, () => isListening && upstream.isFresh()),
  );
  parts.push({ name: 'metrics', stop: () => metricsListener.close() });

  // Not before core is heard: a console whose connection is refused tries again by itself, one that is turned away may not.
  await upstream.ready;
  const listener = await startListener(config.SIGNALING_LISTEN, (_request, response) => {
    response.writeHead(404).end();
  });
  parts.push({ name: 'listener', stop: () => listener.close() });
  parts.push({ name: 'sockets', stop: () => hub.stop() });
  io.attach(listener.server);
  isListening = true;
});

function describe(isFresh: boolean, sockets: number): InternalHeartbeat {
  const state = isFresh ? 'ok' : 'degraded';
  const feed = isFresh ? 'followed' : `silent for over ${feedStaleMsMax / 1_000} s`;
  return {
    service: 'signaling',
    state,
    version: packageJson.version,
    rss_bytes: process.memoryUsage.rss(),
    checks: [
      { name: 'feed', state, detail: feed },
      { name: 'sockets', state: 'ok', detail: `${sockets} of ${config.SOCKETS_MAX}` },
    ],
  };
}
