/**
 * The cameras of this service: the stored connection of each, joined with its name, place and scopes from core. Core's last
 * answer is kept, so a restart without core still records; the feed tells when to ask again. What must stay true: a camera
 * that core does not know is nobody's to see and is not recorded, but its connection is forgotten only when core says that
 * the device was deleted.
 */
import {
  InternalDevices,
  internalPaths,
  type FeedEntry,
  type InternalArea,
  type InternalDevice,
  type StreamRole,
} from '@siphera/contract';
import type { InternalClient, Logger, Sqlite } from '@siphera/runtime';
import { z } from 'zod';
import { withSecret, type CameraRow } from '../../domain/camera-row.ts';
import type {
  CameraDirectory,
  FootageCamera,
  KnownCamera,
  SeenStream,
  Signal,
  SignalHub,
} from '../../domain/camera.ts';
import type { CameraStore } from '../../store/camera.store.ts';
import type { RegistryStore } from '../../store/registry.store.ts';
import type { RemovedCameraStore } from '../../store/removed-camera.store.ts';

/** Entries of one import come within this. */
const heardMs = 100;
const retryMs = 2_000;
const PlacedDevice = z.object({
  kind: z.string(),
  name: z.string(),
  area_id: z.string(),
  area_name: z.string(),
});

type Change = Extract<Signal, { kind: 'directory' }>['change'];

type Options = {
  client: InternalClient;
  db: Sqlite;
  cameras: CameraStore;
  registry: RegistryStore;
  removed: RemovedCameraStore;
  signals: SignalHub;
  log: Logger;
};

export class CameraRegistry implements CameraDirectory {
  readonly #options: Options;
  readonly #rows = new Map<string, CameraRow>();
  #places = new Map<string, InternalDevice>();
  #areas = new Map<string, InternalArea>();
  readonly #known = new Map<string, KnownCamera>();
  #reading: Promise<void> | undefined;
  #readAgain = false;
  /** Core's last answer, so that one that tells nothing new is not written. */
  #lastRead = '';
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  readonly #off: () => void;

  /** @throws Error when a stored password does not open: that stops the start. */
  constructor(options: Options) {
    this.#options = options;
    for (const row of options.cameras.all()) this.#rows.set(row.id, row);
    this.#place(options.registry.read());
    for (const id of this.#rows.keys()) this.#join(id);
    this.#off = options.signals.on((signal) => {
      if (signal.kind === 'stream' && signal.seen) this.#see(signal.cameraId, signal.role, signal.seen);
    });
  }

  get(id: string): KnownCamera | undefined {
    return this.#known.get(id);
  }

  all(): readonly KnownCamera[] {
    return [...this.#known.values()];
  }

  removed(id: string): FootageCamera | undefined {
    return this.#known.has(id) ? undefined : this.#options.removed.get(id);
  }

  removedOf(orgId: string): readonly FootageCamera[] {
    return this.#options.removed.of(orgId).filter(({ id }) => !this.#known.has(id));
  }

  row(id: string): CameraRow | undefined {
    return this.#rows.get(id);
  }

  /** Every stored camera, those included that core does not know. */
  rows(): readonly CameraRow[] {
    return [...this.#rows.values()];
  }

  /** A device of core's registry, whether it has a connection here or not. */
  device(id: string): InternalDevice | undefined {
    return this.#places.get(id);
  }

  area(id: string): InternalArea | undefined {
    return this.#areas.get(id);
  }

  areasOf(siteId: string): readonly InternalArea[] {
    return [...this.#areas.values()].filter((area) => area.site_id === siteId);
  }

  /** Stores a camera and tells all parts. `also` runs in the same transaction. */
  save(row: CameraRow, also?: () => void): void {
    this.saveAll([row], also);
  }

  saveAll(rows: readonly CameraRow[], also?: () => void): void {
    this.#options.db
      .transaction(() => {
        for (const row of rows) this.#options.cameras.save(row);
        also?.();
      })
      .immediate();
    for (const row of rows) {
      this.#rows.set(row.id, row);
      this.#update(row.id);
    }
  }

  remove(id: string): void {
    if (!this.#rows.has(id)) return;
    const known = this.#known.get(id);
    const remove = this.#options.db.transaction(() => {
      if (known) this.#options.removed.put(known);
      this.#options.cameras.remove(id);
    });
    remove.immediate();
    this.#rows.delete(id);
    this.#update(id);
  }

  /** Entries of kind device, area and site. Devices change their state all day long; only what moves or names cameras counts. */
  hear(entries: readonly FeedEntry[]): void {
    for (const { kind, action, id } of entries)
      if (kind === 'device' && action === 'deleted') this.remove(id);
    if (entries.some((entry) => this.#concerns(entry))) this.#refreshSoon(heardMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#off();
    clearTimeout(this.#timer);
  }

  /** Asks core again. Calls that come meanwhile share the next reading. @throws AppError when core does not answer. */
  async refresh(): Promise<void> {
    if (this.#reading) {
      // The reading under way may be older than what the caller knows of.
      this.#readAgain = true;
      return this.#reading;
    }
    this.#reading = this.#read().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  /** A stream's own word counts more than what ONVIF or RTSP said of it. */
  #see(id: string, role: StreamRole, seen: SeenStream): void {
    const row = this.#rows.get(id);
    const stream = row?.streams.find((one) => one.role === role);
    if (!row || !stream || this.#stopped) return;
    const changed = { ...stream, ...seen };
    if (JSON.stringify(changed) === JSON.stringify(stream)) return;
    this.#options.log.info('stream_is_other', { camera_id: id, stream: role, ...seen, said: stream.video });
    const streams = row.streams.map((one) => (one === stream ? changed : one));
    try {
      this.save({ ...row, streams, revision: row.revision + 1 });
    } catch (error) {
      // A full disk: it is recorded all the same, and the next connection says so again.
      this.#options.log.error('stream_not_noted', { error, camera_id: id });
    }
  }

  #concerns({ kind, id, data }: FeedEntry): boolean {
    if (kind === 'area' || kind === 'site') return true;
    if (kind !== 'device') return false;
    const device = PlacedDevice.safeParse(data).data;
    if (!device) return true;
    const known = this.#places.get(id);
    if (!known) return device.kind === 'camera';
    return (
      known.name !== device.name || known.area_id !== device.area_id || known.area_name !== device.area_name
    );
  }

  /** Soon, so that one import is one reading; until core has answered. */
  #refreshSoon(ms: number): void {
    if (this.#stopped || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.refresh().catch((error: unknown) => {
        this.#options.log.warn('registry_not_read', { error });
        this.#refreshSoon(retryMs);
      });
    }, ms);
  }

  async #read(): Promise<void> {
    do {
      this.#readAgain = false;
      const answer = InternalDevices.parse(
        await this.#options.client.call('GET', `${internalPaths.devices}?kind=camera`),
      );
      const registry = { devices: answer.items, areas: answer.areas ?? [] };
      if (this.#stopped) return;
      const text = JSON.stringify(registry);
      if (text === this.#lastRead) continue;
      this.#keep(registry);
      this.#lastRead = text;
      this.#place(registry);
      for (const id of this.#rows.keys()) this.#update(id);
    } while (this.#readAgain);
  }

  /** Core's answer, and what is left of cameras that core knew and does not name any more. */
  #keep(registry: { devices: InternalDevice[]; areas: InternalArea[] }): void {
    const { db, registry: store, removed } = this.#options;
    const named = new Set(registry.devices.map(({ id }) => id));
    const keep = db.transaction(() => {
      for (const camera of this.#known.values()) if (!named.has(camera.id)) removed.put(camera);
      store.replace(registry);
    });
    keep.immediate();
  }

  #place({ devices, areas }: { devices: InternalDevice[]; areas: InternalArea[] }): void {
    this.#places = new Map(devices.map((device) => [device.id, device]));
    this.#areas = new Map(areas.map((area) => [area.id, area]));
  }

  #update(id: string): void {
    const before = this.#known.get(id);
    const after = this.#join(id);
    const change = whatChanged(before, after);
    if (change === undefined) return;
    if (change === 'removed' && this.#rows.has(id))
      this.#options.log.warn('camera_unknown_to_core', { camera_id: id });
    this.#options.signals.emit({ kind: 'directory', cameraId: id, change });
  }

  #join(id: string): KnownCamera | undefined {
    const row = this.#rows.get(id);
    const place = this.#places.get(id);
    const known = row && place && join(row, place);
    if (known) this.#known.set(id, known);
    else this.#known.delete(id);
    return known;
  }
}

const join = (row: CameraRow, place: InternalDevice): KnownCamera => ({
  id: row.id,
  orgId: place.org_id,
  siteId: place.site_id,
  areaId: place.area_id,
  areaName: place.area_name,
  name: place.name,
  timeZone: place.site_time_zone,
  scopes: place.scopes,
  enabled: row.enabled,
  connection: row.connection,
  address: row.address,
  onvifUrl: row.onvifUrl ?? undefined,
  credentials: row.credentials ?? undefined,
  streams: row.streams.map((stream) => withSecret(stream, row.credentials)),
  recording: row.recording,
  motionHoldMs: row.motionHoldMs,
  watches: row.watches,
});

function whatChanged(before: KnownCamera | undefined, after: KnownCamera | undefined): Change | undefined {
  if (!before) return after ? 'added' : undefined;
  if (!after) return 'removed';
  return JSON.stringify(before) === JSON.stringify(after) ? undefined : 'changed';
}
