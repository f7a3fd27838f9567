/** Public keys of devices: uploaded by their own sessions, read and claimed by people of the same organisation. */
import { readTalkUserId, talkLimits, talkUserId, type DeviceKeys } from '@siphera/contract';
import { AppError, type Caller } from '@siphera/runtime';
import { isKeyed, type DeviceRow } from '../domain/device.ts';
import {
  addSignature,
  areSameKeys,
  faultOfDeviceKeys,
  faultOfOneTimeKeys,
  keptDeviceKeys,
  publicKeyOf,
  type OneTimeKeys,
} from '../domain/keys.ts';
import type { TalkHandlers } from '../ground.ts';
import type { DeviceRoutes } from './devices.routes.ts';

type Names = 'uploadKeys' | 'queryKeys' | 'claimKeys';
type Upload = Parameters<TalkHandlers['uploadKeys']>[0]['body'];

/** People in one query: all of a large organisation. */
const queryUsersMax = 2_000;

export function keyHandlers(routes: DeviceRoutes): Pick<TalkHandlers, Names> {
  const { ground, hub, limits } = routes;
  return {
    uploadKeys: async ({ caller, body, address }) => {
      const { device, mayAdd } = uploadingDevice(routes, caller, body.device_id);
      limits.take('uploadKeys', caller);
      const isFirst = takeUpload(routes, device, { body, mayAdd, address });
      if (isFirst) {
        hub.flush(hub.devicesOf(device.userId));
        hub.listsChanged(device.orgId);
      }
      hub.keysChanged(device.id);
      return { one_time_key_counts: { signed_curve25519: ground.oneTimeKeys.count(device.id) } };
    },
    queryKeys: async ({ caller, body }) => {
      limits.take('queryKeys', caller);
      if (Object.keys(body.device_keys).length > queryUsersMax)
        throw new AppError('validation_failed', `Ask for at most ${queryUsersMax} people at once.`);
      return queryKeys(routes, caller, body.device_keys);
    },
    claimKeys: async ({ caller, body }) => {
      hub.attached(caller);
      limits.take('claimKeys', caller);
      return { one_time_keys: claimKeys(routes, caller, body.one_time_keys), failures: {} };
    },
  };
}

/** The session that is the device, or the one that made it. @throws AppError `forbidden` for any other. */
function uploadingDevice(
  { ground: { devices } }: DeviceRoutes,
  { claims }: Caller,
  deviceId: string,
): { device: DeviceRow; mayAdd: boolean } {
  const device = devices.get(deviceId);
  if (device?.userId !== claims.sub || device.orgId !== claims.org) {
    if (devices.wasRemoved({ userId: claims.sub, deviceId }))
      throw new AppError('gone', 'This device was removed.', { hint: 'Wipe its store and set it up anew.' });
    throw new AppError('not_found', 'You have no such device.');
  }
  const mayAdd = devices.attachedTo(claims.sid)?.deviceId === device.id;
  if (!mayAdd && device.madeBySid !== claims.sid)
    throw new AppError('forbidden', 'This session has not proved to be that device.', {
      extra: { reason: 'not_attached' },
    });
  return { device, mayAdd };
}

/** In one transaction. @returns whether they were the device's first keys. */
function takeUpload(
  routes: DeviceRoutes,
  device: DeviceRow,
  { body, mayAdd, address }: { body: Upload; mayAdd: boolean; address: string },
): boolean {
  const { ground } = routes;
  const take = ground.db.transaction(() => {
    const isFirst = takeDeviceKeys(routes, device, body.device_keys, address);
    // Not attached yet: one-time keys are taken with the device keys alone, also when these come a second time.
    if (!mayAdd && body.device_keys === undefined)
      throw new AppError('forbidden', 'This session has not proved to be that device.', {
        extra: { reason: 'not_attached' },
      });
    const keys = ground.devices.get(device.id)?.ed25519;
    if (keys === undefined) throw new AppError('unprocessable', 'The device keys come first.');
    takeOneTimeKeys(routes, device, keys, body.one_time_keys ?? {});
    takeFallbackKey(routes, device, keys, body.fallback_keys ?? {});
    return isFirst;
  });
  return take.immediate();
}

const owned = (device: DeviceRow) => ({
  talkId: talkUserId(device.userId, device.orgId),
  deviceId: device.id,
});

function takeDeviceKeys(
  { ground, hub }: DeviceRoutes,
  device: DeviceRow,
  keys: DeviceKeys | undefined,
  address: string,
): boolean {
  if (keys === undefined) return false;
  const fault = faultOfDeviceKeys(keys, owned(device));
  if (fault !== undefined)
    throw new AppError('validation_failed', `The device keys cannot be taken. ${fault}`);
  if (device.deviceKeys !== undefined) {
    if (areSameKeys(device.deviceKeys, keys)) return false;
    throw new AppError('conflict', 'The keys of a device never change.', { hint: 'Make a new device.' });
  }
  const kept = keptDeviceKeys(keys, owned(device));
  const isTaken = ground.devices.setKeys(device.id, kept, keys.keys[`ed25519:${device.id}`] ?? '');
  if (!isTaken) throw new AppError('duplicate', 'Another device has that key.');
  ground.lists.note(device);
  for (const other of hub.devicesOf(device.userId)) {
    if (other.deviceId === device.id) continue;
    const { id, name, kind } = device;
    // One whose queue is full is not told; a device that nobody opens must not keep its owner from setting up another.
    hub.enqueue(other, { kind: 'device_new', device: { id, name, kind }, address });
  }
  return true;
}

function takeOneTimeKeys(
  { ground: { oneTimeKeys } }: DeviceRoutes,
  device: DeviceRow,
  ed25519: string,
  keys: OneTimeKeys,
): void {
  const fault = faultOfOneTimeKeys(keys, owned(device), ed25519);
  if (fault !== undefined) throw new AppError('validation_failed', fault);
  for (const [id, key] of Object.entries(keys))
    if (!oneTimeKeys.add(device.id, id, key))
      throw new AppError('duplicate', `There is another one-time key ${id} already.`);
  if (oneTimeKeys.count(device.id) > talkLimits.oneTimeKeysMax)
    throw new AppError('unprocessable', `A device has at most ${talkLimits.oneTimeKeysMax} one-time keys.`);
}

function takeFallbackKey(
  { ground: { oneTimeKeys } }: DeviceRoutes,
  device: DeviceRow,
  ed25519: string,
  keys: OneTimeKeys,
): void {
  const [entry, ...more] = Object.entries(keys);
  if (!entry) return;
  const [id, key] = entry;
  const fault = faultOfOneTimeKeys(keys, owned(device), ed25519);
  if (fault !== undefined) throw new AppError('validation_failed', fault);
  if (more.length > 0 || key.fallback !== true)
    throw new AppError('validation_failed', 'A device has one fallback key, which says that it is one.');
  oneTimeKeys.setFallback(device.id, id, key);
}

type QueryAnswer = Awaited<ReturnType<TalkHandlers['queryKeys']>>;

/** People of the caller's organisation; whoever is named and has no devices is answered with none, so that gone ones are noticed. */
function queryKeys(
  { ground: { devices, identities, lists } }: DeviceRoutes,
  { claims }: Caller,
  asked: Readonly<Record<string, readonly string[]>>,
): QueryAnswer {
  const answer: QueryAnswer = {
    device_keys: {},
    master_keys: {},
    self_signing_keys: {},
    user_signing_keys: {},
    failures: {},
    upto: lists.position(),
  };
  for (const [talkId, ids] of Object.entries(asked)) {
    const { userId, orgId } = readTalkUserId(talkId);
    if (orgId !== claims.org) continue;
    const keyed = devices.ofUser(userId).filter(isKeyed);
    const wanted = keyed.filter(
      ({ id, orgId: org }) => org === orgId && (ids.length === 0 || ids.includes(id)),
    );
    answer.device_keys[talkId] = Object.fromEntries(
      wanted.map(({ id, name, deviceKeys }) => [
        id,
        // Names are for one's own list; others need not know what somebody calls his phone.
        userId === claims.sub ? { ...deviceKeys, unsigned: { device_display_name: name } } : deviceKeys,
      ]),
    );
    const identity = identities.get(userId);
    if (!identity) continue;
    const signed = identities.userSignature(claims.sub, userId);
    answer.master_keys[talkId] =
      signed && signed.masterKey === publicKeyOf(identity.masterKey)
        ? addSignature(identity.masterKey, talkUserId(claims.sub, claims.org), signed.keyId, signed.signature)
        : identity.masterKey;
    answer.self_signing_keys[talkId] = identity.selfSigningKey;
    if (userId === claims.sub) answer.user_signing_keys[talkId] = identity.userSigningKey;
  }
  return answer;
}

/** Atomic: no key is given out twice. Devices that are not there, or have no key at all, are left out. */
function claimKeys(
  { ground, hub }: DeviceRoutes,
  { claims }: Caller,
  asked: Readonly<Record<string, Readonly<Record<string, string>>>>,
) {
  const targets = Object.entries(asked).flatMap(([talkId, ids]) =>
    Object.keys(ids).map((deviceId) => ({ talkId, deviceId, ...readTalkUserId(talkId) })),
  );
  if (targets.length > talkLimits.toDeviceTargetsMax)
    throw new AppError('validation_failed', `Claim of at most ${talkLimits.toDeviceTargetsMax} devices.`);
  const given: Record<string, Record<string, OneTimeKeys>> = {};
  const claim = ground.db.transaction(() => {
    for (const { talkId, deviceId, userId, orgId } of targets) {
      const device = orgId === claims.org ? ground.devices.get(deviceId) : undefined;
      if (device?.userId !== userId || device.orgId !== orgId) continue;
      const key = ground.oneTimeKeys.claim(deviceId, ground.clock.now());
      if (key) given[talkId] = { ...given[talkId], [deviceId]: { [key.keyId]: key.body } };
    }
  });
  claim.immediate();
  for (const ids of Object.values(given)) for (const id of Object.keys(ids)) hub.keysChanged(id);
  return given;
}
