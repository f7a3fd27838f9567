/** Opens the service's own file and what the base of the service keeps in it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  KeyBox,
  migrate,
  openDatabase,
  OutboxStore,
  type Clock,
  type Random,
  type Sqlite,
} from '@siphera/runtime';
import { CameraStore } from './camera.store.ts';
import { RegistryStore } from './registry.store.ts';
import { RemovedCameraStore } from './removed-camera.store.ts';

export type Stores = {
  db: Sqlite;
  cameras: CameraStore;
  registry: RegistryStore;
  removed: RemovedCameraStore;
  outbox: OutboxStore;
};

/** @throws Error when the file is of a newer release. */
export function openStores(options: {
  directory: string;
  migrations: string;
  key: Buffer;
  clock: Clock;
  random: Random;
}): Stores {
  mkdirSync(options.directory, { recursive: true, mode: 0o750 });
  const db = openDatabase(join(options.directory, 'camera.db'));
  migrate(db, options.migrations, options.clock.now());
  const keys = new KeyBox({ key: options.key, random: options.random, variable: 'CAMERA_KEY_FILE' });
  return {
    db,
    cameras: new CameraStore(db, keys),
    registry: new RegistryStore(db),
    removed: new RemovedCameraStore(db, options.clock),
    outbox: new OutboxStore(db),
  };
}
