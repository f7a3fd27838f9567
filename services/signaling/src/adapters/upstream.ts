/** The link to core: keys and revocations first, then the feed, again and again until it stands. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedLine } from '@siphera/contract';
import {
  FeedFollower,
  type Clock,
  type InternalClient,
  type Logger,
  type TokenVerifier,
} from '@siphera/runtime';

/** Until core answers at all. Consoles ring by core's own stream meanwhile. */
const retryMs = 500;

export type UpstreamOptions = {
  client: InternalClient;
  clock: Clock;
  log: Logger;
  verifier: TokenVerifier;
  /**
   * The position from which lines will come; told before the first of them, again when the feed started over. When it
   * throws, the start is tried again.
   */
  onStart: (position: number) => void | Promise<void>;
  onLine: (line: FeedLine) => Promise<void>;
};

export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #firstLine = Promise.withResolvers<void>();
  #follower: FeedFollower | undefined;
  #stopped = false;

  constructor(options: UpstreamOptions) {
    this.#options = options;
  }

  /** False before core was first heard, and after ten seconds without it. */
  isFresh(): boolean {
    return this.#follower?.isFresh() ?? false;
  }

  staleMs(): number {
    return this.#follower?.staleMs() ?? Infinity;
  }

  /** Resolves when core's feed was heard for the first time. */
  get ready(): Promise<void> {
    return this.#firstLine.promise;
  }

  /** Runs until `stop`. */
  async run(): Promise<void> {
    const { log } = this.#options;
    let reported = false;
    while (!this.#stopped) {
      try {
        await this.#follow();
        reported = false;
      } catch (error) {
        if (!reported) log.warn('core_away', { error });
        reported = true;
        await sleep(retryMs);
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#follower?.stop();
  }

  /** Follows from where core is now, until `stop`, or until core no longer knows our position. */
  async #follow(): Promise<void> {
    const { client, clock, log, verifier, onStart, onLine } = this.#options;
    const after = await verifier.start();
    await onStart(after);
    if (this.#stopped) return;
    const follower = new FeedFollower({
      client,
      clock,
      log,
      after,
      onLine: (line) => {
        this.#firstLine.resolve();
        return onLine(line);
      },
    });
    this.#follower = follower;
    const end = await follower.run();
    if (end === 'gone') log.warn('feed_restarted', { was: follower.position() });
  }
}
