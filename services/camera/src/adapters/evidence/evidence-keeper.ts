/**
 * Works off the clips that are due: takes their stills as soon as the footage is there, says on the incident's timeline what
 * is kept, and at the end what is missing. All of it is rows: whenever the service comes back, it goes on.
 */
import { internalPaths } from '@siphera/contract';
import type { Clock, Logger, Metrics, Sqlite } from '@siphera/runtime';
import type { KnownCamera } from '../../domain/camera.ts';
import { explained, uncovered, type KeptFootage, type StillMaker } from '../../domain/kept-footage.ts';
import { clockTime } from '../../domain/zoned-time.ts';
import type { CoreOutbox } from '../../ground.ts';
import type { ClipRow, ClipStore } from '../../store/clip.store.ts';
import type { LockStore } from '../../store/lock.store.ts';
import type { StillRow, StillStore } from '../../store/still.store.ts';
import type { ExpiryClock } from '../expiry-clock.ts';
import type { StillFiles } from './still-files.ts';

const tickMs = 250;
/** A clip that waits is looked at so often. */
const againMs = 500;
/** Clips worked on in one turn; the others wait for the next. */
const dueMax = 32;
/** Two moments this close share a picture: it is the next frame of a slow camera. */
const sameMs = 100;
/** Pictures decoded at once: recording needs the machine more. */
const atOnceMax = 2;
/** After the end of its time a clip waits so long for footage under way, and for a camera that is just coming back. */
const settleMsMax = 15_000;
/** Footage ends in fragments of half a second: less than this missing at an end is not worth a word. */
const gapMsMin = 1_500;
const sweepMs = 60_000;

export type KeeperOptions = {
  db: Sqlite;
  clips: ClipStore;
  stills: StillStore;
  locks: LockStore;
  files: StillFiles;
  footage: KeptFootage;
  makeStill: StillMaker;
  camera(id: string): KnownCamera | undefined;
  outbox: CoreOutbox;
  clock: Clock;
  expiry: Pick<ExpiryClock, 'now'>;
  log: Logger;
  metrics: Metrics;
};

export class EvidenceKeeper {
  readonly #options: KeeperOptions;
  readonly #seconds;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #sweptAt = -Infinity;
  #stopped = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#seconds = options.metrics.histogram(
      'evidence_seconds',
      'From the moment of an incident to its stills and its line on the timeline',
      [1, 2, 3, 5, 10, 30, 60],
      [],
    );
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#working;
  }

  #tick(): void {
    if (this.#working || this.#stopped) return;
    this.#working = this.work()
      .catch((error: unknown) => this.#options.log.error('evidence_failed', { error }))
      .finally(() => (this.#working = undefined));
  }

  /** One turn. */
  async work(): Promise<void> {
    const { clips, clock } = this.#options;
    const due = clips.due(clock.now(), dueMax);
    const next = async (): Promise<void> => {
      for (let clip = due.shift(); clip && !this.#stopped; clip = due.shift()) await this.#try(clip);
    };
    await Promise.all(Array.from({ length: atOnceMax }, next));
    await this.#sweep();
  }

  async #try(clip: ClipRow): Promise<void> {
    const { clips, clock, log } = this.#options;
    try {
      await this.#workOn(clip);
    } catch (error) {
      // One camera's trouble must not hold up the others; this one is tried again.
      log.error('evidence_clip_failed', { error, clip_id: clip.id, camera_id: clip.camera_id });
      clips.later(clip.id, clock.now() + settleMsMax);
    }
  }

  async #workOn(clip: ClipRow): Promise<void> {
    const { clips, clock, stills } = this.#options;
    for (const still of stills.of(clip.id)) if (still.state === 'pending') await this.#take(still);
    const waiting = stills.of(clip.id).some(({ state }) => state === 'pending');
    const verdict = this.#judge(clip);
    if (verdict && !waiting) {
      this.#finish(clip, verdict);
      return;
    }
    if (!waiting && clip.told === 0 && stills.of(clip.id).some(({ state }) => state === 'ready'))
      this.#tell(clip, 'pending', null);
    clips.later(clip.id, clock.now() + againMs);
  }

  async #take(still: StillRow): Promise<void> {
    const { clock, files, footage, log, makeStill, stills } = this.#options;
    const same = stills.near(still.camera_id, still.at_ms, sameMs);
    if (same && (await files.share(still.id, same.id))) return;
    const covered = footage
      .runs(still.camera_id, still.at_ms, still.at_ms + 1)
      .some((run) => run.fromMs <= still.at_ms && run.toMs > still.at_ms);
    const late = clock.now() - still.at_ms > settleMsMax;
    if (!covered) {
      if (late) stills.set(still.id, 'missing');
      return;
    }
    try {
      const picture = await makeStill(still.camera_id, still.at_ms);
      if (picture) await files.keep(still.id, picture);
      else if (late) stills.set(still.id, 'missing');
    } catch (error) {
      log.warn('still_failed', { error, still_id: still.id, camera_id: still.camera_id });
      if (late) stills.set(still.id, 'missing');
    }
  }

  /** Undefined while its footage is still to come. */
  #judge(clip: ClipRow): { state: 'ready' | 'missing'; problem: string | null } | undefined {
    const { clock, footage } = this.#options;
    const nowMs = clock.now();
    if (nowMs < clip.to_ms) return undefined;
    const runs = footage.runs(clip.camera_id, clip.from_ms, clip.to_ms);
    const missing = uncovered(runs, clip.from_ms, clip.to_ms, gapMsMin);
    if (missing.length === 0) return { state: 'ready', problem: null };
    if (nowMs < clip.to_ms + settleMsMax) return undefined;
    const problem = this.#problemOf(clip, missing, runs.length === 0);
    return { state: runs.length === 0 ? 'missing' : 'ready', problem };
  }

  #problemOf(clip: ClipRow, missing: ReturnType<typeof uncovered>, all: boolean): string {
    const { footage } = this.#options;
    const known = this.#options.camera(clip.camera_id);
    if (all && !known) return 'The camera was removed.';
    if (all && known?.recording.mode === 'off') return 'Recording is switched off for this camera.';
    const gaps = explained(missing, footage.gaps(clip.camera_id, clip.from_ms, clip.to_ms));
    if (all) return gaps[0]?.why ?? 'Nothing was recorded then.';
    const words = gaps.map(
      ({ fromMs, toMs, why }) =>
        `${clockTime(fromMs, clip.time_zone)}–${clockTime(toMs, clip.time_zone)}: ${why}`,
    );
    return `Not all of it is there. ${words.join(' ')}`.slice(0, 400);
  }

  #finish(clip: ClipRow, { state, problem }: { state: 'ready' | 'missing'; problem: string | null }): void {
    const { clips, db } = this.#options;
    db.transaction(() => {
      clips.finish(clip.id, state, problem);
      // Said once, and once more when it came out worse than was said.
      if (clip.told === 0 || problem !== null) this.#tell(clip, state, problem);
    }).immediate();
  }

  #tell(clip: ClipRow, state: ClipRow['state'], problem: string | null): void {
    const { clips, clock, outbox, stills } = this.#options;
    // Pictures that were commanded have a line of their own.
    const ready = stills.of(clip.id).filter((still) => still.state === 'ready' && still.command_id === null);
    outbox.post(internalPaths.evidence, {
      incident_id: clip.incident_id,
      device_id: clip.camera_id,
      text: textOf(clip, state, problem, ready.length),
      data: {
        clip_id: clip.id,
        camera_id: clip.camera_id,
        from_ms: clip.from_ms,
        to_ms: clip.to_ms,
        state,
        ...(problem === null ? {} : { problem }),
        stills: ready.map(({ id, at_ms }) => ({ id, at_ms })),
      },
    });
    if (clip.told === 0) this.#seconds.observe({}, Math.max(0, clock.now() - clip.at_ms) / 1_000);
    clips.told(clip.id);
  }

  async #sweep(): Promise<void> {
    const { clips, clock, expiry, files, locks } = this.#options;
    if (clock.monotonic() - this.#sweptAt < sweepMs) return;
    this.#sweptAt = clock.monotonic();
    const nowMs = expiry.now();
    const lifted = locks.removeExpired(nowMs);
    if (lifted > 0) this.#options.log.info('locks_expired', { locks: lifted });
    await files.sweep(nowMs);
    clips.removeExpired(nowMs);
  }
}

function textOf(clip: ClipRow, state: ClipRow['state'], problem: string | null, stills: number): string {
  const name = clip.camera_name;
  if (state === 'missing') return `No footage of ${name}: ${problem ?? ''}`.slice(0, 500);
  const span = `${clockTime(clip.from_ms, clip.time_zone)}–${clockTime(clip.to_ms, clip.time_zone)}`;
  const pictures = stills === 1 ? 'one still' : `${stills} stills`;
  return `${name}: footage ${span} is kept, ${pictures}.${problem === null ? '' : ` ${problem}`}`.slice(
    0,
    500,
  );
}
