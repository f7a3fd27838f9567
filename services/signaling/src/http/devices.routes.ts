/** Devices of people: made, opened, proved, renamed, removed, listed. */
import { isGranted, internalPaths, talkLimits, talkUserId, type TalkDevice } from '@siphera/contract';
import { AppError, type Caller } from '@siphera/runtime';
import { isConfirmed, type DeviceGround } from '../adapters/devices/device-ground.ts';
import type { DeviceRemover } from '../adapters/devices/device-remover.ts';
import type { QueueHub } from '../adapters/devices/queue-hub.ts';
import { attachText, isChallenge, makeChallenge } from '../domain/attach-challenge.ts';
import { deviceToWire, isKeyed, mayTalk, newDeviceId, type DeviceRow } from '../domain/device.ts';
import { isSignature } from '../domain/ed25519.ts';
import type { TalkHandlers } from '../ground.ts';
import type { CallLimits } from './talk-limits.ts';

const shareBytes = 32;

export type DeviceRoutes = {
  ground: DeviceGround;
  hub: QueueHub;
  remover: DeviceRemover;
  limits: CallLimits;
};
type Names =
  | 'listTalkDevices'
  | 'createTalkDevice'
  | 'openTalkDevice'
  | 'attachTalkDevice'
  | 'renameTalkDevice'
  | 'removeTalkDevice';

export function deviceHandlers(routes: DeviceRoutes): Pick<TalkHandlers, Names> {
  const { ground, hub, remover, limits } = routes;
  const { devices, db, clock } = ground;
  const wire = (device: DeviceRow, { claims }: Caller): TalkDevice =>
    deviceToWire(device, {
      current: devices.attachedTo(claims.sid)?.deviceId === device.id,
      online: hub.isOpen({ userId: device.userId, deviceId: device.id }),
    });
  return {
    listTalkDevices: async ({ caller, query }) => {
      const userId = query.user_id ?? caller.claims.sub;
      if (userId !== caller.claims.sub) requireManage(caller);
      const items = devices.ofUser(userId).filter(({ orgId }) => orgId === caller.claims.org);
      return { items: items.map((device) => wire(device, caller)) };
    },
    createTalkDevice: async ({ caller, body }) => {
      requirePerson(ground, caller);
      limits.take('createDevice', caller);
      const device = createDevice(routes, caller, body);
      return opened(ground, caller, device);
    },
    openTalkDevice: async ({ caller, params }) => {
      const device = ownDevice(ground, caller, params.id);
      limits.take('device', caller);
      devices.touch(device.id, clock.now());
      return opened(ground, caller, device);
    },
    attachTalkDevice: async ({ caller, params, body }) => {
      const device = ownDevice(ground, caller, params.id);
      limits.take('device', caller);
      const { sid, sub: userId } = caller.claims;
      const isFresh = isChallenge(
        ground.challengeKey,
        { deviceId: device.id, sid },
        body.challenge,
        clock.now(),
      );
      const isSigned =
        isFresh &&
        device.ed25519 !== undefined &&
        isSignature(device.ed25519, attachText(body.challenge, sid), body.signature);
      if (!isSigned)
        throw new AppError('forbidden', 'The signature is not of this device over this challenge.', {
          hint: 'Open the device again and sign the new challenge.',
        });
      const attach = db.transaction(() => {
        devices.attach(sid, { userId, deviceId: device.id }, clock.now());
        devices.touch(device.id, clock.now());
      });
      attach.immediate();
    },
    renameTalkDevice: async ({ caller, params, body }) => {
      const device = ownDevice(ground, caller, params.id);
      limits.take('device', caller);
      devices.rename(device.id, body.name);
      return wire({ ...device, name: body.name }, caller);
    },
    removeTalkDevice: async ({ caller, params }) => {
      const device = removableDevice(routes, caller, params.id);
      limits.take('device', caller);
      remover.removeFor(caller, device);
    },
  };
}

const isManager = ({ claims }: Caller): boolean =>
  isGranted(claims.grants, 'talk.manage', [`org:${claims.org}`]);

function requireManage(caller: Caller): void {
  if (!isManager(caller))
    throw new AppError('forbidden', 'This needs the permission talk.manage on the whole organisation.');
}

/** A token may outlive a role by minutes; core's list of people does not. */
function requirePerson({ people }: DeviceGround, { claims }: Caller): void {
  const person = people.get(claims.sub);
  if (person && !(person.active && person.org_id === claims.org && mayTalk(person.grants)))
    throw new AppError('forbidden', 'Talk is for people who work here and may use it.');
}

/** @throws AppError `gone` when it was removed: its client wipes itself; `not_found` when it is nobody's or another's. */
function ownDevice({ devices }: DeviceGround, { claims }: Caller, id: string): DeviceRow {
  const device = devices.get(id);
  if (device?.userId === claims.sub && device.orgId === claims.org) return device;
  if (devices.wasRemoved({ userId: claims.sub, deviceId: id }))
    throw new AppError('gone', 'This device was removed.', { hint: 'Wipe its store and set it up anew.' });
  throw new AppError('not_found', 'You have no such device.');
}

/**
 * A token alone removes nothing but what its own session made or is: who stole one has to come by the recovery secret, the
 * password or another device first.
 * @throws AppError `forbidden` with the reason, or as `ownDevice`.
 */
function removableDevice({ ground }: DeviceRoutes, caller: Caller, id: string): DeviceRow {
  const { devices } = ground;
  const { claims } = caller;
  const other = devices.get(id);
  if (other && isManager(caller) && other.orgId === claims.org) return other;
  const device = ownDevice(ground, caller, id);
  const attached = devices.attachedTo(claims.sid);
  if (attached?.deviceId === id || (!isKeyed(device) && device.madeBySid === claims.sid)) return device;
  const mine = attached?.userId === claims.sub ? devices.get(attached.deviceId) : undefined;
  if (!mine?.deviceKeys)
    throw new AppError('forbidden', 'This session has not proved to be a device.', {
      hint: 'Set up secure talk here first, or ask an admin.',
      extra: { reason: 'not_attached' },
    });
  if (!isConfirmed(ground, { userId: claims.sub, deviceId: mine.id }))
    throw new AppError('forbidden', 'This device is not confirmed, so it removes no other.', {
      hint: 'Confirm it with the recovery secret or another device first, or ask an admin.',
      extra: { reason: 'not_verified' },
    });
  return device;
}

function opened({ devices, challengeKey, clock }: DeviceGround, { claims }: Caller, device: DeviceRow) {
  return {
    device_id: device.id,
    user_id: talkUserId(device.userId, device.orgId),
    kind: device.kind,
    has_keys: isKeyed(device),
    store_share: devices.shareOf(device).toString('base64'),
    challenge: makeChallenge(challengeKey, { deviceId: device.id, sid: claims.sid }, clock.now()),
  };
}

/** What this session made and never gave keys goes: a page that was loaded again while it set itself up. */
function createDevice(
  { ground, remover }: DeviceRoutes,
  { claims }: Caller,
  input: { name: string; kind: 'personal' | 'shared' },
): DeviceRow {
  const { devices, db, clock, random, lists, outbox } = ground;
  const mine = devices.ofUser(claims.sub);
  if (mine.filter(isKeyed).length >= talkLimits.devicesPerUserMax)
    throw new AppError('unprocessable', `One has at most ${talkLimits.devicesPerUserMax} devices.`, {
      hint: 'Remove one that is not used any more.',
    });
  const keyless = mine.filter((device) => !isKeyed(device));
  for (const [index, device] of keyless.toReversed().entries())
    if (device.madeBySid === claims.sid || index >= talkLimits.devicesPerUserMax - 1) remover.expire(device);
  const device: DeviceRow = {
    id: newDeviceId(random),
    userId: claims.sub,
    orgId: claims.org,
    ...input,
    madeBySid: claims.sid,
    createdMs: clock.now(),
    lastUsedMs: clock.now(),
    deviceKeys: undefined,
    ed25519: undefined,
    // What others changed before it was there is nothing new to it.
    listsUpto: lists.position(),
  };
  const create = db.transaction(() => {
    devices.add(device, random.bytes(shareBytes));
    outbox.post(internalPaths.audit, {
      actor: { kind: 'user', id: claims.sub, name: claims.name },
      org_id: claims.org,
      action: 'talk.device_added',
      target: device.id,
      detail: { name: device.name, kind: device.kind },
    });
  });
  create.immediate();
  return device;
}
