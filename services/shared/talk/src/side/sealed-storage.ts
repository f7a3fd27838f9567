/**
 * Tables whose values are sealed before they reach the disk (AES-256-GCM under a key out of the store key). A value is bound to
 * its table and key: who can write the disk cannot put one row in another's place. Keys and orders are not sealed.
 */
import type { StoreWrite, TalkStorage, TalkTable } from '../ports.ts';
import { deriveKey, openBox, sealBox } from './box.ts';
import type { Bytes } from './bytes.ts';

/** A row that does not open: another key, or changed on the disk. Nothing may go on as if it were not there. */
export class DamagedRow extends Error {
  constructor(table: TalkTable) {
    super(`A row of ${table} does not open with this key`);
    this.name = 'DamagedRow';
  }
}

/** @param storeKey 32 bytes (`storeKey`) @throws DamagedRow from `get` and `range` */
export async function sealedStorage(inner: TalkStorage, storeKey: Uint8Array): Promise<TalkStorage> {
  const key = await deriveKey(storeKey, 'siphera-tables:1');
  const open = async (table: TalkTable, row: string, value: Uint8Array): Promise<Bytes> => {
    const opened = await openBox(key, value, placeOf(table, row));
    if (!opened) throw new DamagedRow(table);
    return opened;
  };
  const seal = async (write: StoreWrite): Promise<StoreWrite> =>
    write.value === null
      ? write
      : { ...write, value: await sealBox(key, write.value, placeOf(write.table, write.key)) };
  return {
    get: async (table, row) => {
      const value = await inner.get(table, row);
      return value && open(table, row, value);
    },
    range: async (table, from, to, options) => {
      const rows = await inner.range(table, from, to, options);
      return Promise.all(rows.map(async (row) => ({ ...row, value: await open(table, row.key, row.value) })));
    },
    // Sealed before the transaction begins: one of IndexedDB would end while WebCrypto is waited for.
    write: async (writes) => inner.write(await Promise.all(writes.map(seal))),
    wipe: () => inner.wipe(),
    close: () => inner.close(),
  };
}

/** No table has a colon in its name, so no two places have one name. */
const placeOf = (table: TalkTable, key: string): string => `siphera-row:${table}:${key}`;
