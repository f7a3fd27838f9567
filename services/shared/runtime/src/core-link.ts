/**
 * What a service needs of core to check tokens alone: its keys, the revocations, and the feed that brings new ones. A
 * service may follow more kinds of the feed on the same connection. Devices are heard whether core is there or not; people
 * are let in only while the feed is fresh.
 */
import type { AccessClaims, FeedEntry, FeedKind } from '@siphera/contract';
import { AppError } from './app-error.ts';
import type { Clock } from './clock.ts';
import { FeedFollower } from './feed-follower.ts';
import type { InternalClient } from './internal-client.ts';
import type { Logger } from './log.ts';
import type { Caller } from './route-app.ts';
import { TokenVerifier } from './token-verifier.ts';

const retryMs = 500;

export type CoreLinkOptions = {
  client: InternalClient;
  clock: Clock;
  log: Logger;
  /** Kinds to follow besides revocations. */
  kinds?: readonly FeedKind[];
  /**
   * Called whenever following starts or starts over, before the first entry: what was missed has to be read from core anew.
   * When it throws, the start is tried again.
   */
  onStart?(): Promise<void>;
  /** Entries of `kinds`, in order; awaited, so a slow reader slows the feed. */
  onEntries?: (entries: readonly FeedEntry[]) => void | Promise<void>;
  /** Each revocation as it comes, besides that tokens are refused: for what goes on after its request. */
  onRevocation?: (entry: FeedEntry) => void;
  /** Where to follow from, when the service kept a position; else from now on. */
  after?(): number | undefined;
  /** All entries up to here were handed on. */
  onPosition?: (upto: number) => void;
};

export class CoreLink {
  readonly #options: CoreLinkOptions;
  readonly #verifier: TokenVerifier;
  #follower: FeedFollower | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: CoreLinkOptions) {
    this.#options = options;
    this.#verifier = new TokenVerifier(options);
  }

  /** Tries until core answers; does not wait for it. */
  start(): void {
    this.#open().catch((error: unknown) => {
      this.#options.log.debug('core_not_there_yet', { error });
      if (!this.#stopped) this.#timer = setTimeout(() => this.start(), retryMs);
    });
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
        hint: 'Devices are still heard. Try again when core is back.',
      });
    }
    return { claims: await this.#verifier.verify(bearer) };
  }

  /** Whether claims that were good have been revoked since: for what goes on after its request, such as a live picture. */
  isRevoked(claims: Pick<AccessClaims, 'sid' | 'sub' | 'iat'>): boolean {
    return this.#verifier.revocations.hits(claims);
  }

  async #open(): Promise<void> {
    const now = await this.#verifier.start();
    const kept = this.#options.after?.();
    await this.#options.onStart?.();
    // Revocations were read as of now; those between an older position and now come twice, which changes nothing.
    this.#follow(kept === undefined ? now : Math.min(kept, now));
  }

  #follow(after: number): void {
    if (this.#stopped) return;
    const { client, clock, log, kinds = [], onEntries, onPosition, onRevocation } = this.#options;
    const follower = new FeedFollower({
      client,
      clock,
      log,
      after,
      kinds: ['revocation', ...kinds],
      onLine: async (line) => {
        for (const entry of line.entries) {
          this.#verifier.revocations.hear(entry);
          if (entry.kind === 'revocation') onRevocation?.(entry);
        }
        const others = line.entries.filter((entry) => entry.kind !== 'revocation');
        if (others.length > 0) await onEntries?.(others);
        onPosition?.(line.upto);
      },
    });
    this.#follower = follower;
    void follower.run().then((end) => {
      // Core was restored, or we were away for long: revocations may have been missed, so they are read anew.
      if (end === 'gone') this.start();
    });
  }
}
