/** One link a camera, as the directory says: made, ended and made anew; what they tell goes to states, events and presence. */
import type { Ground } from '../../ground.ts';
import type { KnownCamera } from '../../domain/camera.ts';
import { onvifEndpoint } from '../../domain/address.ts';
import { wantedProfiles } from '../../domain/camera-row.ts';
import { cameraEvent } from '../../domain/onvif/camera-event.ts';
import { eventId } from '../../domain/onvif/notifications.ts';
import type { OnvifStateStore } from '../../store/onvif-state.store.ts';
import type { CameraRegistry } from '../core/camera-registry.ts';
import type { CameraStates } from '../core/camera-states.ts';
import { CameraLink } from './camera-link.ts';
import { endpointOf } from './discovery.ts';
import type { EventIntake } from './event-intake.ts';
import { examine, examinedRtsp } from './examine.ts';
import type { Finder } from './finder.ts';
import { isSameCamera, withExamined } from './learned.ts';
import { OnvifCamera } from './onvif-camera.ts';
import { OnvifError } from './onvif-error.ts';

/** Core sees that a camera is still there; an event a minute of each would be noise. */
const heartbeatMs = 300_000;
/** Links that begin at once after a start: 64 cameras that are all examined together would time out on a small box. */
const startEveryMs = 40;

/** Cameras that are examined at once: sixty that were imported together are reached one after another. */
const learnersMax = 6;

type Parts = {
  ground: Ground;
  registry: CameraRegistry;
  states: CameraStates;
  store: OnvifStateStore;
  intake: EventIntake;
  finder: Finder;
};

export class CameraLinks {
  readonly #parts: Parts;
  readonly #links = new Map<string, { link: CameraLink; reach: string; onvif: OnvifCamera | undefined }>();
  readonly #beatAt = new Map<string, number>();
  #learning = 0;
  readonly #learners: (() => void)[] = [];
  #off: (() => void) | undefined;
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  start(): void {
    const { ground } = this.#parts;
    this.#off = ground.signals.on((signal) => {
      if (signal.kind === 'directory') this.#follow(signal.cameraId);
    });
    for (const camera of ground.directory.all()) this.#parts.intake.recall(camera.id);
    void this.#begin(ground.directory.all().map(({ id }) => id));
  }

  /** Requests that are under way are not waited for: what they bring is dropped. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#off?.();
    await Promise.all([...this.#links.keys()].map((id) => this.#end(id)));
  }

  /** Connects anew, and reads anew what the camera has: its row asks for other profiles. */
  renew(cameraId: string): void {
    void this.#end(cameraId);
    this.#follow(cameraId);
  }

  isOnline(cameraId: string): boolean {
    return this.#links.get(cameraId)?.link.isOnline() ?? false;
  }

  counts(): { all: number; online: number } {
    const links = [...this.#links.values()];
    return { all: links.length, online: links.filter(({ link }) => link.isOnline()).length };
  }

  /** Signed in, to be told something. @throws OnvifError. */
  async onvif(camera: KnownCamera): Promise<OnvifCamera> {
    const known = this.#links.get(camera.id);
    if (known?.onvif && known.link.isOnline()) return known.onvif;
    const endpoint = onvifEndpoint(camera.onvifUrl ?? camera.address);
    if (camera.connection !== 'onvif' || !endpoint) throw new OnvifError('refused', 'it speaks no ONVIF');
    const { clock, network } = this.#parts.ground;
    const onvif = new OnvifCamera({ endpoint, login: camera.credentials, network, now: () => clock.now() });
    await onvif.connect();
    return onvif;
  }

  async #begin(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      if (this.#stopped) return;
      this.#follow(id);
      await new Promise((resolve) => setTimeout(resolve, startEveryMs));
    }
  }

  #follow(id: string): void {
    const { ground, states } = this.#parts;
    const camera = ground.directory.get(id);
    const link = this.#links.get(id);
    if (!camera) {
      void this.#end(id);
      states.forget(id);
      this.#beatAt.delete(id);
    } else if (!camera.enabled) {
      void this.#end(id);
      ground.setState(id, { connection: 'disabled', events: 'none', problem: null });
    } else if (link?.reach !== reachOf(camera) && !this.#stopped) {
      void this.#end(id);
      this.#open(camera);
    }
  }

  #open(camera: KnownCamera): void {
    const { ground, intake, finder } = this.#parts;
    const { id } = camera;
    ground.setState(id, { connection: 'connecting', events: 'none', problem: null });
    const link = new CameraLink({
      clock: ground.clock,
      network: ground.network,
      random: ground.random,
      log: ground.log.child({ camera_id: id }),
      hooks: {
        camera: () => ground.directory.get(id),
        learn: async (onvif) => {
          await this.#inTurn(() => this.#learn(id, onvif));
          const known = this.#links.get(id);
          if (known?.link === link) known.onvif = onvif;
          finder.found(id);
        },
        heard: (now, notifications, offsetMs) => intake.take(now, notifications, offsetMs),
        state: (patch) => {
          if (this.#links.get(id)?.link === link) ground.setState(id, patch);
        },
        presence: (online, reason) => this.#presence(id, online, reason),
        lookElsewhere: () => {
          if (ground.directory.get(id)?.connection === 'onvif') finder.want(id);
        },
      },
    });
    this.#links.set(id, { link, reach: reachOf(camera), onvif: undefined });
    link.start();
  }

  async #end(id: string): Promise<void> {
    const known = this.#links.get(id);
    if (!known) return;
    this.#links.delete(id);
    await known.link.stop();
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#learning >= learnersMax) await new Promise<void>((resolve) => this.#learners.push(resolve));
    this.#learning += 1;
    try {
      if (!this.#stopped) await work();
    } finally {
      this.#learning -= 1;
      this.#learners.shift()?.();
    }
  }

  /** Is it the camera that it was, and is all known of it? Rows that were imported have nothing yet. */
  async #learn(id: string, onvif: OnvifCamera | undefined): Promise<void> {
    const { ground, registry } = this.#parts;
    const row = registry.row(id);
    if (!row) return;
    if (!onvif) {
      if (row.streams.every(({ video }) => video !== null)) return;
      const urls = row.streams.map(({ url }) => url);
      const found = await examinedRtsp(urls, row.credentials, ground.network);
      const now = registry.row(id);
      // Removed, or given other streams, while it was asked.
      if (found.problem || now?.streams.some(({ url }, index) => url !== urls[index]) !== false) return;
      registry.save({ ...now, streams: found.streams, revision: now.revision + 1 });
      return;
    }
    const information = await onvif.deviceInformation();
    const other = row.serial !== null && information.serial !== null && row.serial !== information.serial;
    if (other && !isSameCamera(row, { mac: await onvif.mac().catch(() => null) }))
      throw new OnvifError(
        'nonsense',
        `another camera (serial ${information.serial ?? '?'}) answers at its address`,
      );
    if (row.streams.length > 0 && row.firmware === information.firmware && row.serial === information.serial)
      return;
    const found = await examine({
      address: row.onvifUrl ?? row.address,
      logins: row.credentials ? [row.credentials] : [],
      wanted: wantedProfiles(row),
      network: ground.network,
      now: () => ground.clock.now(),
    });
    const { host } = onvif.endpoint;
    const said = await endpointOf(host, {
      random: ground.random,
      network: ground.network,
      now: () => ground.clock.now(),
    });
    const now = registry.row(id);
    if (!now) return;
    if (found.problem) throw new OnvifError(found.problem.kind, found.problem.text);
    const isItself = said?.onvifUrl === now.onvifUrl;
    registry.save({ ...withExamined(now, found), endpoint: isItself ? said.endpoint : now.endpoint });
  }

  #presence(id: string, online: boolean, reason: string): void {
    const { ground, store } = this.#parts;
    const camera = ground.directory.get(id);
    if (!camera) return;
    const now = ground.clock.now();
    if (store.isOnline(id) === online) {
      const beatAt = this.#beatAt.get(id) ?? -Infinity;
      if (!online || ground.clock.monotonic() - beatAt < heartbeatMs) return;
      this.#beatAt.set(id, ground.clock.monotonic());
      const beat = { id: eventId(id, 'heartbeat', now), type: 'device.heartbeat', atMs: now, data: {} };
      ground.outbox.event(cameraEvent(camera, beat));
      return;
    }
    this.#beatAt.set(id, ground.clock.monotonic());
    const type = online ? 'device.online' : 'device.offline';
    store.together(() => {
      store.putOnline(id, online, now);
      ground.outbox.event(
        cameraEvent(camera, {
          id: eventId(id, type, now),
          type,
          atMs: now,
          data: { note: reason.slice(0, 500) },
        }),
      );
    });
  }
}

const reachOf = (camera: KnownCamera): string =>
  JSON.stringify([
    camera.connection,
    camera.address,
    camera.onvifUrl,
    camera.credentials,
    camera.streams[0]?.url,
  ]);
