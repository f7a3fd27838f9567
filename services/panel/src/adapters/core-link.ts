/**
 * What this service needs of core to check tokens alone: its keys, the revocations, and the feed that brings new ones.
 * Panels are heard whether core is there or not; people are let in only while the feed is fresh.
 */
import {
  AppError,
  FeedFollower,
  TokenVerifier,
  type Caller,
  type Clock,
  type InternalClient,
  type Logger,
} from '@siphera/runtime';

const retryMs = 500;

export class CoreLink {
  readonly #verifier: TokenVerifier;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #client: InternalClient;
  #follower: FeedFollower | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: { client: InternalClient; clock: Clock; log: Logger }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#verifier = new TokenVerifier(options);
  }

  /** Tries until core answers; does not wait for it. */
  start(): void {
    this.#verifier.start().then(
      (after) => this.#follow(after),
      (error: unknown) => {
        this.#log.debug('core_not_there_yet', { error });
        if (!this.#stopped) this.#timer = setTimeout(() => this.start(), retryMs);
      },
    );
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#follower?.stop();
  }

  isFresh(): boolean {
    return this.#follower?.isFresh() ?? false;
  }

  /** Last feed position heard; lists carry it. */
  position(): number {
    return this.#follower?.position() ?? 0;
  }

  /** @throws AppError when the token is bad, or when revocations may have been missed. */
  async authenticate(bearer: string): Promise<Caller> {
    if (!this.isFresh()) {
      throw new AppError('unavailable', 'Core is not heard, so the token cannot be checked.', {
        hint: 'Panels are still heard. Try again when core is back.',
      });
    }
    return { claims: await this.#verifier.verify(bearer) };
  }

  #follow(after: number): void {
    if (this.#stopped) return;
    this.#follower = new FeedFollower({
      client: this.#client,
      clock: this.#clock,
      log: this.#log,
      after,
      kinds: ['revocation'],
      onLine: (line) => {
        for (const entry of line.entries) this.#verifier.revocations.hear(entry);
      },
    });
    void this.#follower.run().then((end) => {
      // Core was restored, or we were away for long: revocations may have been missed, so they are read anew.
      if (end === 'gone') this.start();
    });
  }
}
