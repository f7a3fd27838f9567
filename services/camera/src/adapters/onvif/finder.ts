/**
 * Looks for cameras that do not answer any more at another address: by their WS-Discovery endpoint, MAC or serial. An answer to
 * a discovery is only a claim: the address is changed after the camera there has shown the same serial or MAC.
 */
import type { Ground } from '../../ground.ts';
import { wantedProfiles, type CameraRow } from '../../domain/camera-row.ts';
import type { CameraRegistry } from '../core/camera-registry.ts';
import { discover, type Discovered } from './discovery.ts';
import { examine } from './examine.ts';
import { isSameCamera, withExamined } from './learned.ts';

/** A whole LAN is asked each time, so not often, however many cameras are gone. */
const everyMs = 30_000;
const waitMs = 2_500;
/** Strangers that may be asked for their serial in one look, with the password of the camera that is gone. */
const strangersMax = 8;

export class Finder {
  readonly #ground: Ground;
  readonly #registry: CameraRegistry;
  readonly #wanted = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #lookedAt = -Infinity;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(ground: Ground, registry: CameraRegistry) {
    this.#ground = ground;
    this.#registry = registry;
  }

  want(cameraId: string): void {
    this.#wanted.add(cameraId);
    if (this.#timer || this.#looking || this.#stopped) return;
    const waitedMs = this.#ground.clock.monotonic() - this.#lookedAt;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#looking = this.#look()
          .catch((error: unknown) => this.#ground.log.error('rediscovery_failed', { error }))
          .finally(() => (this.#looking = undefined));
      },
      Math.max(0, everyMs - waitedMs),
    );
  }

  found(cameraId: string): void {
    this.#wanted.delete(cameraId);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** Takes a new address when the camera there is the same one. */
  async offer(row: CameraRow, at: Discovered): Promise<boolean> {
    if (at.onvifUrl === row.onvifUrl) return false;
    const logins = row.credentials ? [row.credentials] : [];
    const found = await examine({
      address: at.onvifUrl,
      logins,
      wanted: wantedProfiles(row),
      network: this.#ground.network,
      now: () => this.#ground.clock.now(),
    });
    const { serial } = found.information;
    const shown =
      row.serial !== null || row.mac !== null ? { serial, mac: found.mac } : { endpoint: at.endpoint };
    if (found.problem || !isSameCamera(row, shown)) return false;
    const now = this.#registry.row(row.id);
    if (!now || this.#stopped) return false;
    const moved = { ...withExamined(now, found), endpoint: at.endpoint === '' ? now.endpoint : at.endpoint };
    this.#registry.save(moved, () =>
      this.#ground.outbox.audit({
        actor: { kind: 'service', id: 'camera', name: 'camera' },
        org_id: row.orgId,
        action: 'camera.moved',
        target: `camera:${row.id}`,
        detail: { from: row.address, to: moved.address },
      }),
    );
    this.#ground.log.info('camera_moved', { camera_id: row.id, from: row.address, to: moved.address });
    return true;
  }

  async #look(): Promise<void> {
    this.#lookedAt = this.#ground.clock.monotonic();
    const { config, random, clock, network } = this.#ground;
    const wanted = [...this.#wanted];
    this.#wanted.clear();
    const heard = await discover({
      waitMs,
      from: config.DISCOVERY_ADDRESSES,
      random,
      network,
      now: () => clock.now(),
    });
    for (const id of wanted) {
      const row = this.#registry.row(id);
      if (!row || this.#stopped) continue;
      const named = heard.filter((one) => isSameCamera(row, one));
      const strangers = heard.filter(
        (one) =>
          !this.#registry.rows().some((known) => isSameCamera(known, one) || known.onvifUrl === one.onvifUrl),
      );
      for (const one of [...named, ...(named.length > 0 ? [] : strangers.slice(0, strangersMax))])
        if (await this.offer(row, one)) break;
    }
  }
}
