/**
 * What this browser knows of the devices that it is: one for each person who signs in here. Of the two shares that open a store, the one
 * that never leaves the device is here; the server's is here only on a personal device, wrapped by a key that scripts can use
 * but not read, so that a copy of the disk opens nothing.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { DeviceKeep } from '@siphera/talk';
import { keepName } from '#features/talk/place/databases.ts';

type Wrapped = { nonce: Uint8Array<ArrayBuffer>; box: ArrayBuffer };
type Kept = {
  userId: string;
  deviceId: string;
  kind: 'personal' | 'shared';
  localShare: Uint8Array;
  serverShare?: Wrapped;
};
type Schema = DBSchema & {
  devices: { key: string; value: Kept };
  /** Wrapping keys, one a person, made here and not extractable. */
  keys: { key: string; value: CryptoKey };
};

const version = 1;
const nonceBytes = 12;
const strict = { durability: 'strict' } as const;

export type BrowserKeep = DeviceKeep & {
  /** The store opens with the server's answer only from now on. */
  forgetServerShare(userId: string): Promise<void>;
  deviceIds(): Promise<Set<string>>;
  close(): void;
};

export async function openDeviceKeep(): Promise<BrowserKeep> {
  const db = await openDB<Schema>(keepName, version, {
    upgrade: (fresh) => {
      fresh.createObjectStore('devices', { keyPath: 'userId' });
      fresh.createObjectStore('keys');
    },
  });
  return {
    find: (userId) => find(db, userId),
    put: async (userId, { serverShare, ...kept }) => {
      const wrapped =
        serverShare && kept.kind === 'personal'
          ? await wrap(await wrappingKey(db, userId), placeOf(userId, kept.deviceId), serverShare)
          : undefined;
      const row: Kept = { userId, ...kept };
      if (wrapped) row.serverShare = wrapped;
      const tx = db.transaction('devices', 'readwrite', strict);
      await Promise.all([tx.store.put(row), tx.done]);
    },
    forget: async (userId) => {
      const tx = db.transaction(['devices', 'keys'], 'readwrite', strict);
      await Promise.all([
        tx.objectStore('devices').delete(userId),
        tx.objectStore('keys').delete(userId),
        tx.done,
      ]);
    },
    forgetServerShare: (userId) => forgetServerShare(db, userId),
    deviceIds: async () => new Set((await db.getAll('devices')).map(({ deviceId }) => deviceId)),
    close: () => db.close(),
  };
}

async function find(db: IDBPDatabase<Schema>, userId: string): ReturnType<DeviceKeep['find']> {
  const row = await db.get('devices', userId);
  if (!row) return undefined;
  const { deviceId, kind, localShare } = row;
  const key = row.serverShare && (await db.get('keys', userId));
  const serverShare =
    row.serverShare && key && (await unwrap(key, placeOf(userId, deviceId), row.serverShare));
  return serverShare ? { deviceId, kind, localShare, serverShare } : { deviceId, kind, localShare };
}

async function forgetServerShare(db: IDBPDatabase<Schema>, userId: string): Promise<void> {
  const tx = db.transaction(['devices', 'keys'], 'readwrite', strict);
  const devices = tx.objectStore('devices');
  const row = await devices.get(userId);
  if (row) {
    const { serverShare: _, ...rest } = row;
    await devices.put(rest);
  }
  await Promise.all([tx.objectStore('keys').delete(userId), tx.done]);
}

const placeOf = (userId: string, deviceId: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(new TextEncoder().encode(`siphera-share:1:${userId}:${deviceId}`));

async function wrappingKey(db: IDBPDatabase<Schema>, userId: string): Promise<CryptoKey> {
  const kept = await db.get('keys', userId);
  if (kept) return kept;
  const fresh = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
    'encrypt',
    'decrypt',
  ]);
  const tx = db.transaction('keys', 'readwrite', strict);
  await Promise.all([tx.store.put(fresh, userId), tx.done]);
  return fresh;
}

async function wrap(key: CryptoKey, place: Uint8Array<ArrayBuffer>, share: Uint8Array): Promise<Wrapped> {
  const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes));
  const gcm = { name: 'AES-GCM', iv: nonce, additionalData: place };
  return { nonce, box: await crypto.subtle.encrypt(gcm, key, new Uint8Array(share)) };
}

/** `undefined` when it does not open: then the server is asked, as on a shared desk. */
async function unwrap(
  key: CryptoKey,
  place: Uint8Array<ArrayBuffer>,
  { nonce, box }: Wrapped,
): Promise<Uint8Array | undefined> {
  try {
    const gcm = { name: 'AES-GCM', iv: nonce, additionalData: place };
    return new Uint8Array(await crypto.subtle.decrypt(gcm, key, box));
  } catch (cause) {
    if ((cause as { name?: unknown }).name === 'OperationError') return undefined;
    throw cause;
  }
}
