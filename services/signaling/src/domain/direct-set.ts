/** Whom a direct message has to be for: every device of the recipient and of the sender, but the one that sends it. */
import type { DeviceKey } from './device.ts';

export type DeviceName = { user_id: string; device_id: string };

/** @returns what is left out and what is not there; both empty when it is right. */
export function compareDirect(
  required: readonly DeviceKey[],
  given: readonly DeviceKey[],
  talkId: (userId: string) => string,
): { missing: DeviceName[]; gone: DeviceName[] } {
  const name = ({ userId, deviceId }: DeviceKey): DeviceName => ({
    user_id: talkId(userId),
    device_id: deviceId,
  });
  const key = ({ userId, deviceId }: DeviceKey): string => `${userId} ${deviceId}`;
  const [must, are] = [new Set(required.map(key)), new Set(given.map(key))];
  return {
    missing: required.filter((device) => !are.has(key(device))).map(name),
    gone: given.filter((device) => !must.has(key(device))).map(name),
  };
}
