/** Puts the parts of the service together, so that the process and the tests start the same thing. */
import { cameraRoutes, footageRoutes, type FeedKind } from '@siphera/contract';
import {
  CoreLink,
  CoreOutbox,
  createMetrics,
  createRouteApp,
  InternalClient,
  internalTls,
  metricsHandler,
  startListener,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
  type Random,
} from '@siphera/runtime';
import packageJson from '../package.json' with { type: 'json' };
import { CameraNetwork } from './adapters/camera-network.ts';
import { CameraRegistry } from './adapters/core/camera-registry.ts';
import { CameraStates } from './adapters/core/camera-states.ts';
import { heartbeatMs, heartbeatOf, sendHeartbeat } from './adapters/core/heartbeat.ts';
import { ExpiryClock } from './adapters/expiry-clock.ts';
import { Transcoder } from './adapters/transcode.ts';
import type { CameraConfig } from './config.ts';
import { SignalHub } from './domain/camera.ts';
import { createEvidencePart } from './evidence.part.ts';
import type { Ground } from './ground.ts';
import { createLivePart } from './live.part.ts';
import { createOnvifPart } from './onvif.part.ts';
import type { Base, CameraHandlers, Part } from './part.ts';
import { createPlayback } from './playback.part.ts';
import { createRecording } from './recording.part.ts';
import { ExpiryClockStore } from './store/expiry-clock.store.ts';
import { openStores, type Stores } from './store/open-stores.ts';
import { SettingsStore } from './store/settings.store.ts';

export type CameraOptions = {
  config: CameraConfig;
  log: Logger;
  /** Directory of the SQL files. */
  migrations: string;
  clock?: Clock;
  random?: Random;
  /** Instead of all parts: for tests of some. */
  parts?(ground: Ground, base: Base): Part[];
};

export type RunningCamera = {
  httpPort: number;
  metricsPort: number;
  ground: Ground;
  base: Base;
  stop(): Promise<void>;
};

const routes = { ...cameraRoutes, ...footageRoutes };
/** The position in the feed is kept this often at most: what comes twice after a crash changes nothing. */
const positionMs = 5_000;

/** Later parts are given what they need of earlier ones. Stopped in reverse order. */
function createParts(ground: Ground, base: Base): Part[] {
  const settings = new SettingsStore(ground.db);
  const onvif = createOnvifPart(ground, base);
  const recording = createRecording(ground);
  const { streams } = recording;
  const max = (): number => settings.get().transcodes_max;
  const transcoder = new Transcoder({ ...ground, ffmpeg: ground.config.FFMPEG, streams, max });
  const playback = createPlayback(ground, recording, { settings, transcoder });
  const evidence = createEvidencePart(ground, base, {
    footage: recording.recorder.footage,
    snapshot: (id) => onvif.control.snapshot(id),
    gotoPreset: (id, preset) => onvif.control.gotoPreset(id, preset),
    settings: () => settings.get(),
  });
  return [
    onvif.part,
    recording.part,
    playback.part,
    evidence,
    createLivePart(ground, base, {
      streams,
      transcoder,
      settings,
      footage: recording.recorder.footage,
      snapshot: (id) => onvif.control.snapshot(id),
    }),
  ];
}

export async function startCamera(options: CameraOptions): Promise<RunningCamera> {
  const { config, log } = options;
  const { ground, base, stores, outbox, link, follow } = createBase(options);
  const parts = (options.parts ?? createParts)(ground, base);
  follow(parts);
  for (const part of parts) await part.start?.();
  outbox.start();
  link.start();
  const http = await startListener(
    config.CAMERA_HTTP_LISTEN,
    createApp(ground, link, parts, options.parts === undefined),
  );
  const metricsListener = await startListener(
    config.CAMERA_METRICS_LISTEN,
    metricsHandler(ground.metrics, () => true),
  );
  const heartbeat = (): void => beat(ground, stores, outbox, parts);
  const timer = setInterval(heartbeat, heartbeatMs);
  heartbeat();
  log.info('listening', { http: http.port, metrics: metricsListener.port });
  return {
    httpPort: http.port,
    metricsPort: metricsListener.port,
    ground,
    base,
    async stop() {
      clearInterval(timer);
      await Promise.all([http.close(), metricsListener.close()]);
      link.stop();
      base.registry.stop();
      for (const part of parts.toReversed()) await part.stop();
      await outbox.stop();
      ground.expiry.save();
      stores.db.close();
    },
  };
}

/** What every part stands on: the file, the way to core, the cameras and their states. */
function createBase({ config, log, migrations, clock = systemClock, random = systemRandom }: CameraOptions) {
  const metrics = createMetrics('camera');
  const client = new InternalClient(config.CORE_INTERNAL_URL, internalTls(config));
  const stores = openStores({
    directory: config.DATA_DIR,
    migrations,
    key: config.CAMERA_KEY,
    clock,
    random,
  });
  const signals = new SignalHub();
  const states = new CameraStates();
  const registry = new CameraRegistry({ ...stores, client, signals, log });
  const outbox = new CoreOutbox({ client, store: stores.outbox, channel: 'camera', clock, log, metrics });
  const ground: Ground = {
    config,
    log,
    clock,
    expiry: new ExpiryClock({ clock, log, store: new ExpiryClockStore(stores.db) }),
    random,
    metrics,
    client,
    db: stores.db,
    outbox,
    directory: registry,
    network: new CameraNetwork({ allowLoopback: config.CAMERA_ALLOW_LOOPBACK }),
    signals,
    setState: (id, patch, source) => states.patch(id, patch, source),
  };
  const parts: Part[] = [];
  const link = new CoreLink({
    client,
    clock,
    log,
    kinds: feedKinds,
    ...followFrom(ground, stores, registry, parts),
  });
  const base: Base = {
    registry,
    states,
    feedPosition: () => link.position(),
    isRevoked: (claims) => link.isRevoked(claims),
  };
  return { ground, base, stores, outbox, link, follow: (made: Part[]) => parts.push(...made) };
}

/** `command` and `incident` are for the parts; the rest says that core's registry has to be read again. */
const feedKinds: readonly FeedKind[] = ['device', 'area', 'site', 'command', 'incident'];

/** Follows the feed from the kept position; when core no longer keeps that, from now on. */
function followFrom(
  { clock }: Ground,
  { registry: store }: Stores,
  registry: CameraRegistry,
  parts: readonly Part[],
): Pick<ConstructorParameters<typeof CoreLink>[0], 'after' | 'onStart' | 'onEntries' | 'onPosition'> {
  let tried: number | undefined;
  let keptAt = -Infinity;
  return {
    after: () => {
      const kept = store.feedPosition();
      return kept === tried ? undefined : kept;
    },
    onStart: async () => {
      await registry.refresh();
      tried = store.feedPosition();
    },
    onEntries: async (entries) => {
      registry.hear(entries);
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
  };
}

/** With all parts each route needs a handler, or the start fails; a test of some parts serves theirs. */
function createApp(ground: Ground, link: CoreLink, parts: readonly Part[], whole: boolean) {
  const handlers = Object.assign({}, ...parts.map((part) => part.handlers ?? {})) as CameraHandlers;
  const served = Object.entries(routes).filter(([name]) => whole || name in handlers);
  return createRouteApp({
    routes: Object.fromEntries(served) as typeof routes,
    handlers,
    authenticate: async (bearer) => {
      const caller = await link.authenticate(bearer);
      for (const part of parts) part.onCaller?.(caller.claims);
      return caller;
    },
    log: ground.log,
    metrics: ground.metrics,
    clock: ground.clock,
    random: ground.random,
  });
}

function beat(ground: Ground, stores: Stores, outbox: CoreOutbox, parts: readonly Part[]): void {
  const heartbeat = heartbeatOf({
    coreReachable: outbox.isReachable(),
    outboxWaiting: stores.outbox.waitingCount(),
    version: packageJson.version,
    rssBytes: process.memoryUsage.rss(),
    checks: [ground.expiry.check(), ...parts.flatMap((part) => part.checks?.() ?? [])],
  });
  sendHeartbeat(ground.client, heartbeat).then(
    () => outbox.noteHeartbeat(undefined),
    (error: unknown) => outbox.noteHeartbeat(error),
  );
}
