/** The forecast of this box, from measured bitrates, and the daily alarm when a promise cannot be kept. */
import type { KnownCamera } from '../../domain/camera.ts';
import { sitesOf, storageEvent } from '../../domain/footage-event.ts';
import { forecast, type Forecast, type RecordedCamera } from '../../domain/forecast.ts';
import { capacityBytes } from '../../domain/pick-storage.ts';
import type { RecorderParts } from './parts.ts';
import { weekShare } from './windows.ts';

const dayMs = 86_400_000;
/** Bitrates are measured over a minute, and a start is no day like others. */
const settleMs = 600_000;
/** What modes keep of the day is known after this much of it. */
const historyMs = 7 * dayMs;
const bytesPerDayOf = (bitsPerSecond: number): number => (bitsPerSecond / 8) * 86_400;

export class Forecaster {
  readonly #parts: RecorderParts;
  readonly #startedMs: number;
  #toldDay: number | undefined;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#startedMs = parts.ground.clock.monotonic();
  }

  /** `extra`: bitrates of cameras that are not there yet, recorded for a share of the day. */
  forecast(
    extra: { bitratesBps: readonly number[]; dayShare: number } = { bitratesBps: [], dayShare: 1 },
  ): Forecast {
    const { ground, storages } = this.#parts;
    const recorded = ground.directory
      .all()
      .filter((camera) => camera.enabled && camera.recording.mode !== 'off')
      .map((camera) => this.#recorded(camera));
    const added = extra.bitratesBps.map((bps, index) => ({
      id: `new-${index + 1}`,
      name: `New camera ${index + 1}`,
      bytesPerDay: bytesPerDayOf(bps) * extra.dayShare,
      keepDays: null,
      quotaBytes: null,
      storageId: null,
    }));
    const rooms = storages
      .all()
      .filter((storage) => storage.trouble === undefined || storage.trouble.state === 'full')
      .map((storage) => ({ storageId: storage.row.id, bytes: capacityBytes(storage.view()) }));
    return forecast([...recorded, ...added], rooms);
  }

  /** Once a day, when footage will be deleted before its promised days. */
  alarm(): void {
    const { ground } = this.#parts;
    const day = Math.floor(ground.clock.now() / dayMs);
    if (this.#toldDay === day || ground.clock.monotonic() - this.#startedMs < settleMs) return;
    this.#toldDay = day;
    const { short } = this.forecast();
    const [worst] = short.toSorted((a, b) => a.keepsDays - b.keepsDays);
    if (!worst) return;
    const reason = `${short.length === 1 ? 'One camera is' : `${short.length} cameras are`} kept for less than promised, "${worst.name}" for ${worst.keepsDays} of ${worst.promisedDays} days. Add a disk, or promise less.`;
    ground.log.warn('retention_short', { cameras: short.length });
    const what = { storage: 'all', reason, key: String(day), atMs: ground.clock.now() };
    for (const site of sitesOf(ground.directory.all()))
      ground.outbox.event(storageEvent(site, 'camera.retention_short', what));
  }

  #recorded(camera: KnownCamera): RecordedCamera {
    const { keep_days: keepDays, quota_bytes: quotaBytes, storage_id: storageId } = camera.recording;
    const bytesPerDay = this.#bytesPerDay(camera);
    return { id: camera.id, name: camera.name, bytesPerDay, keepDays, quotaBytes, storageId };
  }

  #bytesPerDay(camera: KnownCamera): number {
    const { streams, segments, ground } = this.#parts;
    const measured = streams.current({ cameraId: camera.id, role: 'main' })?.bitrateBps ?? 0;
    const announced = camera.streams.find((stream) => stream.role === 'main')?.bitrate_bps ?? 0;
    const whole = bytesPerDayOf(measured > 0 ? measured : announced);
    if (camera.recording.mode === 'continuous') return whole;
    if (camera.recording.mode === 'schedule') return whole * weekShare(camera);
    // What motion and events keep is known from what they kept, after a day of it.
    const nowMs = ground.clock.now();
    const kept = segments.keptSince(camera.id, nowMs - historyMs);
    const daysSeen = kept.from_ms === null ? 0 : (nowMs - kept.from_ms) / dayMs;
    return daysSeen < 1 ? whole : Math.min(whole, kept.bytes / daysSeen);
  }
}
