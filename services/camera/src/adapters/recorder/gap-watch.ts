/**
 * Knows of one camera where footage should be and is not, and says so. What must stay true: each gap is one row; an alarm is
 * given once and taken back once, whatever restarts lie between.
 */
import { toRfc3339 } from '@siphera/runtime';
import type { CameraState } from '@siphera/contract';
import { recordingEvent } from '../../domain/footage-event.ts';
import type { GapRow } from '../../store/mark.store.ts';
import type { RecorderParts } from './parts.ts';

/** Shorter breaks are joints of a stream, not gaps. */
const gapMs = 2_000;
/** After this without a fragment an alarm is given: a camera that was only unplugged for a moment is back by then. */
const silentMs = 30_000;

export class GapWatch {
  readonly #parts: Pick<RecorderParts, 'ground' | 'segments' | 'marks'>;
  readonly #cameraId: string;
  #lastEndMs: number | undefined;
  #heardMs: number;
  #startedMs: number;
  #why: string;
  #open: GapRow | undefined;
  #shown: CameraState['recording'] | undefined;

  constructor(parts: Pick<RecorderParts, 'ground' | 'segments' | 'marks'>, cameraId: string, fresh: boolean) {
    this.#parts = parts;
    this.#cameraId = cameraId;
    this.#heardMs = parts.ground.clock.monotonic();
    this.#startedMs = parts.ground.clock.now();
    this.#why = fresh ? 'The camera was not reached.' : 'The camera service was not running.';
    if (!fresh) this.#lastEndMs = parts.segments.range(cameraId)?.to_ms ?? undefined;
    this.#open = parts.marks.openGap(cameraId);
  }

  /** The last reason known when a gap is seen is the gap's. */
  because(why: string): void {
    this.#why = why;
  }

  wrote(startMs: number, endMs: number): void {
    const { ground, marks } = this.#parts;
    this.#heardMs = ground.clock.monotonic();
    if (this.#open) this.#endGap(startMs, 'The camera is recorded again.');
    else if (this.#lastEndMs !== undefined && startMs - this.#lastEndMs > gapMs)
      marks.addGap(this.#cameraId, { fromMs: this.#lastEndMs, toMs: startMs, why: this.#why, told: false });
    // Earlier than before when the clock was set back: from then on gaps are told by the new time.
    this.#lastEndMs = endMs;
  }

  /** Every few seconds, while the camera should be recorded. `idle`: written, but nothing of now is kept as it stands. */
  look(idle: boolean): void {
    const { clock } = this.#parts.ground;
    if (clock.monotonic() - this.#heardMs > silentMs && this.#open?.told !== 1) this.#alarm();
    this.#show(
      this.#open?.told === 1 ? 'lost' : idle || this.#lastEndMs === undefined ? 'waiting' : 'recording',
    );
  }

  switchedOff(reason: string): void {
    if (this.#open) this.#endGap(this.#parts.ground.clock.now(), reason);
    this.#show('off');
  }

  #alarm(): void {
    const { ground, marks } = this.#parts;
    const lastMs = this.#open?.from_ms ?? this.#lastEndMs ?? this.#startedMs;
    // Footage from before the clock was set back lies in the future.
    const fromMs = Math.min(lastMs, ground.clock.now());
    const camera = ground.directory.get(this.#cameraId);
    ground.db.transaction(() => {
      if (this.#open) marks.gapTold(this.#open.id, this.#why);
      else marks.addGap(this.#cameraId, { fromMs, toMs: null, why: this.#why, told: true });
      if (!camera) return;
      const what = { sinceMs: fromMs, reason: this.#why, atMs: ground.clock.now() };
      ground.outbox.event(recordingEvent(camera, 'camera.recording_lost', what));
    })();
    this.#open = marks.openGap(this.#cameraId);
    ground.log.warn('recording_lost', {
      camera: this.#cameraId,
      since: toRfc3339(fromMs),
      reason: this.#why,
    });
  }

  #endGap(atMs: number, reason: string): void {
    const { ground, marks } = this.#parts;
    const open = this.#open;
    this.#open = undefined;
    if (!open) return;
    const camera = ground.directory.get(this.#cameraId);
    ground.db.transaction(() => {
      marks.endGap(open.id, atMs);
      if (!camera || open.told === 0) return;
      const what = { sinceMs: open.from_ms, reason, atMs: ground.clock.now() };
      ground.outbox.event(recordingEvent(camera, 'camera.recording_restored', what));
    })();
    ground.log.info('recording_restored', { camera: this.#cameraId });
  }

  #show(recording: CameraState['recording']): void {
    if (recording === this.#shown) return;
    this.#shown = recording;
    const { ground } = this.#parts;
    ground.setState(this.#cameraId, { recording, since: toRfc3339(ground.clock.now()) });
  }
}
