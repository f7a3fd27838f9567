/**
 * Removes devices. What must stay true: with the commit its keys, queue and share are gone and core is told to end its sessions;
 * right after it its sockets are cut here, without waiting for core.
 */
import { internalPaths, talkUserId, type InternalRevokeSession } from '@siphera/contract';
import { toRfc3339, type Caller } from '@siphera/runtime';
import type { z } from 'zod';
import type { DeviceRow } from '../../domain/device.ts';
import type { DeviceGround } from './device-ground.ts';
import type { QueueHub } from './queue-hub.ts';

export class DeviceRemover {
  readonly #ground: DeviceGround;
  readonly #hub: QueueHub;

  constructor(ground: DeviceGround, hub: QueueHub) {
    this.#ground = ground;
    this.#hub = hub;
  }

  /** By a person: the device's sessions end, at core too. */
  removeFor(caller: Caller, device: DeviceRow): void {
    const { db, outbox } = this.#ground;
    const sids = this.#sessionsOf(device, caller.claims.sid);
    const remove = db.transaction(() => {
      this.#forget(device);
      for (const sid of sids) {
        const revoke: z.infer<typeof InternalRevokeSession> = {
          user_id: device.userId,
          sid,
          reason: 'device of talk removed',
        };
        outbox.post(internalPaths.revokeSession, revoke);
      }
      outbox.post(internalPaths.audit, {
        actor: { kind: 'user', id: caller.claims.sub, name: caller.claims.name },
        org_id: device.orgId,
        action: 'talk.device_removed',
        target: device.id,
        detail: { user_id: device.userId, name: device.name, sessions: sids.length },
      });
    });
    remove.immediate();
    this.#hub.close(device.id, 'removed');
    for (const sid of sids) {
      for (const socket of this.#ground.sockets.ofSession(sid))
        socket.emit('talkGone', { reason: 'removed' });
      this.#ground.endSession(sid);
    }
    this.#tell(device);
  }

  /** By age, or because it was never used: its owner's other devices are told. Whoever left has none to be told. */
  expire(device: DeviceRow): void {
    const { db, devices } = this.#ground;
    const remove = db.transaction(() => {
      this.#forget(device);
      if (device.deviceKeys === undefined) return;
      const sender = talkUserId(device.userId, device.orgId);
      for (const other of devices.keyedOf(device.userId))
        this.#hub.enqueue(other, {
          kind: 'to_device',
          event: {
            type: 'siphera.device_expired',
            sender,
            sender_device: device.id,
            content: {
              device_id: device.id,
              name: device.name,
              last_used_at: toRfc3339(device.lastUsedMs),
            },
          },
        });
    });
    remove.immediate();
    this.#hub.close(device.id, 'removed');
    this.#hub.flush(devices.keyedOf(device.userId));
    this.#tell(device);
  }

  #forget(device: DeviceRow): void {
    const { devices, lists, clock } = this.#ground;
    devices.remove(device, clock.now());
    if (device.deviceKeys !== undefined) lists.note(device);
  }

  #tell(device: DeviceRow): void {
    const { log, signals } = this.#ground;
    log.info('device_removed', { device: device.id, user: device.userId });
    signals.emit({ kind: 'device_removed', device: { userId: device.userId, deviceId: device.id } });
    this.#hub.listsChanged(device.orgId);
  }

  /**
   * Those that are it, and the one that made it, unless that is another device by now or the one that asks: who gives up
   * setting up a device is not signed out for it.
   */
  #sessionsOf({ id, madeBySid }: DeviceRow, askingSid: string): string[] {
    const { devices } = this.#ground;
    const sids = devices.sessionsOf(id);
    const isFree = madeBySid !== askingSid && devices.attachedTo(madeBySid) === undefined;
    return isFree ? [...sids, madeBySid] : sids;
  }
}
