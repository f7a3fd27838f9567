/** What every part of the service is made of. */
import type { IncomingEvent, InternalAudit } from '@siphera/contract';
import type { Clock, InternalClient, Logger, Metrics, Random, Sqlite } from '@siphera/runtime';
import type { z } from 'zod';
import type { CameraConfig } from './config.ts';
import type { CameraNetwork } from './adapters/camera-network.ts';
import type { ExpiryClock } from './adapters/expiry-clock.ts';
import type { CameraDirectory, SignalHub, StatePatch, StateSource } from './domain/camera.ts';

/** Things for core, kept in camera.db until core has taken them: nothing is lost while core is away. Called inside a transaction or not. */
export type CoreOutbox = {
  event(event: IncomingEvent): void;
  audit(row: z.infer<typeof InternalAudit>): void;
  /** Body for any other internal path that answers 2xx when it was taken (command results, evidence lines). */
  post(path: string, body: unknown): void;
};

export type Ground = {
  config: CameraConfig;
  log: Logger;
  clock: Clock;
  /** By it, not by `clock`, things are deleted for their age. */
  expiry: ExpiryClock;
  random: Random;
  metrics: Metrics;
  client: InternalClient;
  db: Sqlite;
  outbox: CoreOutbox;
  directory: CameraDirectory;
  network: CameraNetwork;
  signals: SignalHub;
  /** Writes parts of a camera's state, as `GET /camera/cameras` shows it. */
  setState(cameraId: string, patch: StatePatch, source?: StateSource): void;
};
