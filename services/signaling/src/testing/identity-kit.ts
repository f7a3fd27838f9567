/** Identities of people as their devices publish them, and devices signed by them. */
import { okOf, type TestDevice, type TestUser } from './talk-rig.ts';
import { makeIdentity, signed, type Identity } from './test-keys.ts';

/** The device's owner has an identity from now on; the device is not signed by it yet. */
export async function publish({ user }: TestDevice): Promise<Identity> {
  const identity = makeIdentity(user.talkId);
  okOf(await user.call('uploadSigningKeys', { body: identity.body }));
  return identity;
}

/** Signs the device with the identity. @param by a session that is a device of the same person */
export async function confirm(device: TestDevice, identity: Identity, by = device.user): Promise<void> {
  const { talkId } = device.user;
  const keyId = `ed25519:${identity.selfSigning.publicKey}`;
  const object = signed(await keysOf(by, device), talkId, keyId, identity.selfSigning);
  const body = { [talkId]: { [device.id]: object } };
  const { failures } = okOf(await by.call('uploadSignatures', { body })) as { failures: object };
  if (Object.keys(failures).length > 0) throw new Error(JSON.stringify(failures));
}

/** Keys of a device as the server has them. @throws Error when it has none. */
export async function keysOf(by: TestUser, { user, id }: TestDevice): Promise<Record<string, unknown>> {
  const answer = okOf(await by.call('queryKeys', { body: { device_keys: { [user.talkId]: [id] } } }));
  const { device_keys: all } = answer as {
    device_keys: Record<string, Record<string, Record<string, unknown>>>;
  };
  const { unsigned: _unsigned, ...keys } = all[user.talkId]?.[id] ?? {};
  if (!('keys' in keys)) throw new Error(`There are no keys of ${id}`);
  return keys;
}
