/**
 * Links that work without signing in. What must stay true: a token opens one thing of one camera, until it expires, is
 * withdrawn, or its maker may no longer do that himself; what it opened for long ends then too.
 */
import { AppError, type Clock, type Logger, type Random, type Sqlite } from '@siphera/runtime';
import type { CameraDirectory, KnownCamera } from '../../domain/camera.ts';
import type { CoreOutbox } from '../../ground.ts';
import type { LinkRow, LinkStore } from '../../store/link.store.ts';
import type { MakerRights } from './maker-rights.ts';
import type { SessionEnd } from './session-watch.ts';

/** How soon a withdrawn link stops a picture that goes on. */
const lookMs = 1_000;
/** Uses by the same address stand in the audit once in this time. */
const sameUseMs = 300_000;
const rememberedMax = 10_000;
/** Expired links are shown for a week, so that it can be seen why one no longer works. */
const expiredKeptMs = 7 * 86_400_000;
const pruneMs = 3_600_000;
/** Of one link at a time: it is for one integration, and must not take what guards need. */
const perLinkMax = 8;
/** 256 bits: nobody guesses one. */
const tokenBytes = 32;

export type LinkDoorOptions = {
  db: Sqlite;
  links: LinkStore;
  rights: MakerRights;
  directory: CameraDirectory;
  outbox: CoreOutbox;
  clock: Clock;
  random: Random;
  log: Logger;
};

export type Opened = { link: LinkRow; camera: KnownCamera };
type Held = { opened: Opened; end: (why: SessionEnd) => void };

export class LinkDoor {
  readonly #options: LinkDoorOptions;
  readonly #held = new Set<Held>();
  readonly #told = new Map<string, number>();
  #timers: NodeJS.Timeout[] = [];
  #looking = false;

  constructor(options: LinkDoorOptions) {
    this.#options = options;
  }

  start(): void {
    const { links, clock } = this.#options;
    const prune = (): void => links.removeExpired(clock.now() - expiredKeptMs);
    prune();
    this.#timers = [setInterval(() => void this.look(), lookMs), setInterval(prune, pruneMs)];
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const { end } of [...this.#held]) end({ code: 'stopping', reason: 'The camera service stops.' });
  }

  newToken(): string {
    return this.#options.random.bytes(tokenBytes).toString('base64url');
  }

  /** Counts and notes the use. @throws AppError `not_found`, or `gone` for one that worked once. */
  async open(token: string, address: string, kinds: readonly LinkRow['kind'][]): Promise<Opened> {
    const link = this.#options.links.byToken(token);
    if (!link || !kinds.includes(link.kind)) throw new AppError('not_found', 'There is no such link.');
    const opened = await this.#check(link);
    if ([...this.#held].filter((held) => held.opened.link.id === link.id).length >= perLinkMax)
      throw new AppError('overloaded', `A link shows its picture at most ${perLinkMax} times at once.`);
    this.#note(link, address);
    return opened;
  }

  /** Whatever goes on after the link was opened: ended with it. @returns how to let go. */
  hold(opened: Opened, end: Held['end']): () => void {
    const held = { opened, end };
    this.#held.add(held);
    return () => void this.#held.delete(held);
  }

  async look(): Promise<void> {
    // One that waits for core is not overtaken by the next.
    if (this.#looking) return;
    this.#looking = true;
    try {
      for (const held of [...this.#held]) {
        const why = await this.#ended(held.opened.link.id);
        if (why === undefined || !this.#held.delete(held)) continue;
        held.end({ code: 'session_ended', reason: why });
      }
    } finally {
      this.#looking = false;
    }
  }

  async #ended(id: string): Promise<string | undefined> {
    const link = this.#options.links.get(id);
    if (!link) return 'The link was withdrawn.';
    try {
      await this.#check(link);
      return undefined;
    } catch (error) {
      return error instanceof AppError ? error.message : 'The link cannot be checked.';
    }
  }

  async #check(link: LinkRow): Promise<Opened> {
    const { clock, directory, rights } = this.#options;
    if (link.expiresMs <= clock.now())
      throw new AppError('gone', 'The link has expired.', { hint: 'Ask who gave it to you for a new one.' });
    const camera = directory.get(link.cameraId);
    if (!camera) throw new AppError('gone', 'The camera was removed.');
    if (!camera.enabled) throw new AppError('device_unavailable', 'The camera is switched off.');
    if (!(await rights.mayStill(link, camera)))
      throw new AppError('gone', 'Who made this link may no longer do what it gives.', {
        hint: 'Ask who gave it to you for a new one.',
      });
    return { link, camera };
  }

  #note(link: LinkRow, address: string): void {
    const { db, links, outbox, clock } = this.#options;
    const key = `${link.id} ${address}`;
    const nowMs = clock.monotonic();
    const isNew = nowMs - (this.#told.get(key) ?? -Infinity) >= sameUseMs;
    if (this.#told.size >= rememberedMax) this.#told.clear();
    if (isNew) this.#told.set(key, nowMs);
    const write = db.transaction(() => {
      links.used(link.id, clock.now());
      if (!isNew) return;
      outbox.audit({
        actor: {
          kind: 'service',
          id: link.id,
          name: `Link “${link.name}” of ${link.makerName}`.slice(0, 200),
        },
        org_id: link.orgId,
        action: 'camera_link.open',
        target: `camera:${link.cameraId}`,
        detail: { kind: link.kind, address },
      });
    });
    write.immediate();
  }
}
