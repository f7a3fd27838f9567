/**
 * Gives cohorts their backlog. Cohorts that ask while a reading is being prepared share it: after a restart of this
 * service every console comes back at once, and core is read once, not two hundred times.
 */
import type { FeedEntry } from '@siphera/contract';
import type { InternalClient, Logger } from '@siphera/runtime';
import type { Cohort } from '../domain/cohort.ts';
import { roomsOfEntry } from '../domain/rooms.ts';
import { readBacklog } from './backlog.ts';

/** Readings at once. Each holds one connection to core; the internal client has sixteen for everything. */
const readingsMax = 4;

export class CatchUp {
  readonly #client: InternalClient;
  readonly #log: Logger;
  readonly #onFailed: (cohort: Cohort) => void;
  #waiting = new Set<Cohort>();
  readonly #reading = new Set<Cohort>();
  #readings = 0;

  constructor(options: { client: InternalClient; log: Logger; onFailed: (cohort: Cohort) => void }) {
    this.#client = options.client;
    this.#log = options.log;
    this.#onFailed = options.onFailed;
  }

  add(cohort: Cohort): void {
    if (!cohort.complete && !this.#reading.has(cohort)) this.#waiting.add(cohort);
  }

  /** Starts a reading for those that wait. Called each frame interval. */
  tick(): void {
    if (this.#waiting.size === 0 || this.#readings >= readingsMax) return;
    const cohorts = [...this.#waiting].filter((cohort) => cohort.members.size > 0);
    this.#waiting = new Set();
    if (cohorts.length === 0) return;
    this.#readings += 1;
    for (const cohort of cohorts) this.#reading.add(cohort);
    void this.#read(cohorts).finally(() => {
      this.#readings -= 1;
      for (const cohort of cohorts) this.#reading.delete(cohort);
    });
  }

  async #read(cohorts: readonly Cohort[]): Promise<void> {
    const after = Math.min(...cohorts.map((cohort) => cohort.after));
    const until = Math.max(...cohorts.map((cohort) => cohort.liveFrom));
    const found = new Map<Cohort, FeedEntry[]>(cohorts.map((cohort) => [cohort, []]));
    try {
      await readBacklog(this.#client, after, until, (entry) => {
        const rooms = roomsOfEntry(entry);
        for (const [cohort, entries] of found) if (cohort.wantsBacklog(entry.seq, rooms)) entries.push(entry);
      });
      for (const [cohort, entries] of found) cohort.fillBacklog(entries);
    } catch (error) {
      this.#log.warn('backlog_failed', { error, after, until, cohorts: cohorts.length });
      for (const cohort of cohorts) this.#onFailed(cohort);
    }
  }
}
