/** Tables in memory: for Node, tests and load. A snapshot is what a crash leaves behind: whole writes, never half of one. */
import type { StoreWrite, TalkStorage, TalkTable } from '../ports.ts';

type Row = { order: string; value: Uint8Array };
type Tables = Map<TalkTable, Map<string, Row>>;
export type StorageSnapshot = { readonly tables: Tables };
export type MemoryStorage = TalkStorage & {
  snapshot(): StorageSnapshot;
  restore(snapshot: StorageSnapshot): void;
};

/** Rows of a table without an `order` are not found by ranges. */
const unordered = '';

export function memoryStorage(from?: StorageSnapshot): MemoryStorage {
  let tables: Tables = from ? copy(from.tables) : new Map<TalkTable, Map<string, Row>>();
  let closed = false;
  const table = (name: TalkTable): Map<string, Row> => {
    if (closed) throw new Error('The storage is closed');
    const found = tables.get(name) ?? new Map<string, Row>();
    tables.set(name, found);
    return found;
  };
  return {
    get: async (name, key) => table(name).get(key)?.value.slice(),
    range: async (name, low, high, options = {}) => {
      const rows = [...table(name)]
        .filter(([, row]) => row.order !== unordered && row.order >= low && row.order < high)
        .sort(([a, x], [b, y]) => compare(x.order, y.order) || compare(a, b))
        .map(([key, row]) => ({ key, order: row.order, value: row.value.slice() }));
      const limit = options.limit ?? rows.length;
      return options.newest === true ? rows.slice(Math.max(0, rows.length - limit)) : rows.slice(0, limit);
    },
    write: async (writes) => writes.forEach((write) => put(table(write.table), write)),
    wipe: async () => {
      tables = new Map();
      closed = true;
    },
    close: () => {
      closed = true;
    },
    snapshot: () => ({ tables: copy(tables) }),
    restore: (snapshot) => {
      tables = copy(snapshot.tables);
      closed = false;
    },
  };
}

function put(rows: Map<string, Row>, { key, value, order }: StoreWrite): void {
  if (value === null) rows.delete(key);
  else rows.set(key, { order: order ?? unordered, value: value.slice() });
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const copy = (tables: Tables): Tables =>
  new Map(
    [...tables].map(([name, rows]) => [name, new Map([...rows].map(([key, row]) => [key, { ...row }]))]),
  );
