/**
 * Hears of incidents on core's feed and writes down what is to be kept of them: for each camera that sees the place a lock,
 * a clip and three stills, as rows in one transaction. Keeping them is the keeper's matter, so that a restart loses nothing.
 */
import { Incident, type FeedEntry, type FootageSettings } from '@siphera/contract';
import type { Clock, Logger, Random, Sqlite } from '@siphera/runtime';
import type { CameraDirectory, KnownCamera } from '../../domain/camera.ts';
import { seesIncident, stillOffsetsMs, type IncidentPlace } from '../../domain/incident-view.ts';
import type { ClipStore, NewClip } from '../../store/clip.store.ts';
import type { LockRow, LockStore } from '../../store/lock.store.ts';
import type { StillStore } from '../../store/still.store.ts';

export type WatchOptions = {
  db: Sqlite;
  clips: ClipStore;
  stills: StillStore;
  locks: LockStore;
  directory: CameraDirectory;
  /** Scope keys of an area, its own first; undefined when core named no such area. */
  areaScopes(areaId: string): readonly string[] | undefined;
  /** When the camera was added here: it has no footage from before. */
  addedMs(cameraId: string): number;
  settings(): FootageSettings;
  clock: Clock;
  random: Random;
  log: Logger;
};

export type KeepInput = {
  incident: {
    id: string;
    number?: number | undefined;
    title?: string | undefined;
    /** Of a test alarm: kept for a day. */
    test?: boolean;
  };
  camera: KnownCamera;
  atMs: number;
  /** Footage is kept until then at least. */
  toMs?: number;
};

const dayMs = 86_400_000;

export class IncidentWatch {
  readonly #options: WatchOptions;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Entries of kind incident, once or more than once. */
  hear(entries: readonly FeedEntry[]): void {
    for (const entry of entries) {
      if (entry.kind !== 'incident' || entry.action === 'deleted') continue;
      const incident = Incident.safeParse(entry.data);
      if (!incident.success) {
        this.#options.log.error('incident_not_understood', { incident_id: entry.id, error: incident.error });
        continue;
      }
      this.#options.db.transaction(() => this.#take(incident.data)).immediate();
    }
  }

  /**
   * Lock, clip and stills of one camera. Called inside a transaction. @returns false when it has clip and stills already: then
   * the clip goes on as long, and what no lock of this incident holds yet is locked.
   */
  keep({ incident, camera, atMs, toMs }: KeepInput): boolean {
    const { clips, stills, locks, clock, random } = this.#options;
    const settings = this.#options.settings();
    const fromMs = atMs - settings.evidence_before_ms;
    const end = Math.max(atMs + Math.max(settings.evidence_after_ms, 1), toMs ?? 0);
    const untilMs = clock.now() + (incident.test ? 1 : settings.evidence_keep_days) * dayMs;
    const clipId = random.uuid();
    const clip: NewClip = {
      id: clipId,
      incident_id: incident.id,
      camera_id: camera.id,
      org_id: camera.orgId,
      camera_name: camera.name,
      time_zone: camera.timeZone,
      at_ms: atMs,
      from_ms: fromMs,
      to_ms: end,
      due_ms: atMs,
      until_ms: untilMs,
    };
    const lock: LockRow = {
      id: random.uuid(),
      camera_id: camera.id,
      from_ms: fromMs,
      to_ms: end,
      reason: incident.number === undefined ? 'Incident' : `Incident ${incident.number}: ${incident.title}`,
      incident_id: incident.id,
      locked_by: 'Siphera',
      locked_ms: clock.now(),
      until_ms: untilMs,
    };
    locks.addUncovered(lock);
    if (!clips.add(clip)) {
      clips.extend(clip);
      return false;
    }
    for (const offset of stillOffsetsMs)
      stills.add({
        id: random.uuid(),
        clip_id: clipId,
        camera_id: camera.id,
        org_id: camera.orgId,
        at_ms: atMs + offset,
        state: 'pending',
        command_id: null,
        until_ms: untilMs,
      });
    return true;
  }

  #take(incident: Incident): void {
    const { clips, clock, directory } = this.#options;
    const known = clips.heard(incident.id);
    const all = [
      ...new Set([...incident.device_ids, ...(incident.device_id === null ? [] : [incident.device_id])]),
    ];
    const fresh = known === undefined ? all : all.filter((id) => !known.includes(id));
    if (known !== undefined && fresh.length === 0) return;
    const place = this.#placeOf(incident, fresh, known === undefined);
    const atMs = momentOf(incident, known === undefined);
    for (const camera of directory.all())
      if (seesIncident(camera, place)) this.#keepOnce(incident, camera, atMs);
    clips.hear(incident.id, all, clock.now() + this.#options.settings().evidence_keep_days * dayMs);
  }

  #keepOnce(incident: Incident, camera: KnownCamera, atMs: number): void {
    const { evidence_after_ms } = this.#options.settings();
    // An incident from before the camera was there: nothing of it can be missed.
    if (this.#options.addedMs(camera.id) > atMs + evidence_after_ms) return;
    this.keep({ incident, camera, atMs });
  }

  /** Of an incident that grew, only what is new: its place had its cameras already. */
  #placeOf(incident: Incident, deviceIds: readonly string[], first: boolean): IncidentPlace {
    const areaId = first ? (incident.area_id ?? undefined) : undefined;
    return {
      orgId: incident.org_id,
      deviceIds,
      areaId,
      areaScopes: areaId === undefined ? [] : (this.#options.areaScopes(areaId) ?? [`area:${areaId}`]),
    };
  }
}

/** When it happened: a report that came late is about then. Of an incident that grew, when its newest part did. */
const momentOf = (incident: Incident, first: boolean): number =>
  first
    ? Date.parse(incident.opened_at) - incident.late_ms
    : Date.parse(incident.last_event_at ?? incident.updated_at);
