/** Devices of talk: one browser profile or phone of one person, with keys of its own. */
import { isGranted, type DeviceKeys, type Grant, type TalkDevice } from '@siphera/contract';
import { toRfc3339, type Random } from '@siphera/runtime';

/** A device in a queue's terms. */
export type DeviceKey = { userId: string; deviceId: string };

export type DeviceRow = {
  id: string;
  userId: string;
  orgId: string;
  name: string;
  kind: 'personal' | 'shared';
  /** Session that made it. */
  madeBySid: string;
  createdMs: number;
  lastUsedMs: number;
  /** As signed by itself, with what its owner signed since; undefined before its first upload. */
  deviceKeys: DeviceKeys | undefined;
  ed25519: string | undefined;
  listsUpto: number;
};
/** One that can be written to. */
export type KeyedDevice = DeviceRow & { deviceKeys: DeviceKeys; ed25519: string };
export const isKeyed = (device: DeviceRow): device is KeyedDevice => device.deviceKeys !== undefined;

const idLetters = 10;

/** Ten capital letters, each of 26 with the same chance: bytes of 234 and more are left out. */
export function newDeviceId(random: Random): string {
  let id = '';
  while (id.length < idLetters)
    for (const byte of random.bytes(idLetters * 2))
      if (byte < 234 && id.length < idLetters) id += String.fromCodePoint(65 + (byte % 26));
  return id;
}

/** Whether these grants let somebody talk at all. */
export const mayTalk = (grants: readonly Grant[]): boolean =>
  grants.some((grant) => isGranted([grant], 'talk.use', [grant.scope]));

export const deviceToWire = (device: DeviceRow, seen: { current: boolean; online: boolean }): TalkDevice => ({
  id: device.id,
  user_id: device.userId,
  name: device.name,
  kind: device.kind,
  created_at: toRfc3339(device.createdMs),
  last_used_at: toRfc3339(device.lastUsedMs),
  has_keys: isKeyed(device),
  ...seen,
});
