/**
 * Records what should be recorded: one `CameraRecorder` a camera that is not off, the disks looked at, retention, marks of
 * what the cameras reported. What must stay true: recording begins before anything else is tidied up.
 */
import type { KnownCamera, Signal } from '../../domain/camera.ts';
import type { LiveStreams } from '../../domain/media.ts';
import type { Ground } from '../../ground.ts';
import { MarkStore } from '../../store/mark.store.ts';
import { SegmentStore } from '../../store/segment.store.ts';
import { StorageStore } from '../../store/storage.store.ts';
import { CameraRecorder } from './camera-recorder.ts';
import { endsWithin } from './ends-within.ts';
import { realFiles, type Files } from './files.ts';
import { Footage } from './footage.ts';
import { Forecaster } from './forecaster.ts';
import type { RecorderParts } from './parts.ts';
import { closeUnfinished, reconcileStorage } from './reconcile.ts';
import { Retention } from './retention.ts';
import { Storages, type OpenStorage } from './storages.ts';
import { windowsOf } from './windows.ts';

/** How often gaps and disks are looked at: an alarm comes at most this much after its time. */
const lookMs = 3_000;
const sweepMs = 10_000;
/** What a crash left open is closed in less, 64 files of half a minute; a disk that hangs must not hold up the start. */
const closeMsMax = 10_000;

export class Recorder {
  readonly footage: Footage;
  readonly storages: Storages;
  readonly retention: Retention;
  readonly forecaster: Forecaster;
  readonly #parts: RecorderParts;
  readonly #cameras = new Map<string, CameraRecorder>();
  readonly #timers: NodeJS.Timeout[] = [];
  #off: (() => void) | undefined;
  #startedMs = 0;
  /** Storages that were there at the last look, and those whose rows were compared with their files. */
  readonly #there = new Set<string>();
  readonly #compared = new Set<string>();
  readonly #comparing = new Map<string, Promise<void>>();
  #stopped = false;

  constructor(ground: Ground, streams: LiveStreams, files: Files = realFiles) {
    const segments = new SegmentStore(ground.db);
    const marks = new MarkStore(ground.db);
    this.storages = new Storages({ ground, files, segments, store: new StorageStore(ground.db) });
    this.#parts = {
      ground,
      files,
      streams,
      segments,
      marks,
      storages: this.storages,
      growing: new Map(),
      making: new Set(),
      onPressure: () => this.#sweep(),
      waiting: { bytes: 0 },
    };
    this.footage = new Footage(this.#parts);
    this.retention = new Retention(this.#parts);
    this.forecaster = new Forecaster(this.#parts);
  }

  async start(): Promise<void> {
    const { ground } = this.#parts;
    this.#startedMs = ground.clock.now();
    await this.storages.start();
    const there = this.#returned();
    if (!(await endsWithin(this.#close(there), closeMsMax))) ground.log.error('segments_not_closed_yet', {});
    this.#off = ground.signals.on((signal) => this.#hear(signal));
    for (const camera of ground.directory.all()) this.#follow(camera.id, false);
    this.#timers.push(
      setInterval(() => {
        this.look().catch((error: unknown) => ground.log.error('look_failed', { error }));
      }, lookMs),
      setInterval(() => this.#sweep(), sweepMs),
    );
    this.#compare(there);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#off?.();
    for (const timer of this.#timers) clearInterval(timer);
    const all = [...this.#cameras.values()];
    this.#cameras.clear();
    await Promise.all(all.map((recorder) => recorder.stop(undefined)));
    await Promise.all(this.#comparing.values());
    await this.retention.settled();
  }

  /** Segments under way, for figures. */
  get growing(): number {
    return this.#parts.growing.size;
  }

  /** One look at gaps and disks, as the service does every few seconds. A disk that hangs must not silence the alarm for it. */
  async look(): Promise<void> {
    for (const [id, recorder] of this.#cameras) {
      const camera = this.#parts.ground.directory.get(id);
      if (camera) recorder.look(this.#isIdle(camera));
    }
    await this.storages.check();
    if (this.#stopped) return;
    const returned = this.#returned();
    await this.#close(returned);
    this.#compare(returned);
    this.forecaster.alarm();
  }

  #sweep(): void {
    this.retention.sweep().catch((error: unknown) => {
      this.#parts.ground.log.error('retention_failed', { error });
    });
  }

  /** Storages that can be read and could not at the last look: all at the start, later those that came back or are new. */
  #returned(): OpenStorage[] {
    const returned: OpenStorage[] = [];
    for (const storage of this.storages.all()) {
      const { id } = storage.row;
      if (storage.isAway) this.#there.delete(id);
      else if (!this.#there.has(id)) {
        this.#there.add(id);
        returned.push(storage);
      }
    }
    return returned;
  }

  async #close(storages: readonly OpenStorage[]): Promise<void> {
    await Promise.all(storages.map((storage) => closeUnfinished(this.#parts, storage)));
  }

  /** Once for each storage, beside recording; again when a look at it was broken off. */
  #compare(storages: readonly OpenStorage[]): void {
    for (const storage of storages) {
      const { id } = storage.row;
      if (this.#stopped || this.#compared.has(id) || this.#comparing.has(id)) continue;
      this.#comparing.set(
        id,
        this.#reconcile(storage).finally(() => this.#comparing.delete(id)),
      );
    }
  }

  async #reconcile(storage: OpenStorage): Promise<void> {
    const { ground } = this.#parts;
    const { id } = storage.row;
    try {
      const found = await reconcileStorage(this.#parts, storage, this.#startedMs, () => this.#stopped);
      this.#compared.add(id);
      ground.log.info('footage_compared', { storage: id, ...found });
    } catch (error) {
      ground.log.error('footage_not_compared', { storage: id, error });
    }
  }

  #hear(signal: Signal): void {
    const { marks, segments, ground } = this.#parts;
    try {
      switch (signal.kind) {
        case 'directory':
          this.#follow(signal.cameraId, true);
          return;
        case 'motion':
          this.#motion(signal);
          return;
        case 'happened':
          marks.event(signal.cameraId, signal);
          segments.markEvent(signal.cameraId, signal.atMs, signal.atMs);
          return;
        case 'keep':
          marks.keep(signal.cameraId, signal, signal.why);
          segments.markEvent(signal.cameraId, signal.fromMs, signal.toMs);
          return;
        case 'stream':
          return;
      }
    } catch (error) {
      // A full database disk must not end what else hears the signal.
      ground.log.error('mark_not_stored', { camera: signal.cameraId, kind: signal.kind, error });
    }
  }

  #motion(signal: Signal & { kind: 'motion' }): void {
    const { marks, segments } = this.#parts;
    if (signal.on) {
      marks.motionBegins(signal.cameraId, signal.atMs);
      return;
    }
    const span = marks.motionEnds(signal.cameraId, signal.atMs);
    if (span) segments.markEvent(signal.cameraId, span.fromMs, span.toMs);
  }

  #follow(cameraId: string, fresh: boolean): void {
    const camera = this.#parts.ground.directory.get(cameraId);
    const recorder = this.#cameras.get(cameraId);
    const wanted = camera?.enabled === true && camera.recording.mode !== 'off';
    if (wanted && !recorder) {
      const made = new CameraRecorder(this.#parts, cameraId, fresh);
      this.#cameras.set(cameraId, made);
      made.start();
    } else if (!wanted && recorder) {
      this.#cameras.delete(cameraId);
      void recorder.stop(camera ? 'Recording was switched off.' : 'The camera was removed.');
    } else if (!wanted && camera) {
      this.#parts.ground.setState(cameraId, { recording: 'off' });
    }
  }

  /** Written, but only kept when something happens. */
  #isIdle(camera: KnownCamera): boolean {
    const { recording } = camera;
    const { marks, ground } = this.#parts;
    const nowMs = ground.clock.now();
    const range = { fromMs: nowMs - recording.post_roll_ms, toMs: nowMs };
    switch (recording.mode) {
      case 'continuous':
        return false;
      case 'off':
        return true;
      case 'schedule':
        return !windowsOf(camera)(nowMs);
      case 'motion':
        return marks.spans(camera.id, 'motion', range, nowMs).length === 0;
      case 'events':
        return (['motion', 'event'] as const).every(
          (kind) => marks.spans(camera.id, kind, range, nowMs).length === 0,
        );
    }
  }
}
