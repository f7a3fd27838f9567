/** Devices, their public keys and their queues: the part that the others of talk send by. */
import { createHmac } from 'node:crypto';
import { KeyBox } from '@siphera/runtime';
import type { DeviceGround } from './adapters/devices/device-ground.ts';
import { DeviceRemover } from './adapters/devices/device-remover.ts';
import { DeviceSweeper } from './adapters/devices/device-sweeper.ts';
import { QueueHub } from './adapters/devices/queue-hub.ts';
import { QueueSpace } from './adapters/devices/queue-space.ts';
import { DiskSpace } from './adapters/keep/disk-space.ts';
import { queueLimits } from './domain/queue.ts';
import type { Ground, Part, Queues } from './ground.ts';
import { deviceHandlers, type DeviceRoutes } from './http/devices.routes.ts';
import { directHandlers } from './http/direct.routes.ts';
import { keyHandlers } from './http/keys.routes.ts';
import { signingHandlers } from './http/signing.routes.ts';
import { CallLimits } from './http/talk-limits.ts';
import { DeviceStore } from './store/device.store.ts';
import { IdentityStore } from './store/identity.store.ts';
import { ListChangeStore } from './store/list-change.store.ts';
import { OneTimeKeyStore } from './store/one-time-key.store.ts';
import { PositionStore } from './store/position.store.ts';
import { QueueStore } from './store/queue.store.ts';
import { SignerStore } from './store/signer.store.ts';
import { TakenCallStore } from './store/taken-call.store.ts';

export type DevicesPart = {
  part: Part;
  queues: Queues;
  /** Forgets what is too old; done by itself every ten minutes. */
  sweep(): void;
};

/** @throws Error when the stored shares do not open with SIGNALING_KEY: that stops the start. */
export function createDevicesPart(ground: Ground): DevicesPart {
  const shared = createGround(ground);
  const { devices, db } = shared;
  const hub = new QueueHub(shared);
  const remover = new DeviceRemover(shared, hub);
  const sweeper = new DeviceSweeper(shared, hub, remover);
  const routes: DeviceRoutes = { ground: shared, hub, remover, limits: new CallLimits(ground.clock) };
  const removeAllOf = (userId: string): void => {
    for (const device of devices.ofUser(userId)) remover.expire(device);
    shared.identities.remove(userId);
  };
  const part: Part = {
    name: 'devices',
    handlers: {
      ...deviceHandlers(routes),
      ...keyHandlers(routes),
      ...signingHandlers(routes),
      ...directHandlers(routes),
    },
    onEntries: (entries) => {
      for (const { kind, action, id } of entries)
        if (kind === 'user' && action === 'deleted') removeAllOf(id);
    },
    onSocket: (socket) => hub.welcome(socket),
    onRevoked: (hits) => {
      const ended = devices.sessions().filter(({ sid, userId }) => hits({ sid, sub: userId, iat: 0 }));
      const detach = db.transaction(() => {
        for (const { sid } of ended) devices.detach(sid);
      });
      detach.immediate();
      for (const { deviceId } of ended) hub.checkOpen(deviceId);
    },
    checks: () => {
      const { rows, bytes } = shared.queue.totals();
      const detail = `${hub.openDevices().length} open, ${rows} wait (${Math.ceil(bytes / 1_024)} KiB)`;
      // Nine tenths: time for an admin to act before messages are refused.
      const isNearlyFull = bytes > queueLimits.totalBytesMax * 0.9;
      return [{ name: 'queues', state: isNearlyFull ? 'degraded' : 'ok', detail }];
    },
    start: () => sweeper.start(),
    stop: () => {
      sweeper.stop();
      hub.stop();
    },
  };
  return { part, queues: hub, sweep: () => sweeper.sweep() };
}

function createGround(ground: Ground): DeviceGround {
  const { db, config, random, clock } = ground;
  const key = config.SIGNALING_KEY;
  const positions = new PositionStore(db, clock.now());
  const box = new KeyBox({ key, random, variable: 'SIGNALING_KEY_FILE' });
  const devices = new DeviceStore(db, box);
  const queue = new QueueStore(db, positions);
  const disk = new DiskSpace({
    directory: config.DATA_DIR,
    reserveBytes: config.TALK_DISK_RESERVE_BYTES,
    clock,
  });
  const any = devices.first();
  if (any) devices.shareOf(any);
  return {
    ...ground,
    devices,
    oneTimeKeys: new OneTimeKeyStore(db),
    identities: new IdentityStore(db),
    lists: new ListChangeStore(db, positions),
    queue,
    space: new QueueSpace({ queue, disk, clock }),
    signers: new SignerStore(db),
    taken: new TakenCallStore(db),
    challengeKey: createHmac('sha256', key).update('talk attach challenge').digest(),
  };
}
