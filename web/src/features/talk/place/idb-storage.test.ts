// @vitest-environment node
import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { TalkStorage } from '@siphera/talk';
import { openIdbStorage } from '#features/talk/place/idb-storage.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (value: Uint8Array | undefined): string | undefined =>
  value && new TextDecoder().decode(value);
const message = (key: string, order: string) =>
  ({ table: 'messages', key, order, value: bytes(key) }) as const;
const open = (name = 'tables'): Promise<TalkStorage> => openIdbStorage(name, () => undefined);
const keysOf = async (
  storage: TalkStorage,
  ...range: [string, string, { limit?: number; newest?: boolean }?]
): Promise<string[]> => (await storage.range('messages', ...range)).map(({ key }) => key);

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
});

describe('tables in IndexedDB', () => {
  it('answer ranges in order, from the first one and before the last one', async () => {
    const storage = await open();
    await storage.write([message('c', 'k:3'), message('a', 'k:1'), message('b', 'k:2'), message('z', 'l:1')]);
    expect(await keysOf(storage, 'k:', 'k:~')).toEqual(['a', 'b', 'c']);
    expect(await keysOf(storage, 'k:1', 'k:3')).toEqual(['a', 'b']);
    expect(await keysOf(storage, 'k:', 'k:~', { limit: 2 })).toEqual(['a', 'b']);
    expect(await keysOf(storage, 'k:', 'k:~', { limit: 2, newest: true })).toEqual(['b', 'c']);
    expect(await keysOf(storage, 'k:', 'k:~', { limit: 9, newest: true })).toEqual(['a', 'b', 'c']);
    expect(await keysOf(storage, 'k:', 'k:~', { limit: 0, newest: true })).toEqual([]);
    expect(await keysOf(storage, 'k:2', 'k:2')).toEqual([]);
    await storage.write([message('a', 'k:9'), { table: 'messages', key: 'b', value: null }]);
    expect(await keysOf(storage, 'k:', 'k:~')).toEqual(['c', 'a']);
    storage.close();
  });

  it('keep rows without an order out of ranges', async () => {
    const storage = await open();
    await storage.write([{ table: 'meta', key: 'k', value: bytes('v') }]);
    expect(textOf(await storage.get('meta', 'k'))).toBe('v');
    expect(await storage.range('meta', '', '\uffff')).toEqual([]);
    storage.close();
  });

  it('are there when they are opened again', async () => {
    const first = await open();
    await first.write([message('a', 'k:1')]);
    first.close();
    const second = await open();
    expect(textOf(await second.get('messages', 'a'))).toBe('a');
    second.close();
  });

  it('write all or nothing', async () => {
    const storage = await open();
    const unwritable = { table: 'outbox', key: 'x', value: (() => 0) as unknown as Uint8Array } as const;
    await expect(storage.write([message('a', 'k:1'), unwritable])).rejects.toThrow();
    expect(await storage.get('messages', 'a')).toBeUndefined();
    expect(await storage.get('outbox', 'x')).toBeUndefined();
    storage.close();
  });

  it('ask for the disk before a write is called done', async () => {
    const spy = vi.spyOn(IDBDatabase.prototype, 'transaction');
    const storage = await open();
    await storage.write([message('a', 'k:1')]);
    expect(spy).toHaveBeenLastCalledWith(['messages'], 'readwrite', { durability: 'strict' });
    spy.mockRestore();
    storage.close();
  });

  it('are gone after a wipe, also when another connection had them open', async () => {
    const storage = await open();
    const other = await open();
    await storage.write([message('a', 'k:1')]);
    await storage.wipe();
    expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain('tables');
    await expect(other.get('messages', 'a')).rejects.toThrow();
  });
});
