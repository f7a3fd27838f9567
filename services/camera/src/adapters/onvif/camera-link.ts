/**
 * The standing connection to one camera: signs in, keeps its pull point alive, and knows whether the camera is there. After a
 * reboot or a lost subscription it subscribes again within 10 s; a camera whose answer stays away is looked for elsewhere.
 */
import type { Clock, Logger, Random } from '@siphera/runtime';
import { onvifEndpoint } from '../../domain/address.ts';
import { backoffMs } from '../../domain/backoff.ts';
import type { KnownCamera, StatePatch } from '../../domain/camera.ts';
import type { Notification } from '../../domain/onvif/notifications.ts';
import type { CameraNetwork } from '../camera-network.ts';
import { sentence } from './examine.ts';
import { OnvifCamera, type Subscription } from './onvif-camera.ts';
import { OnvifError } from './onvif-error.ts';
import { describeRtsp } from './rtsp-describe.ts';

/** A camera waits this long with an empty answer; a power cut is noticed within it and the margin. */
const pullWaitMs = 5_000;
const pullMarginMs = 3_000;
const subscriptionLifeMs = 60_000;
const renewEveryMs = 20_000;
/** Cameras that report nothing are asked for their time, or their stream, this often. */
const pollMs = 10_000;
/** The clock is read again: cameras drift, and are set. */
const clockEveryMs = 600_000;
/** Giving a pull point back at the end is a courtesy, not worth more. */
const farewellMs = 1_000;
/** Silence of which core is told: a camera that reboots is back by then. */
const offlineAfterMs = 15_000;

export type LinkHooks = {
  /** The camera as it is known now; undefined when it is gone. */
  camera(): KnownCamera | undefined;
  /** Reads what is not known yet, or has changed, once signed in. @throws OnvifError when another camera answers there. */
  learn(onvif: OnvifCamera | undefined): Promise<void>;
  heard(camera: KnownCamera, notifications: readonly Notification[], offsetMs: number): void;
  state(patch: StatePatch): void;
  presence(online: boolean, reason: string): void;
  /** It does not answer: it may have a new address. */
  lookElsewhere(): void;
};

export class CameraLink {
  readonly #hooks: LinkHooks;
  readonly #network: CameraNetwork;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  #wake: (() => void) | undefined;
  /** The pull point that is open. */
  #held: { onvif: OnvifCamera; subscription: Subscription } | undefined;
  #failures = 0;
  #lostAt: number | undefined;
  #online = false;

  constructor(options: {
    hooks: LinkHooks;
    network: CameraNetwork;
    clock: Clock;
    random: Random;
    log: Logger;
  }) {
    this.#hooks = options.hooks;
    this.#network = options.network;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#log = options.log;
  }

  start(): void {
    this.#lostAt = this.#clock.monotonic();
    void this.#run();
  }

  /** Does not wait for a request that is under way: it ends by its own time limit, and nothing comes of it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    const held = this.#held;
    this.#held = undefined;
    if (!held) return;
    // It would end by itself, but cameras have few pull points, and the next start wants one.
    const given = held.onvif.unsubscribe(held.subscription).catch((error: unknown) => {
      this.#log.debug('unsubscribe_failed', { error });
    });
    await Promise.race([given, new Promise((resolve) => setTimeout(resolve, farewellMs))]);
  }

  isOnline(): boolean {
    return this.#online;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const camera = this.#hooks.camera();
      if (!camera) return;
      try {
        if (camera.connection === 'rtsp') await this.#followRtsp(camera);
        else await this.#followOnvif(camera);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        await this.#failed(error);
      }
    }
  }

  async #followOnvif(camera: KnownCamera): Promise<void> {
    const endpoint = onvifEndpoint(camera.onvifUrl ?? camera.address);
    if (!endpoint) throw new OnvifError('nonsense', 'its address is not one');
    const onvif = new OnvifCamera({
      endpoint,
      login: camera.credentials,
      network: this.#network,
      now: () => this.#clock.now(),
    });
    await onvif.connect();
    await this.#hooks.learn(onvif);
    this.#up(onvif.clockOffsetMs ?? null);
    if (onvif.hasEvents) await this.#followEvents(onvif);
    else
      while (this.#goesOn(camera)) {
        await this.#pause(pollMs);
        this.#up(await onvif.readClock());
      }
  }

  async #followEvents(onvif: OnvifCamera): Promise<void> {
    const subscription = await onvif.subscribe(subscriptionLifeMs);
    this.#held = { onvif, subscription };
    if (this.#stop.signal.aborted) return void this.stop();
    this.#hooks.state({ events: 'subscribed' });
    let renewedAt = this.#clock.monotonic();
    let clockAt = renewedAt;
    const began = this.#hooks.camera();
    try {
      while (this.#goesOn(began)) {
        const notifications = await onvif.pull(subscription, pullWaitMs, pullMarginMs);
        const camera = this.#hooks.camera();
        if (this.#stop.signal.aborted || !camera) break;
        this.#hooks.heard(camera, notifications, onvif.clockOffsetMs ?? 0);
        this.#up(onvif.clockOffsetMs ?? null);
        const now = this.#clock.monotonic();
        if (now - renewedAt >= renewEveryMs) {
          await this.#renew(onvif, subscription);
          renewedAt = now;
        }
        if (now - clockAt >= clockEveryMs) {
          await onvif.readClock();
          clockAt = now;
        }
      }
    } catch (error) {
      this.#held = undefined;
      this.#hooks.state({ events: 'lost' });
      throw error;
    }
  }

  /** Some cameras keep a pull point alive by the pull alone and know no Renew. */
  async #renew(onvif: OnvifCamera, subscription: Subscription): Promise<void> {
    try {
      await onvif.renew(subscription, subscriptionLifeMs);
    } catch (error) {
      if (!(error instanceof OnvifError) || error.kind === 'unreachable') throw error;
      this.#log.debug('renew_refused', { error });
    }
  }

  async #followRtsp(camera: KnownCamera): Promise<void> {
    await this.#hooks.learn(undefined);
    while (this.#goesOn(camera)) {
      const main = this.#hooks.camera()?.streams[0];
      if (!main) throw new OnvifError('nonsense', 'it has no stream');
      await describeRtsp(main.url, camera.credentials, this.#network);
      this.#up(null);
      await this.#pause(pollMs);
    }
  }

  /** Until it is stopped, or is reached in another way from now on. */
  #goesOn(began: KnownCamera | undefined): boolean {
    const now = this.#hooks.camera();
    return (
      !this.#stop.signal.aborted &&
      now !== undefined &&
      began !== undefined &&
      reachOf(now) === reachOf(began)
    );
  }

  #up(offsetMs: number | null): void {
    if (this.#stop.signal.aborted) return;
    this.#failures = 0;
    this.#lostAt = undefined;
    this.#online = true;
    this.#hooks.state({ connection: 'online', clock_offset_ms: offsetMs, problem: null });
    this.#hooks.presence(true, 'It answers');
  }

  async #failed(error: unknown): Promise<void> {
    const known = error instanceof OnvifError ? error : new OnvifError('nonsense', String(error));
    if (!(error instanceof OnvifError)) this.#log.error('camera_link_failed', { error });
    this.#failures += 1;
    this.#online = false;
    this.#lostAt ??= this.#clock.monotonic();
    const unauthorised = known.kind === 'unauthorised';
    this.#hooks.state({
      connection: unauthorised ? 'unauthorised' : 'offline',
      problem: unauthorised ? `${sentence(known)}. Enter its user name and password.` : sentence(known),
    });
    if (this.#clock.monotonic() - this.#lostAt >= offlineAfterMs || unauthorised)
      this.#hooks.presence(false, sentence(known));
    if (this.#failures >= 3 && !unauthorised) this.#hooks.lookElsewhere();
    const kind = unauthorised ? 'unauthorised' : known.kind === 'unreachable' ? 'unreachable' : 'other';
    // A subscription that is gone, as after a reboot, is no failure of the camera: the first try again comes at once.
    const waitMs =
      this.#failures === 1 && known.kind === 'refused'
        ? 0
        : backoffMs(kind, this.#failures, this.#random.fraction());
    await this.#pause(Math.min(waitMs, kind === 'unauthorised' ? 60_000 : 5_000));
  }

  #pause(ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** What a connection depends on: when it changes, it is made anew. */
const reachOf = (camera: KnownCamera): string =>
  JSON.stringify([camera.connection, camera.address, camera.onvifUrl, camera.credentials]);
