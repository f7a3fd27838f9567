/**
 * Forgets what is too old: devices that nobody uses, given-out keys, calls that are not repeated any more. What must stay true: a
 * clock that jumps ahead removes no device; it has to have run evenly for hours first.
 */
import { EvenClock } from '../../domain/even-clock.ts';
import { queueLimits } from '../../domain/queue.ts';
import type { DeviceGround } from './device-ground.ts';
import type { DeviceRemover } from './device-remover.ts';
import type { QueueHub } from './queue-hub.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const everyMs = 10 * minuteMs;
/** Made and never given keys: a browser that was closed in between. */
const keylessMsMax = 60 * minuteMs;
/** A phone in a drawer. What waits for it would only grow. */
const unusedMsMax = 90 * dayMs;
/** With a queue that is nearly full a device stands in the way of everybody who writes to its owner. */
const fullUnusedMsMax = 14 * dayMs;
const fullShare = 0.9;
const removedMsMax = 396 * dayMs;
/** Its device has used up the secret half by then, or never will. */
const claimedMsMax = 7 * dayMs;
const toDeviceMsMax = dayMs;
/** A client tries to send what waits for much longer than a to-device message matters. */
const directMsMax = 31 * dayMs;

export class DeviceSweeper {
  readonly #ground: DeviceGround;
  readonly #hub: QueueHub;
  readonly #remover: DeviceRemover;
  #timer: NodeJS.Timeout | undefined;
  readonly #clock: EvenClock;

  constructor(ground: DeviceGround, hub: QueueHub, remover: DeviceRemover) {
    this.#ground = ground;
    this.#hub = hub;
    this.#clock = new EvenClock(ground.clock);
    this.#remover = remover;
  }

  start(): void {
    this.sweep();
    this.#timer = setInterval(() => this.sweep(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What fails is tried again at the next turn. */
  sweep(): void {
    const { clock, devices, oneTimeKeys, taken, log } = this.#ground;
    const nowMs = clock.now();
    try {
      // In use, however long nothing came for it.
      for (const { deviceId } of this.#hub.openDevices()) devices.touch(deviceId, nowMs);
      if (this.#clock.isEven()) this.#expire(nowMs);
      devices.forgetRemoved(nowMs - removedMsMax);
      oneTimeKeys.forgetClaimed(nowMs - claimedMsMax);
      taken.forget('to_device:', nowMs - toDeviceMsMax);
      taken.forget('direct:', nowMs - directMsMax);
    } catch (error) {
      log.error('devices_not_swept', { error });
    }
  }

  #expire(nowMs: number): void {
    const expired = this.#ground.devices.expired({
      keylessBeforeMs: nowMs - keylessMsMax,
      unusedBeforeMs: nowMs - unusedMsMax,
      fullUnusedBeforeMs: nowMs - fullUnusedMsMax,
      fullRows: queueLimits.rowsMax * fullShare,
      fullBytes: queueLimits.bytesMax * fullShare,
    });
    for (const device of expired) this.#remover.expire(device);
  }
}
