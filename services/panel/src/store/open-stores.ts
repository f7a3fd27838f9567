/** Opens the service's own file and all that is kept in it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KeyBox, migrate, openDatabase, type Clock, type Random, type Sqlite } from '@siphera/runtime';
import { AccountStore } from './account.store.ts';
import { AuditStore } from './audit.store.ts';
import { FrameStore } from './frame.store.ts';
import { ListeningStore } from './listening.store.ts';
import { MessageStore } from './message.store.ts';

export type Stores = {
  db: Sqlite;
  keys: KeyBox;
  accounts: AccountStore;
  frames: FrameStore;
  messages: MessageStore;
  audit: AuditStore;
  listening: ListeningStore;
  close(): void;
};

/** @throws Error when the file is of a newer release, or its keys do not open with `key`. */
export function openStores(options: {
  directory: string;
  migrations: string;
  key: Buffer;
  clock: Clock;
  random: Random;
}): Stores {
  mkdirSync(options.directory, { recursive: true, mode: 0o750 });
  const db = openDatabase(join(options.directory, 'panel.db'));
  migrate(db, options.migrations, options.clock.now());
  const keys = new KeyBox({ key: options.key, random: options.random, variable: 'PANEL_KEY_FILE' });
  const frames = new FrameStore(db);
  frames.abandonPending();
  return {
    db,
    keys,
    accounts: new AccountStore(db, keys),
    frames,
    messages: new MessageStore(db),
    audit: new AuditStore(db),
    listening: new ListeningStore(db),
    close: () => db.close(),
  };
}
