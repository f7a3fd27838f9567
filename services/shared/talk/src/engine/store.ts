/**
 * The engine's tables as JSON. What is decided together is written together: a `Draft` gathers writes, reads through them,
 * and commits them all at once. Values are sealed by the storage below.
 */
import type { StoreWrite, TalkStorage, TalkTable } from '../ports.ts';
import { fromText, toText } from '../side/index.ts';

/** Above every order that is written: orders are ASCII. */
export const endOfRange = '\uffff';

export type Row<T> = { key: string; order: string; value: T };
type RangeOptions = { limit?: number; newest?: boolean };

export class Store {
  readonly #storage: TalkStorage;

  constructor(storage: TalkStorage) {
    this.#storage = storage;
  }

  /** What this engine wrote itself; the seal says that nobody else did. */
  async get<T>(table: TalkTable, key: string): Promise<T | undefined> {
    const value = await this.#storage.get(table, key);
    return value && (JSON.parse(toText(value)) as T);
  }

  async bytes(table: TalkTable, key: string): Promise<Uint8Array | undefined> {
    return this.#storage.get(table, key);
  }

  /** In order, `from` included and `to` not. */
  async range<T>(table: TalkTable, from: string, to: string, options?: RangeOptions): Promise<Row<T>[]> {
    const rows = await this.#storage.range(table, from, to, options);
    return rows.map((row) => ({ ...row, value: JSON.parse(toText(row.value)) as T }));
  }

  draft(): Draft {
    return new Draft(this, (writes) => this.#storage.write(writes));
  }

  async wipe(): Promise<void> {
    await this.#storage.wipe();
  }

  close(): void {
    this.#storage.close();
  }
}

export class Draft {
  readonly #store: Store;
  readonly #write: (writes: readonly StoreWrite[]) => Promise<void>;
  readonly #writes = new Map<string, StoreWrite & { json?: unknown }>();
  readonly #after: (() => void)[] = [];

  constructor(store: Store, write: (writes: readonly StoreWrite[]) => Promise<void>) {
    this.#store = store;
    this.#write = write;
  }

  /** @param order for rows that ranges find */
  put(table: TalkTable, key: string, json: unknown, order?: string): void {
    const value = fromText(JSON.stringify(json));
    this.#writes.set(`${table}:${key}`, { table, key, value, json, ...(order !== undefined && { order }) });
  }

  putBytes(table: TalkTable, key: string, value: Uint8Array): void {
    this.#writes.set(`${table}:${key}`, { table, key, value });
  }

  remove(table: TalkTable, key: string): void {
    this.#writes.set(`${table}:${key}`, { table, key, value: null });
  }

  async get<T>(table: TalkTable, key: string): Promise<T | undefined> {
    const written = this.#writes.get(`${table}:${key}`);
    if (written) return written.value === null ? undefined : (structuredClone(written.json) as T);
    return this.#store.get<T>(table, key);
  }

  /** Done once all of it is written: what others are told, and what is only in memory. */
  after(work: () => void): void {
    this.#after.push(work);
  }

  async commit(): Promise<void> {
    const writes = [...this.#writes.values()].map(({ json: _json, ...write }) => write);
    if (writes.length > 0) await this.#write(writes);
    for (const work of this.#after) work();
  }
}
