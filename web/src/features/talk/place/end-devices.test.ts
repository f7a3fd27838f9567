import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { beforeEach, describe, expect, it } from 'vitest';
import { finishEndings, noteEnding, notedEndings } from '#features/talk/endings.ts';
import { cryptoStoreName, storageName } from '#features/talk/place/databases.ts';
import { openDeviceKeep, type BrowserKeep } from '#features/talk/place/device-keep.ts';

const localShare = Uint8Array.from({ length: 32 }, () => 7);
const devices = { ann: 'AAAAAAAAAA', ben: 'BBBBBBBBBB' };

const databases = async (): Promise<string[]> =>
  (await indexedDB.databases()).flatMap(({ name }) => name ?? []).filter((name) => name.includes(':'));
async function withKeep<T>(use: (keep: BrowserKeep) => Promise<T>): Promise<T> {
  const keep = await openDeviceKeep();
  return use(keep).finally(() => keep.close());
}

beforeEach(async () => {
  localStorage.clear();
  for (const [user, deviceId] of Object.entries(devices)) {
    await withKeep((keep) => keep.put(user, { deviceId, kind: 'shared', localShare }));
    for (const name of [storageName(deviceId), `${cryptoStoreName(deviceId)}::matrix-sdk-crypto`])
      (await openDB(name, 1)).close();
  }
});

describe('the end of a session that took the page along', () => {
  it('wipes a removed device at the next page, and no other', async () => {
    noteEnding('ann', 'wipe');
    await finishEndings();
    expect(await withKeep((keep) => keep.find('ann'))).toBeUndefined();
    expect(await withKeep((keep) => keep.find('ben'))).toBeDefined();
    const left = await databases();
    expect(left).toHaveLength(2);
    for (const name of left) expect(name).toContain('BBBBBBBBBB');
    expect(notedEndings()).toEqual([]);
  });

  it('deletes nothing of a session that was ended alone', async () => {
    noteEnding('ann', 'lock');
    await finishEndings();
    expect(await withKeep((keep) => keep.find('ann'))).toBeDefined();
    expect(await databases()).toHaveLength(4);
    expect(notedEndings()).toEqual([]);
  });

  it('stays a wipe whatever is heard after it', () => {
    noteEnding('ann', 'wipe');
    noteEnding('ann', 'lock');
    noteEnding('ben', 'lock');
    expect(notedEndings()).toEqual([
      { userId: 'ann', ending: 'wipe' },
      { userId: 'ben', ending: 'lock' },
    ]);
  });
});
