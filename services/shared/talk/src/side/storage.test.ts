import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TalkStorage } from '../ports.ts';
import { fromText, toText } from './bytes.ts';
import { memoryStorage } from './memory-storage.ts';
import { DamagedRow, sealedStorage } from './sealed-storage.ts';

const storeKey = randomBytes(32);
const bytes = (text: string): Uint8Array => fromText(text);
const message = (key: string, order: string, text = key) =>
  ({ table: 'messages', key, order, value: bytes(text) }) as const;
const keysOf = async (
  storage: TalkStorage,
  ...range: [string, string, { limit?: number; newest?: boolean }?]
) => (await storage.range('messages', ...range)).map((row) => row.key);

describe('tables in memory', () => {
  it('answer ranges in order, from the first one and before the last one', async () => {
    const storage = memoryStorage();
    await storage.write([message('c', 'k:3'), message('a', 'k:1'), message('b', 'k:2'), message('z', 'l:1')]);
    expect(await keysOf(storage, 'k:', 'k:~')).toEqual(['a', 'b', 'c']);
    expect(await keysOf(storage, 'k:1', 'k:3')).toEqual(['a', 'b']);
    expect(await keysOf(storage, 'k:', 'k:~', { limit: 2 })).toEqual(['a', 'b']);
    expect(await keysOf(storage, 'k:', 'k:~', { limit: 2, newest: true })).toEqual(['b', 'c']);
    await storage.write([message('a', 'k:9'), { table: 'messages', key: 'b', value: null }]);
    expect(await keysOf(storage, 'k:', 'k:~')).toEqual(['c', 'a']);
  });

  it('hand out copies and take copies', async () => {
    const storage = memoryStorage();
    const value = bytes('right');
    await storage.write([{ table: 'meta', key: 'k', value }]);
    value.fill(0);
    (await storage.get('meta', 'k'))!.fill(0);
    expect(toText((await storage.get('meta', 'k'))!)).toBe('right');
  });

  it('come back after a crash as they were at the snapshot', async () => {
    const storage = memoryStorage();
    await storage.write([message('a', 'k:1')]);
    const snapshot = storage.snapshot();
    await storage.write([message('b', 'k:2')]);
    storage.restore(snapshot);
    expect(await keysOf(storage, 'k:', 'k:~')).toEqual(['a']);
    expect(await keysOf(memoryStorage(snapshot), 'k:', 'k:~')).toEqual(['a']);
  });

  it('answer nothing once closed or wiped', async () => {
    const storage = memoryStorage();
    await storage.write([message('a', 'k:1')]);
    storage.close();
    await expect(storage.get('messages', 'a')).rejects.toThrow(/closed/);
    const wiped = memoryStorage();
    await wiped.write([message('a', 'k:1')]);
    await wiped.wipe();
    expect(wiped.snapshot().tables.size).toBe(0);
  });
});

describe('sealed tables', () => {
  it('give back what was written, and keep nothing readable', async () => {
    const inner = memoryStorage();
    const storage = await sealedStorage(inner, storeKey);
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), fc.uint8Array(), async (key, value) => {
        await storage.write([{ table: 'pins', key, value }]);
        expect(await storage.get('pins', key)).toEqual(Uint8Array.from(value));
      }),
    );
    await storage.write([message('a', 'k:1', 'meet at the gate'), message('b', 'k:2', 'second')]);
    expect((await storage.range('messages', 'k:', 'k:~')).map((row) => toText(row.value))).toEqual([
      'meet at the gate',
      'second',
    ]);
    const onDisk = Buffer.from((await inner.get('messages', 'a'))!);
    expect(onDisk.includes('gate')).toBe(false);
    await storage.write([{ table: 'messages', key: 'a', value: null }]);
    expect(await storage.get('messages', 'a')).toBeUndefined();
  });

  it('open with no other key', async () => {
    const inner = memoryStorage();
    await (await sealedStorage(inner, storeKey)).write([message('a', 'k:1')]);
    const other = await sealedStorage(inner, randomBytes(32));
    await expect(other.get('messages', 'a')).rejects.toThrow(DamagedRow);
    await expect(other.range('messages', 'k:', 'k:~')).rejects.toThrow(DamagedRow);
  });

  it('do not take a row that was moved to another key or table', async () => {
    const inner = memoryStorage();
    const storage = await sealedStorage(inner, storeKey);
    await storage.write([message('a', 'k:1')]);
    const value = (await inner.get('messages', 'a'))!;
    await inner.write([
      { table: 'messages', key: 'b', value },
      { table: 'outbox', key: 'a', value },
    ]);
    await expect(storage.get('messages', 'b')).rejects.toThrow(DamagedRow);
    await expect(storage.get('outbox', 'a')).rejects.toThrow(DamagedRow);
  });
});
