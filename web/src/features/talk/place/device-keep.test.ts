// @vitest-environment node
import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  cryptoStoreName,
  deleteCryptoStore,
  keepName,
  storageName,
  sweepDatabases,
} from '#features/talk/place/databases.ts';
import { openDeviceKeep } from '#features/talk/place/device-keep.ts';

const localShare = new Uint8Array(32).fill(7);
const serverShare = new Uint8Array(32).fill(9);
const personal = { deviceId: 'AAAAAAAAAA', kind: 'personal', localShare, serverShare } as const;

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
});

/** Everything that a copy of the disk would show of the keep. */
async function onDisk(): Promise<unknown[]> {
  const db = await openDB(keepName);
  const rows: unknown[] = await db.getAll('devices');
  db.close();
  return rows;
}
const holds = (value: unknown, needle: Uint8Array): boolean => {
  if (value instanceof ArrayBuffer) return holds(new Uint8Array(value), needle);
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.length).includes(Buffer.from(needle));
  return (
    typeof value === 'object' && value !== null && Object.values(value).some((one) => holds(one, needle))
  );
};

describe('what a browser keeps of its devices', () => {
  it('is found again for each person apart', async () => {
    const keep = await openDeviceKeep();
    await keep.put('ann', personal);
    await keep.put('ben', { deviceId: 'BBBBBBBBBB', kind: 'shared', localShare });
    expect(await keep.find('ann')).toEqual(personal);
    expect(await keep.find('ben')).toEqual({ deviceId: 'BBBBBBBBBB', kind: 'shared', localShare });
    expect(await keep.find('cid')).toBeUndefined();
    expect(await keep.deviceIds()).toEqual(new Set(['AAAAAAAAAA', 'BBBBBBBBBB']));
    await keep.forget('ann');
    expect(await keep.find('ann')).toBeUndefined();
    expect(await keep.find('ben')).toBeDefined();
    keep.close();
  });

  it('has the share of the server wrapped by a key that cannot be read', async () => {
    const keep = await openDeviceKeep();
    await keep.put('ann', personal);
    const rows = await onDisk();
    expect(holds(rows, localShare)).toBe(true);
    expect(holds(rows, serverShare)).toBe(false);
    const db = await openDB(keepName);
    const key = (await db.get('keys', 'ann')) as CryptoKey;
    expect(key.extractable).toBe(false);
    await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow();
    db.close();
    keep.close();
  });

  it('has it never on a shared desk, whatever is put there', async () => {
    const keep = await openDeviceKeep();
    await keep.put('ann', { ...personal, kind: 'shared' });
    expect(await keep.find('ann')).toEqual({ deviceId: 'AAAAAAAAAA', kind: 'shared', localShare });
    keep.close();
  });

  it('opens no more without the server once its share was forgotten', async () => {
    const keep = await openDeviceKeep();
    await keep.put('ann', personal);
    await keep.forgetServerShare('ann');
    expect(await keep.find('ann')).toEqual({ deviceId: 'AAAAAAAAAA', kind: 'personal', localShare });
    await keep.put('ann', personal);
    expect(await keep.find('ann')).toEqual(personal);
    keep.close();
  });

  it('is not the share of another device that was put in its place', async () => {
    const keep = await openDeviceKeep();
    await keep.put('ann', personal);
    const db = await openDB(keepName);
    const row = (await db.get('devices', 'ann')) as Record<string, unknown>;
    await db.put('devices', { ...row, deviceId: 'CCCCCCCCCC' });
    db.close();
    expect((await keep.find('ann'))?.serverShare).toBeUndefined();
    keep.close();
  });
});

describe('databases of devices', () => {
  const names = async (): Promise<string[]> =>
    (await indexedDB.databases()).flatMap(({ name }) => name ?? []).sort();
  const make = async (name: string): Promise<void> => (await openDB(name, 1)).close();
  const cryptoOf = (id: string): string[] => [
    `${cryptoStoreName(id)}::matrix-sdk-crypto`,
    `${cryptoStoreName(id)}::matrix-sdk-crypto-meta`,
  ];

  it('of the library go when the engine wipes, and no other with them', async () => {
    for (const name of [...cryptoOf('AAAAAAAAAA'), ...cryptoOf('BBBBBBBBBB'), 'another app'])
      await make(name);
    await deleteCryptoStore('AAAAAAAAAA');
    expect(await names()).toEqual([...cryptoOf('BBBBBBBBBB'), 'another app'].sort());
  });

  it('of a device that nobody knows any more are swept, others stay', async () => {
    await make(storageName('AAAAAAAAAA'));
    for (const name of cryptoOf('BBBBBBBBBB')) await make(name);
    await make(keepName);
    await make('another app');
    await sweepDatabases(new Set(['AAAAAAAAAA']));
    expect(await names()).toEqual([storageName('AAAAAAAAAA'), keepName, 'another app'].sort());
  });
});
