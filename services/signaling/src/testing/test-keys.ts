/** Keys of a device and of an identity with real signatures, for tests that need no ratchet. */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { systemRandom } from '@siphera/runtime';
import { signedText } from '../domain/canonical-json.ts';

export type SigningPair = { publicKey: string; sign(text: string): string };

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

/** An Ed25519 pair in the shape of vodozemac: unpadded base64. */
export function makePair(): SigningPair {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x } = publicKey.export({ format: 'jwk' });
  return {
    publicKey: unpadded(Buffer.from(x ?? '', 'base64url')),
    sign: (text) => unpadded(signWith(privateKey, text)),
  };
}
const signWith = (key: KeyObject, text: string): Buffer => sign(null, Buffer.from(text), key);

/** The object with a signature of `user` by `keyId` added. */
export function signed<T extends Record<string, unknown>>(
  object: T,
  user: string,
  keyId: string,
  pair: SigningPair,
): T & { signatures: Record<string, Record<string, string>> } {
  const before = (object['signatures'] ?? {}) as Record<string, Record<string, string>>;
  const signature = pair.sign(signedText(object));
  return { ...object, signatures: { ...before, [user]: { ...before[user], [keyId]: signature } } };
}

/** `DeviceKeys` of a device, signed by itself. */
export function makeDeviceKeys(user: string, deviceId: string, pair: SigningPair) {
  const keys = {
    user_id: user,
    device_id: deviceId,
    algorithms: ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'],
    keys: {
      [`curve25519:${deviceId}`]: unpadded(systemRandom.bytes(32)),
      [`ed25519:${deviceId}`]: pair.publicKey,
    },
  };
  return signed(keys, user, `ed25519:${deviceId}`, pair);
}

/** One-time keys (or with `fallback` one fallback key) signed by the device. */
export function makeOneTimeKeys(
  user: string,
  deviceId: string,
  pair: SigningPair,
  ids: readonly string[],
  options: { fallback?: true } = {},
) {
  return Object.fromEntries(
    ids.map((id) => {
      const key = { key: unpadded(systemRandom.bytes(32)), ...options };
      return [`signed_curve25519:${id}`, signed(key, user, `ed25519:${deviceId}`, pair)];
    }),
  );
}

export type Identity = ReturnType<typeof makeIdentity>;
/** The three keys of cross-signing, signed by the master key. */
export function makeIdentity(user: string) {
  const [master, selfSigning, userSigning] = [makePair(), makePair(), makePair()];
  const keyOf = (usage: string, pair: SigningPair) => ({
    user_id: user,
    usage: [usage],
    keys: { [`ed25519:${pair.publicKey}`]: pair.publicKey },
  });
  const byMaster = <T extends Record<string, unknown>>(key: T) =>
    signed(key, user, `ed25519:${master.publicKey}`, master);
  return {
    master,
    selfSigning,
    userSigning,
    body: {
      master_key: keyOf('master', master),
      self_signing_key: byMaster(keyOf('self_signing', selfSigning)),
      user_signing_key: byMaster(keyOf('user_signing', userSigning)),
    },
  };
}
