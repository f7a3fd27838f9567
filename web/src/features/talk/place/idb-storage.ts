/**
 * The engine's tables in IndexedDB. What must stay true: a write is all or nothing and on the disk when it resolves (`strict`),
 * because the server forgets what was acknowledged after it.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { StoreWrite, TalkStorage, TalkTable } from '@siphera/talk';
import { deleteDatabase } from '#features/talk/place/databases.ts';

type Row = { key: string; order?: string; value: Uint8Array };
type Schema = DBSchema & { [T in TalkTable]: { key: string; value: Row; indexes: { order: string } } };

const version = 1;
const tables: readonly TalkTable[] = [
  'meta',
  'messages',
  'conversations',
  'outbox',
  'seen',
  'pins',
  'counters',
];

/** @param lost The browser closed it by itself: its data was cleared, or the disk failed. */
export async function openIdbStorage(name: string, lost: () => void): Promise<TalkStorage> {
  const db = await openDB<Schema>(name, version, {
    upgrade: (fresh) => {
      for (const table of tables)
        fresh.createObjectStore(table, { keyPath: 'key' }).createIndex('order', 'order');
    },
    // Somebody deletes it, in a wipe: to hold it open would only put that off.
    blocking: (_current, _wanted, event) => (event.target as IDBDatabase).close(),
    terminated: lost,
  });
  return {
    get: async (table, key) => (await db.get(table, key))?.value,
    range: async (table, from, to, options = {}) => range(db, table, from, to, options),
    write: (writes) => write(db, writes),
    wipe: async () => {
      db.close();
      await deleteDatabase(name);
    },
    close: () => db.close(),
  };
}

async function range(
  db: IDBPDatabase<Schema>,
  table: TalkTable,
  from: string,
  to: string,
  { limit, newest }: { limit?: number; newest?: boolean },
): ReturnType<TalkStorage['range']> {
  // IndexedDB calls an empty range an error.
  if (from >= to || limit === 0) return [];
  const within = IDBKeyRange.bound(from, to, false, true);
  if (newest !== true || limit === undefined)
    return (await db.getAllFromIndex(table, 'order', within, limit)).map(shown);
  const rows: Row[] = [];
  const index = db.transaction(table).store.index('order');
  for (let at = await index.openCursor(within, 'prev'); at && rows.length < limit; at = await at.continue())
    rows.push(at.value);
  return rows.reverse().map(shown);
}

const shown = ({ key, order, value }: Row): { key: string; order: string; value: Uint8Array } => ({
  key,
  order: order ?? '',
  value,
});

async function write(db: IDBPDatabase<Schema>, writes: readonly StoreWrite[]): Promise<void> {
  if (writes.length === 0) return;
  const names = [...new Set(writes.map(({ table }) => table))];
  const tx = db.transaction(names, 'readwrite', { durability: 'strict' });
  const done: Promise<unknown>[] = [tx.done];
  try {
    for (const { table, key, value, order } of writes) {
      const store = tx.objectStore(table);
      const row = order === undefined || order === '' ? { key, value } : { key, value, order };
      done.push(value === null ? store.delete(key) : store.put({ ...row, value }));
    }
    await Promise.all(done);
  } catch (cause) {
    // A row that cannot be written at all is refused before the transaction hears of it: it would commit the others.
    abort(tx);
    await Promise.allSettled(done);
    throw cause;
  }
}

/** One that has ended already is as it should be. */
function abort(tx: { abort(): void }): void {
  try {
    tx.abort();
  } catch (cause) {
    if ((cause as { name?: unknown }).name !== 'InvalidStateError') throw cause;
  }
}
