/**
 * How far each agent's queue is durable. `committed` only moves over sequences that are all here: a gap (the broker
 * dropped some) stops it, the agent sends again from there, and duplicates fall out by their identity. What the agent no
 * longer holds (below its `floor`: core was restored from a backup, or the agent's disk overflowed) cannot be waited for.
 */
import type { Sqlite } from '@siphera/runtime/base';
import type { Tx } from '../../kernel/transaction.ts';

/** Streams remembered; others are read again from their row. */
const rememberedMax = 10_000;

export class DeviceStreams {
  readonly #db: Sqlite;
  readonly #committed = new Map<string, number>();
  readonly #dirty = new Map<string, { device: string; stream: string }>();

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** @returns what may be acknowledged now. */
  advance(device: string, stream: string, sequence: number, floor: number | undefined): number {
    const key = `${device} ${stream}`;
    const before = Math.max(this.#read(key, device, stream), (floor ?? 1) - 1);
    const after = sequence === before + 1 ? sequence : before;
    this.#committed.set(key, after);
    this.#dirty.set(key, { device, stream });
    return after;
  }

  save(tx: Tx): void {
    const upsert = tx.db.prepare(
      `INSERT INTO device_streams (device_id, stream, committed, updated_ms) VALUES (?, ?, ?, ?)
       ON CONFLICT (device_id, stream) DO UPDATE SET committed = excluded.committed, updated_ms = excluded.updated_ms`,
    );
    for (const [key, { device, stream }] of this.#dirty)
      upsert.run(device, stream, this.#committed.get(key) ?? 0, tx.nowMs);
    this.#dirty.clear();
  }

  /** After an undone transaction memory may be ahead of the rows. */
  clear(): void {
    this.#committed.clear();
    this.#dirty.clear();
  }

  #read(key: string, device: string, stream: string): number {
    const known = this.#committed.get(key);
    if (known !== undefined) return known;
    if (this.#committed.size >= rememberedMax && this.#dirty.size === 0) this.#committed.clear();
    return (
      this.#db
        .prepare<[string, string], { committed: number }>(
          'SELECT committed FROM device_streams WHERE device_id = ? AND stream = ?',
        )
        .get(device, stream)?.committed ?? 0
    );
  }
}
