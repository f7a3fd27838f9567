/** What a camera is told to do: turn, switch, show a picture, set its clock. Errors are in words for people. */
import type { CameraPort, PtzAction, PtzPreset, StreamRole } from '@siphera/contract';
import { AppError } from '@siphera/runtime';
import type { z } from 'zod';
import type { Ground } from '../../ground.ts';
import type { KnownCamera } from '../../domain/camera.ts';
import { RefusedAddressError } from '../camera-network.ts';
import type { CameraRegistry } from '../core/camera-registry.ts';
import type { CameraLinks } from './camera-links.ts';
import { setToH264, settledStream } from './encoder.ts';
import type { EventIntake } from './event-intake.ts';
import { sentence } from './examine.ts';
import { withMedia, withSeen } from './learned.ts';
import type { OnvifCamera } from './onvif-camera.ts';
import { OnvifError } from './onvif-error.ts';
import { pictureOf, scaled } from './picture.ts';

/** Cameras that do not know a move's own end are stopped by us a little later. */
const stopMarginMs = 200;

export class CameraControl {
  readonly #ground: Ground;
  readonly #registry: CameraRegistry;
  readonly #links: CameraLinks;
  readonly #intake: EventIntake;
  readonly #stops = new Map<string, NodeJS.Timeout>();

  constructor(parts: { ground: Ground; registry: CameraRegistry; links: CameraLinks; intake: EventIntake }) {
    this.#ground = parts.ground;
    this.#registry = parts.registry;
    this.#links = parts.links;
    this.#intake = parts.intake;
  }

  stop(): void {
    for (const timer of this.#stops.values()) clearTimeout(timer);
  }

  /** A picture of now: from the camera itself where it gives one, else from its stream. */
  async snapshot(cameraId: string, width?: number): Promise<Buffer> {
    const camera = this.#camera(cameraId);
    const url = this.#registry.row(cameraId)?.snapshotUrl ?? null;
    const { config, log } = this.#ground;
    if (url !== null) {
      try {
        const picture = await (await this.#links.onvif(camera)).picture(url);
        return width === undefined ? picture : await scaled(config.FFMPEG, picture, width);
      } catch (error) {
        if (!(error instanceof OnvifError)) throw error;
        log.debug('snapshot_failed', { error, camera_id: cameraId });
      }
    }
    const main = camera.streams[0];
    if (!main) throw new AppError('device_unavailable', `"${camera.name}" has no stream yet.`);
    return pictureOf(config.FFMPEG, await this.#checked(camera, main.secretUrl), width);
  }

  async ptz(cameraId: string, action: z.output<typeof PtzAction>): Promise<void> {
    const camera = this.#camera(cameraId);
    const token = this.#ptzProfile(camera);
    clearTimeout(this.#stops.get(cameraId));
    this.#stops.delete(cameraId);
    await this.#tell(camera, (onvif) => onvif.ptz(token, action));
    if (action.action === 'move') this.#stopLater(camera, token, action.for_ms + stopMarginMs);
  }

  async gotoPreset(cameraId: string, preset: string): Promise<void> {
    const presets = await this.presets(cameraId);
    // Rules name presets as people do.
    const found =
      presets.find(({ token }) => token === preset) ?? presets.find(({ name }) => name === preset);
    if (!found)
      throw new AppError('unprocessable', `"${this.#camera(cameraId).name}" has no preset "${preset}".`);
    await this.ptz(cameraId, { action: 'preset', preset: found.token });
  }

  async presets(cameraId: string): Promise<z.infer<typeof PtzPreset>[]> {
    const camera = this.#camera(cameraId);
    if (this.#registry.row(cameraId)?.hasPtz !== true) return [];
    const token = this.#ptzProfile(camera);
    return this.#tell(camera, (onvif) => onvif.presets(token));
  }

  async createPreset(cameraId: string, name: string): Promise<z.infer<typeof PtzPreset>> {
    const camera = this.#camera(cameraId);
    const profile = this.#ptzProfile(camera);
    const token = await this.#tell(camera, (onvif) => onvif.setPreset(profile, name));
    if (token === undefined)
      throw new AppError('device_unavailable', `"${camera.name}" did not say where it kept it.`);
    return { token, name };
  }

  async removePreset(cameraId: string, token: string): Promise<void> {
    const camera = this.#camera(cameraId);
    const profile = this.#ptzProfile(camera);
    await this.#tell(camera, (onvif) => onvif.removePreset(profile, token));
  }

  async ports(cameraId: string): Promise<z.infer<typeof CameraPort>[]> {
    const camera = this.#camera(cameraId);
    const row = this.#registry.row(cameraId);
    if (!row || row.relays + row.inputs === 0) return [];
    const [relays, inputs] = await this.#tell(camera, (onvif) =>
      Promise.all([onvif.relays(), onvif.inputs()]),
    );
    return [
      ...relays.map((token) => ({
        token,
        kind: 'relay' as const,
        on: this.#intake.relayState(cameraId, token) ?? null,
      })),
      ...inputs.map((token) => ({
        token,
        kind: 'input' as const,
        on: this.#intake.inputState(cameraId, token) ?? null,
      })),
    ];
  }

  async setRelay(cameraId: string, token: string, on: boolean): Promise<void> {
    const camera = this.#camera(cameraId);
    await this.#tell(camera, (onvif) => onvif.setRelay(token, on));
    this.#intake.noteRelay(cameraId, token, on);
  }

  async setClock(cameraId: string): Promise<void> {
    const camera = this.#camera(cameraId);
    const offsetMs = await this.#tell(camera, async (onvif) => {
      await onvif.setClock(this.#ground.clock.now());
      return onvif.clockOffsetMs ?? null;
    });
    this.#ground.setState(cameraId, { clock_offset_ms: offsetMs });
  }

  /** Sets a stream to H.264, waits until it is, and keeps what it is now. `also` runs in the transaction of the change. */
  async setH264(cameraId: string, role: StreamRole, also: () => void): Promise<void> {
    const camera = this.#camera(cameraId);
    const stream = camera.streams.find((one) => one.role === role);
    const token = stream?.profile_token ?? null;
    if (camera.connection === 'onvif' && (!stream || token === null))
      throw new AppError('unprocessable', `"${camera.name}" has no ${role} stream.`);
    const media = await this.#tell(camera, async (onvif) => {
      await setToH264(onvif, token ?? '');
      return onvif.profiles();
    });
    // What it was told is done, whatever its stream does now.
    const told = this.#registry.row(cameraId);
    if (!told || !stream) throw new AppError('not_found', 'There is no such camera.');
    this.#registry.save(withMedia(told, media), also);
    const seen = await this.#tell(camera, () =>
      settledStream(stream.url, camera.credentials, {
        network: this.#ground.network,
        monotonic: () => this.#ground.clock.monotonic(),
      }),
    );
    const now = this.#registry.row(cameraId);
    if (now) this.#registry.save(withSeen(now, stream.url, seen));
    if (seen.video !== 'h264')
      throw new AppError(
        'unprocessable',
        `"${camera.name}" says that it took H.264, but its stream is still ${seen.video ?? 'something else'}.`,
        { hint: 'Restart the camera, or set its encoder in its own settings.' },
      );
  }

  /** An address that ffmpeg may be given. */
  async #checked(camera: KnownCamera, url: string): Promise<string> {
    try {
      return await this.#ground.network.url(url);
    } catch (cause) {
      const why =
        cause instanceof RefusedAddressError ? cause.message : 'its name is not known on the network';
      throw new AppError('device_unavailable', `"${camera.name}": ${why}.`, { cause });
    }
  }

  #camera(id: string): KnownCamera {
    const camera = this.#ground.directory.get(id);
    if (!camera) throw new AppError('not_found', 'There is no such camera.');
    return camera;
  }

  #ptzProfile(camera: KnownCamera): string {
    const token = camera.streams[0]?.profile_token ?? null;
    if (token === null || this.#registry.row(camera.id)?.hasPtz !== true)
      throw new AppError('unprocessable', `"${camera.name}" cannot be turned.`);
    return token;
  }

  #stopLater(camera: KnownCamera, token: string, ms: number): void {
    const timer = setTimeout(() => {
      this.#stops.delete(camera.id);
      this.#tell(camera, (onvif) => onvif.ptz(token, { action: 'stop' })).catch((error: unknown) =>
        this.#ground.log.warn('ptz_stop_failed', { error, camera_id: camera.id }),
      );
    }, ms);
    this.#stops.set(camera.id, timer);
  }

  async #tell<T>(camera: KnownCamera, what: (onvif: OnvifCamera) => Promise<T>): Promise<T> {
    if (camera.connection !== 'onvif')
      throw new AppError('unprocessable', `"${camera.name}" speaks no ONVIF, so it can only be watched.`);
    try {
      return await what(await this.#links.onvif(camera));
    } catch (error) {
      throw error instanceof OnvifError ? toAppError(camera.name, error) : error;
    }
  }
}

const toAppError = (name: string, error: { kind: OnvifError['kind']; message: string }): AppError =>
  new AppError(
    error.kind === 'refused' || error.kind === 'forbidden' ? 'unprocessable' : 'device_unavailable',
    `"${name}": ${sentence(error)}.`,
    error.kind === 'unauthorised' ? { hint: 'Enter its user name and password.' } : {},
  );
