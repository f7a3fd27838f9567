/** What the pieces of the devices part share. */
import type { DeviceKey } from '../../domain/device.ts';
import { isSignedByIdentity } from '../../domain/keys.ts';
import type { Ground } from '../../ground.ts';
import type { DeviceStore } from '../../store/device.store.ts';
import type { IdentityStore } from '../../store/identity.store.ts';
import type { ListChangeStore } from '../../store/list-change.store.ts';
import type { OneTimeKeyStore } from '../../store/one-time-key.store.ts';
import type { QueueStore } from '../../store/queue.store.ts';
import type { SignerStore } from '../../store/signer.store.ts';
import type { TakenCallStore } from '../../store/taken-call.store.ts';
import type { QueueSpace } from './queue-space.ts';

export type DeviceGround = Ground & {
  devices: DeviceStore;
  oneTimeKeys: OneTimeKeyStore;
  identities: IdentityStore;
  lists: ListChangeStore;
  /** Of the rooms part: keys of devices that signed statements. */
  signers: SignerStore;
  queue: QueueStore;
  space: QueueSpace;
  taken: TakenCallStore;
  /** Our secret half of the challenges. */
  challengeKey: Buffer;
};

/** Whether its owner's identity has signed it; while he has none, there is nothing to be signed by. */
export function isConfirmed(
  { devices, identities }: Pick<DeviceGround, 'devices' | 'identities'>,
  { userId, deviceId }: DeviceKey,
): boolean {
  const identity = identities.get(userId);
  if (!identity) return true;
  const keys = devices.get(deviceId)?.deviceKeys;
  return keys !== undefined && isSignedByIdentity(keys, identity);
}
