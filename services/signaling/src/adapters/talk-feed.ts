/**
 * Core's feed as the parts of talk hear it: each entry of their kinds at least once, in order, across restarts. What was missed
 * while this service was down is read first; consoles read theirs by themselves.
 */
import { createInterface } from 'node:readline';
import {
  FeedLine,
  internalPaths,
  Revocation,
  type AccessClaims,
  type FeedEntry,
  type FeedKind,
} from '@siphera/contract';
import { AppError, type Clock, type InternalClient, type Logger } from '@siphera/runtime';
import type { BaseStore } from '../store/base.store.ts';

/** Those that parts of talk follow; the rest of the feed (events above all) is only for consoles. */
const talkKinds: ReadonlySet<FeedKind> = new Set<FeedKind>([
  'revocation',
  'user',
  'session',
  'area',
  'site',
  'incident',
  'timeline',
  'settings',
]);
/** The position is kept this often at most: what comes twice after a crash changes nothing. */
const positionMs = 5_000;
/** Reading what was missed; core keeps a feed of days, which is read in seconds. */
const catchUpMsMax = 120_000;

type Hits = (claims: Pick<AccessClaims, 'sid' | 'sub' | 'iat'>) => boolean;
type Options = {
  client: InternalClient;
  store: BaseStore;
  clock: Clock;
  log: Logger;
  onEntries: (entries: readonly FeedEntry[]) => void;
  /** Sessions or users that were ended for good; those that only need a new token are not named. */
  onRevoked: (hits: Hits) => void;
};

export class TalkFeed {
  readonly #options: Options;
  #keptAt = -Infinity;
  #upto: number | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#upto = options.store.feedPosition();
  }

  /**
   * Hears what came after the kept position up to `position`.
   * @throws AppError when core does not answer; what core keeps no more is gone, and said in the log.
   */
  async catchUp(position: number): Promise<void> {
    const after = this.#upto ?? 0;
    try {
      if (after < position) await this.#read(after, position);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'gone') throw error;
      this.#options.log.warn('talk_feed_missed', { after, position });
    }
    this.#reach(position, true);
  }

  /** Takes a line. A part that throws ends neither the line nor the feed. */
  hear(line: FeedLine): void {
    this.#take(line.entries);
    this.#reach(line.upto);
  }

  stop(): void {
    if (this.#upto !== undefined) this.#options.store.setFeedPosition(this.#upto);
  }

  async #read(after: number, until: number): Promise<void> {
    const query = new URLSearchParams({ after: String(after), kinds: [...talkKinds].join(',') });
    const response = await this.#options.client.stream(
      `${internalPaths.feed}?${query.toString()}`,
      AbortSignal.timeout(catchUpMsMax),
    );
    try {
      for await (const text of createInterface({ input: response, crlfDelay: Infinity })) {
        if (text === '') continue;
        const line = FeedLine.parse(JSON.parse(text));
        this.#take(line.entries.filter(({ seq }) => seq <= until));
        if (line.upto >= until) return;
        this.#reach(line.upto);
      }
    } finally {
      response.destroy();
    }
    throw new AppError('unavailable', 'Core ended its feed before all that was missed was read');
  }

  #take(all: readonly FeedEntry[]): void {
    const entries = all.filter(({ kind }) => talkKinds.has(kind));
    if (entries.length === 0) return;
    const ended = entries.flatMap((entry) => endedBy(entry) ?? []);
    if (ended.length > 0)
      this.#options.onRevoked(({ sid, sub }) => ended.some((one) => one.sid === sid || one.sub === sub));
    this.#options.onEntries(entries);
  }

  #reach(upto: number, now = false): void {
    const { clock, store } = this.#options;
    this.#upto = upto;
    if (!now && clock.monotonic() - this.#keptAt < positionMs) return;
    this.#keptAt = clock.monotonic();
    store.setFeedPosition(upto);
  }
}

function endedBy(entry: FeedEntry): Revocation | undefined {
  if (entry.kind !== 'revocation') return undefined;
  const revocation = Revocation.parse(entry.data);
  return revocation.issued_before === undefined ? revocation : undefined;
}
