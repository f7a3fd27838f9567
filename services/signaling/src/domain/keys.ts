/**
 * What the server checks of public keys (Matrix C-S API v1.15 §11.12.2 and §11.12.3): whose they are, and that who has the secret half signed
 * them. A client checks all of it again; here it is checked so that nobody publishes keys in the name of another device.
 */
import type { CrossSigningKey, DeviceKeys, OneTimeKeys } from '@siphera/contract';
import type { z } from 'zod';
import { isSignedBy, textOf } from './ed25519.ts';

/** Of one device's keys, with room for algorithms to come. */
const deviceKeysCharsMax = 8_000;
const oneTimeKeyCharsMax = 1_000;
const signingKeyCharsMax = 8_000;
const algorithms = ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'];

export type OwnedDevice = { talkId: string; deviceId: string };
export type OneTimeKeys = z.infer<typeof OneTimeKeys>;

/** @returns what is wrong, in words; undefined when nothing is. */
export function faultOfDeviceKeys(keys: DeviceKeys, { talkId, deviceId }: OwnedDevice): string | undefined {
  if (keys.user_id !== talkId || keys.device_id !== deviceId) return 'They name another device.';
  if (!algorithms.every((algorithm) => keys.algorithms.includes(algorithm)))
    return 'They lack an algorithm that is used here.';
  const names = Object.keys(keys.keys).sort();
  if (names.join() !== [`curve25519:${deviceId}`, `ed25519:${deviceId}`].join())
    return 'They must be one Curve25519 and one Ed25519 key, named after the device.';
  if (JSON.stringify(keys).length > deviceKeysCharsMax) return 'They are larger than keys are.';
  const keyId = `ed25519:${deviceId}`;
  return isSignedBy(keys, talkId, keyId, keys.keys[keyId] ?? '')
    ? undefined
    : 'They are not signed by the device itself.';
}

/** As they are kept: with the device's own signature and nothing that was not signed. */
export function keptDeviceKeys(keys: DeviceKeys, { talkId, deviceId }: OwnedDevice): DeviceKeys {
  const { unsigned: _unsigned, ...rest } = keys;
  const keyId = `ed25519:${deviceId}`;
  return { ...rest, signatures: { [talkId]: { [keyId]: keys.signatures[talkId]?.[keyId] ?? '' } } };
}

export const areSameKeys = (a: DeviceKeys, b: DeviceKeys): boolean =>
  textOf(a) !== undefined && textOf(a) === textOf(b);

/** @param ed25519 of the device. @returns what is wrong; undefined when nothing is. */
export function faultOfOneTimeKeys(
  keys: OneTimeKeys,
  { talkId, deviceId }: OwnedDevice,
  ed25519: string,
): string | undefined {
  for (const [id, key] of Object.entries(keys)) {
    if (JSON.stringify(key).length > oneTimeKeyCharsMax) return `${id} is larger than a key is.`;
    if (!isSignedBy(key, talkId, `ed25519:${deviceId}`, ed25519)) return `${id} is not signed by the device.`;
  }
  return undefined;
}

export type Identity = {
  masterKey: CrossSigningKey;
  selfSigningKey: CrossSigningKey;
  userSigningKey: CrossSigningKey;
};
type Usage = 'master' | 'self_signing' | 'user_signing';

/** Its only key; undefined when it has none, several, or one under another name. */
export function publicKeyOf(key: CrossSigningKey): string | undefined {
  const [entry, ...more] = Object.entries(key.keys);
  return entry && more.length === 0 && entry[0] === `ed25519:${entry[1]}` ? entry[1] : undefined;
}

/** @returns what is wrong; undefined when nothing is. */
export function faultOfIdentity(identity: Identity, talkId: string): string | undefined {
  const named: [Usage, CrossSigningKey][] = [
    ['master', identity.masterKey],
    ['self_signing', identity.selfSigningKey],
    ['user_signing', identity.userSigningKey],
  ];
  const master = publicKeyOf(identity.masterKey);
  for (const [usage, key] of named) {
    if (key.user_id !== talkId) return `The ${usage} key is not yours.`;
    if (key.usage.length !== 1 || key.usage[0] !== usage) return `The ${usage} key is for something else.`;
    if (master === undefined || publicKeyOf(key) === undefined) return `The ${usage} key is not one key.`;
    if (JSON.stringify(key).length > signingKeyCharsMax) return `The ${usage} key is larger than keys are.`;
    if (usage !== 'master' && !isSignedBy(key, talkId, `ed25519:${master}`, master))
      return `The ${usage} key is not signed by the master key.`;
  }
  const all = named.map(([, key]) => publicKeyOf(key));
  return new Set(all).size === all.length ? undefined : 'The three keys must be three.';
}

export const isSameIdentity = (a: Identity, b: Identity): boolean =>
  publicKeyOf(a.masterKey) === publicKeyOf(b.masterKey) &&
  publicKeyOf(a.selfSigningKey) === publicKeyOf(b.selfSigningKey) &&
  publicKeyOf(a.userSigningKey) === publicKeyOf(b.userSigningKey);

/** The key with those of its signatures alone that `keep` keeps, and nothing that was not signed. */
export function withSignatures(
  key: CrossSigningKey,
  talkId: string,
  keep: (keyId: string, signature: string) => boolean,
): CrossSigningKey {
  const { unsigned: _unsigned, signatures, ...rest } = key;
  const own = Object.entries(signatures?.[talkId] ?? {}).filter(([keyId, one]) => keep(keyId, one));
  return own.length === 0 ? rest : { ...rest, signatures: { [talkId]: Object.fromEntries(own) } };
}

/** Whether the device is signed by the identity: by who holds a verified device or the recovery secret. */
export function isSignedByIdentity(keys: DeviceKeys, identity: Identity): boolean {
  const key = publicKeyOf(identity.selfSigningKey);
  return key !== undefined && isSignedBy(keys, keys.user_id, `ed25519:${key}`, key);
}

type Signable = { signatures?: Record<string, Record<string, string>> | undefined };

/** The same with one signature more. */
export function addSignature<T extends Signable>(
  object: T,
  talkId: string,
  keyId: string,
  signature: string,
): T {
  const { signatures = {} } = object;
  return {
    ...object,
    signatures: { ...signatures, [talkId]: { ...signatures[talkId], [keyId]: signature } },
  };
}
