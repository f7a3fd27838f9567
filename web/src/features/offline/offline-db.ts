/**
 * What this browser keeps so that an installed console opens without the box: who was signed in, the open incidents as last seen, and
 * what was done to them meanwhile. Read by pages and by the service worker. What was seen goes when one signs out; everything goes when one is signed out from elsewhere.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';

export type OfflineAct = {
  /** Idempotency key: sent twice it is done once. */
  id: string;
  userId: string;
  incidentId: string;
  /** What people say on the radio. */
  number: number;
  kind: 'acknowledge' | 'resolve' | 'comment';
  body: Record<string, unknown>;
  /** When the person did it, by the box's clock as far as it was known. */
  at: number;
};
/** How an act went, until the person has read it. */
export type ActOutcome = {
  id: string;
  incidentId: string;
  number: number;
  kind: OfflineAct['kind'];
  result: 'done' | 'noted' | 'refused';
  /** In the words of the box, for what was not done as asked. */
  detail: string;
};
export type Kept = { me: unknown; incidents: unknown[]; feedSeq: number; at: number };

interface Schema extends DBSchema {
  kept: { key: string; value: Kept };
  acts: { key: number; value: OfflineAct };
  outcomes: { key: string; value: ActOutcome };
}
export type OfflineDb = IDBPDatabase<Schema>;

const name = 'siphera-offline';
/** More is a browser that has been away for days; the page says that nothing more is kept. */
export const actsMax = 200;

export const openOfflineDb = (): Promise<OfflineDb> =>
  openDB<Schema>(name, 1, {
    upgrade(db) {
      db.createObjectStore('kept');
      db.createObjectStore('acts', { autoIncrement: true });
      db.createObjectStore('outcomes', { keyPath: 'id' });
    },
    // A tab of the release before must not keep this one waiting.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });

/** In the order in which they were done. */
export async function waitingActs(db: OfflineDb): Promise<{ key: number; act: OfflineAct }[]> {
  const transaction = db.transaction('acts');
  const [keys, acts] = await Promise.all([transaction.store.getAllKeys(), transaction.store.getAll()]);
  return acts.map((act, index) => ({ key: keys[index] ?? 0, act }));
}

/** False when there is no room: the act is not kept, and its author is told. */
export async function keepAct(db: OfflineDb, act: OfflineAct): Promise<boolean> {
  if ((await db.count('acts')) >= actsMax) return false;
  // Written through to the disk: the phone may be switched off next.
  const transaction = db.transaction('acts', 'readwrite', { durability: 'strict' });
  await transaction.store.add(act);
  await transaction.done;
  return true;
}

export async function forgetAll(db: OfflineDb): Promise<void> {
  await Promise.all([db.clear('kept'), db.clear('acts'), db.clear('outcomes')]);
}
