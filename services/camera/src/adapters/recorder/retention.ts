/**
 * Takes away what the modes do not keep and what is past its time, its quota or its room. What must stay true: nothing that a
 * lock holds is taken; age, and the ends of locks, are told by `expiry`, never by a clock that was just set ahead; a row goes
 * before its file, and its file before its row in `garbage`.
 */
import { dirname, join } from 'node:path';
import { RecordingPolicy } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import type { KnownCamera } from '../../domain/camera.ts';
import {
  judge,
  judgeableFromMs,
  keptUntilMs,
  oldestFreeing,
  reportsLateMs,
  type InWindow,
} from '../../domain/keep.ts';
import type { Candidate } from '../../store/segment.store.ts';
import { errorCode } from './files.ts';
import type { RecorderParts } from './parts.ts';
import { leastFreeBytes, type OpenStorage } from './storages.ts';
import { windowsOf } from './windows.ts';

/** Footage of a camera that was removed, or is not known yet, is kept as a new camera's would be. */
const policyWithoutCamera: RecordingPolicy = RecordingPolicy.parse({});
/** Batches of deletions in one sweep; a sweep every few seconds takes the rest. */
const batchesMax = 20;
/** Files removed at the same time. */
const parallelMax = 8;
const dayMs = 86_400_000;

export class Retention {
  readonly #parts: RecorderParts;
  readonly #told = new Set<string>();
  #running: Promise<void> | undefined;
  #again = false;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** One sweep at a time; asked for during one, another follows it. */
  sweep(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Resolves when no sweep runs. */
  async settled(): Promise<void> {
    this.#again = false;
    await this.#running;
  }

  async #run(): Promise<void> {
    do {
      this.#again = false;
      this.#judge();
      for (const id of this.#cameraIds()) this.#sweepCamera(id);
      for (const storage of this.#parts.storages.all()) {
        this.#sweepStorage(storage);
        await this.#removeGarbage(storage);
      }
    } while (this.#again);
  }

  #cameraIds(): Set<string> {
    const { ground, segments } = this.#parts;
    return new Set([...ground.directory.all().map(({ id }) => id), ...segments.cameraIds()]);
  }

  /** The decision of the mode, once for each segment, when nothing that keeps it can still come. */
  #judge(): void {
    const { ground, segments } = this.#parts;
    const nowMs = ground.clock.now();
    const keep: number[] = [];
    const keepEvent: number[] = [];
    const away: Candidate[] = [];
    for (const row of segments.unjudged(nowMs - reportsLateMs)) {
      const camera = ground.directory.get(row.camera_id);
      const policy = camera?.recording ?? policyWithoutCamera;
      if (judgeableFromMs(row.to_ms, policy) > nowMs) continue;
      const verdict = this.#verdict(row, camera, policy, nowMs);
      if (verdict === 'delete') away.push(row);
      else (verdict === 'kept' ? keep : keepEvent).push(row.id);
    }
    const gone = new Set(this.#discard(away, 'not kept by the mode').map(({ id }) => id));
    // A lock holds it: from now on its days decide.
    keep.push(...away.filter(({ id }) => !gone.has(id)).map(({ id }) => id));
    if (keep.length > 0) segments.setJudged(keep, 1);
    if (keepEvent.length > 0) segments.setJudged(keepEvent, 2);
  }

  #verdict(
    row: Candidate,
    camera: KnownCamera | undefined,
    policy: RecordingPolicy,
    nowMs: number,
  ): ReturnType<typeof judge> {
    const { marks } = this.#parts;
    const range = { fromMs: row.from_ms - policy.post_roll_ms, toMs: row.to_ms + policy.pre_roll_ms };
    const happenings = {
      motion: marks.spans(row.camera_id, 'motion', range, nowMs),
      events: marks.spans(row.camera_id, 'event', range, nowMs),
      keeps: marks.spans(row.camera_id, 'keep', range, nowMs),
    };
    const inWindow: InWindow = camera ? windowsOf(camera) : () => true;
    return judge({ fromMs: row.from_ms, toMs: row.to_ms }, policy, happenings, inWindow);
  }

  #sweepCamera(cameraId: string): void {
    const { ground, segments, storages, marks } = this.#parts;
    const nowMs = ground.expiry.now();
    const policy = ground.directory.get(cameraId)?.recording ?? policyWithoutCamera;
    for (const judged of [1, 2] as const) {
      const untilMs = keptUntilMs({ toMs: 0, judged }, policy);
      if (untilMs === undefined) continue;
      this.#batches(() => segments.expired(cameraId, judged, nowMs - untilMs, nowMs), 'past its days');
    }
    const { quota_bytes: quota } = policy;
    if (quota !== null)
      this.#batches(
        () => freeing(storages.usedBy(cameraId) - quota, () => segments.oldestOfCamera(cameraId, nowMs)),
        "above the camera's quota",
      );
    const oldest = segments.range(cameraId)?.from_ms;
    if (oldest !== undefined) marks.forgetBefore(cameraId, oldest - dayMs);
  }

  #sweepStorage(storage: OpenStorage): void {
    const { segments, ground } = this.#parts;
    const { quota_bytes: quota, head_room_bytes: headRoom } = storage.row;
    const nowMs = ground.expiry.now();
    if (quota !== null)
      this.#batches(
        () => freeing(storage.usedBytes - quota, () => segments.oldestOfStorage(storage.row.id, nowMs)),
        "above the storage's quota",
      );
    // Of a disk that is not there we do not know how full it is.
    if (storage.trouble !== undefined && storage.trouble.state !== 'full') return;
    let missing = Math.max(headRoom, leastFreeBytes) - storage.freeBytes;
    this.#batches(() => {
      const chosen = freeing(missing, () => segments.oldestOfStorage(storage.row.id, nowMs));
      missing -= chosen.reduce((sum, row) => sum + row.bytes, 0);
      return chosen;
    }, 'the disk needs room');
  }

  #batches(choose: () => Candidate[], why: string): void {
    for (let batch = 0; batch < batchesMax; batch += 1) {
      const rows = choose();
      if (rows.length === 0) return;
      if (this.#discard(rows, why).length === 0) return;
    }
    this.#again = true;
  }

  #discard(rows: Candidate[], why: string): Candidate[] {
    const { segments, storages, ground } = this.#parts;
    if (rows.length === 0) return [];
    const gone = segments.discard(rows, why, ground.expiry.now());
    for (const row of gone) storages.get(row.storage_id)?.written(row.camera_id, -row.bytes);
    if (gone.length > 0) ground.log.info('footage_deleted', { segments: gone.length, why });
    return gone;
  }

  /** Files whose rows are gone: unlinked, the directories synced, then forgotten. */
  async #removeGarbage(storage: OpenStorage): Promise<void> {
    const { segments, files, ground } = this.#parts;
    if (storage.trouble !== undefined && storage.trouble.state !== 'full') return;
    for (let batch = 0; batch < batchesMax; batch += 1) {
      const rows = segments.garbage(storage.row.id);
      if (rows.length === 0) return;
      const gone: number[] = [];
      const directories = new Set<string>();
      await inParallel(rows, async (row) => {
        const path = join(storage.row.path, row.file);
        try {
          await files.remove(path);
        } catch (error) {
          if (errorCode(error) !== 'ENOENT') {
            ground.log.warn('file_not_removed', { file: row.file, error });
            return;
          }
        }
        gone.push(row.id);
        directories.add(dirname(path));
      });
      for (const directory of directories) await this.#tidy(directory);
      segments.garbageGone(gone);
      if (gone.length < rows.length) return;
    }
  }

  async #tidy(directory: string): Promise<void> {
    const { files, ground } = this.#parts;
    const today = toRfc3339(ground.clock.now()).slice(0, 10).replaceAll('-', '');
    try {
      await files.syncDirectory(directory);
      if (!directory.endsWith(today)) await files.removeDirectory(directory);
    } catch (error) {
      // Not empty, or gone already: both are what is to be expected.
      const code = errorCode(error);
      if (code !== 'ENOTEMPTY' && code !== 'ENOENT' && !this.#told.has(directory)) {
        this.#told.add(directory);
        ground.log.warn('directory_not_tidied', { directory, error });
      }
    }
  }
}

/** The candidates are looked up only when something is missing: this is asked at every sweep. */
const freeing = (missing: number, candidates: () => Candidate[]): Candidate[] =>
  missing > 0 ? oldestFreeing(candidates(), missing) : [];

async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: parallelMax }, worker));
}
