/** Opens the service's own file and what the base of the service keeps in it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { migrate, openDatabase, OutboxStore, type Clock, type Sqlite } from '@siphera/runtime';
import { BaseStore } from './base.store.ts';

export type Stores = { db: Sqlite; base: BaseStore; outbox: OutboxStore };

/** @throws Error when the file is of a newer release. */
export function openStores(options: { directory: string; migrations: string; clock: Clock }): Stores {
  mkdirSync(options.directory, { recursive: true, mode: 0o750 });
  const db = openDatabase(join(options.directory, 'signaling.db'));
  migrate(db, options.migrations, options.clock.now());
  return { db, base: new BaseStore(db), outbox: new OutboxStore(db) };
}
