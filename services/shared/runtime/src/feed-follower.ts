/**
 * Follows core's feed over the internal API: connects again by itself, hands entries on in order without a gap, and
 * knows how stale it is. With a feed over 10 s stale a service takes no new connections and no privileged acts.
 */
import { createInterface } from 'node:readline';
import { FeedLine, internalPaths, type FeedKind } from '@siphera/contract';
import { AppError } from './app-error.ts';
import type { Clock } from './clock.ts';
import type { InternalClient } from './internal-client.ts';
import type { Logger } from './log.ts';

export const feedStaleMsMax = 10_000;
/** Core sends a heartbeat line every second; after this much silence the connection counts as dead. */
const lineTimeoutMs = 5_000;
const retryMs = 250;

export class FeedFollower {
  readonly #client: InternalClient;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onLine: (line: FeedLine) => void | Promise<void>;
  readonly #abort = new AbortController();
  readonly #kinds: readonly FeedKind[] | undefined;
  #after: number | undefined;
  #heardAt: number | undefined;

  /** `after` undefined starts from now; `kinds` narrows what core sends. `onLine` is awaited, so a slow reader slows the feed instead of filling memory. */
  constructor(options: {
    client: InternalClient;
    clock: Clock;
    log: Logger;
    after?: number | undefined;
    kinds?: readonly FeedKind[];
    onLine: (line: FeedLine) => void | Promise<void>;
  }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#after = options.after;
    this.#kinds = options.kinds;
    this.#onLine = options.onLine;
  }

  /** Milliseconds since core was last heard; Infinity before the first line. */
  staleMs(): number {
    return this.#heardAt === undefined ? Infinity : this.#clock.monotonic() - this.#heardAt;
  }

  isFresh(): boolean {
    return this.staleMs() <= feedStaleMsMax;
  }

  /** Last position handed on. */
  position(): number | undefined {
    return this.#after;
  }

  /**
   * Runs until `stop`, or until core no longer keeps our position (restored from a backup, or we were away for long).
   * Then the caller starts over: it reads keys and revocations anew and follows from there.
   */
  async run(): Promise<'stopped' | 'gone'> {
    let reported = false;
    while (!this.#abort.signal.aborted) {
      try {
        await this.#follow(() => {
          if (reported) this.#log.info('feed_back', { after: this.#after });
          reported = false;
        });
      } catch (error) {
        if (this.#abort.signal.aborted) return 'stopped';
        if (error instanceof AppError && error.code === 'gone') {
          this.#log.warn('feed_gone', { after: this.#after });
          return 'gone';
        }
        if (!reported) this.#log.warn('feed_lost', { error, after: this.#after });
        reported = true;
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
    return 'stopped';
  }

  stop(): void {
    this.#abort.abort();
  }

  async #follow(onFirst: () => void): Promise<void> {
    const query = new URLSearchParams({
      ...(this.#after === undefined ? {} : { after: String(this.#after) }),
      ...(this.#kinds === undefined ? {} : { kinds: this.#kinds.join(',') }),
    });
    const response = await this.#client.stream(
      `${internalPaths.feed}?${query.toString()}`,
      this.#abort.signal,
    );
    const watchdog = setInterval(() => {
      if (this.staleMs() > lineTimeoutMs) response.destroy(new Error('feed silent'));
    }, 1_000);
    this.#heardAt = this.#clock.monotonic();
    try {
      let first = true;
      for await (const text of createInterface({ input: response, crlfDelay: Infinity })) {
        if (text === '') continue;
        const line = FeedLine.parse(JSON.parse(text));
        this.#heardAt = this.#clock.monotonic();
        if (first) onFirst();
        first = false;
        await this.#onLine(line);
        this.#after = line.upto;
      }
    } finally {
      clearInterval(watchdog);
      response.destroy();
    }
  }
}
