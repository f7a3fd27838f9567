/**
 * An answer of core that a service keeps: read at the start, again when the feed tells of a change, and kept over restarts so that the
 * service goes on while core is down. What must stay true: a reading that fails changes nothing.
 */
import type { FeedEntry, FeedKind } from '@siphera/contract';
import type { InternalClient } from './internal-client.ts';
import type { Logger } from './log.ts';

/** Entries of one change come within this. */
const heardMs = 100;
const retryMs = 2_000;

export type CoreReadingOptions<T> = {
  client: InternalClient;
  log: Logger;
  /** Of core's internal API, and what its answer is. @throws when the answer is not that. */
  path: string;
  parse: (answer: unknown) => T;
  /** Kinds of feed entries after which it is read again. */
  kinds: ReadonlySet<FeedKind>;
  onRead: (value: T) => void;
};

export class CoreReading<T> {
  readonly #options: CoreReadingOptions<T>;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #failed = false;
  #reading = false;
  #readAgain = false;

  constructor(options: CoreReadingOptions<T>) {
    this.#options = options;
  }

  hear(entries: readonly FeedEntry[]): void {
    if (entries.some(({ kind }) => this.#options.kinds.has(kind))) this.#soon(heardMs);
  }

  /** Asks core now, and again until it has answered. */
  refresh(): void {
    this.#soon(0);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Soon, so that one change of many things is one reading. A reading under way may be older than what was heard. */
  #soon(ms: number): void {
    if (this.#reading) this.#readAgain = true;
    if (this.#stopped || this.#timer || this.#reading) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#read();
    }, ms);
  }

  async #read(): Promise<void> {
    const { client, log, path, parse, onRead } = this.#options;
    this.#reading = true;
    this.#readAgain = false;
    let again: number | undefined;
    try {
      const value = parse(await client.call('GET', path));
      if (!this.#stopped) onRead(value);
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) log.warn('core_not_read', { path, error });
      this.#failed = true;
      again = retryMs;
    }
    this.#reading = false;
    if (again !== undefined || this.#readAgain) this.#soon(again ?? heardMs);
  }
}
