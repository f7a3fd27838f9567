/**
 * Keys of a device as the server serves them, checked without the directory: they are signed by the device itself, and by the
 * self-signing key of its owner (Matrix C-S API v1.15, §11.12). The server is believed in nothing.
 */
import { canonicalJson, type DeviceKeys } from '@siphera/contract';
import { fromBase64 } from './bytes.ts';
import { verifySignature } from './statements.ts';

/** What a signature of Matrix is over: the canonical JSON without the signatures and what the server adds. */
const signedText = ({ signatures: _signatures, unsigned: _unsigned, ...rest }: DeviceKeys): string =>
  canonicalJson(rest);

/**
 * Whose signature, besides its own, a device's keys carry.
 * @param selfSigning Self-signing keys of its owner that are known here, unpadded base64.
 * @returns its Ed25519 key, and whether one of `selfSigning` signed it; `undefined` for keys that do not fit themselves, or carry no
 * signature of an identity at all.
 */
export async function readDeviceKeys(
  keys: DeviceKeys,
  user: string,
  deviceId: string,
  selfSigning: readonly string[],
): Promise<{ key: Uint8Array; isSigned: boolean } | undefined> {
  if (keys.user_id !== user || keys.device_id !== deviceId) return undefined;
  const own = `ed25519:${deviceId}`;
  const all = keys.signatures[user] ?? {};
  const key = fromBase64(keys.keys[own] ?? '');
  const text = textOf(keys);
  if (!key || text === undefined || !(await verifySignature(key, all[own] ?? '', text))) return undefined;
  let isSignedByAny = false;
  for (const [name, signature] of Object.entries(all)) {
    const by = name.slice('ed25519:'.length);
    const signer = name === own ? undefined : fromBase64(by);
    if (!signer || !(await verifySignature(signer, signature, text))) continue;
    if (selfSigning.includes(by)) return { key, isSigned: true };
    isSignedByAny = true;
  }
  return isSignedByAny ? { key, isSigned: false } : undefined;
}

function textOf(keys: DeviceKeys): string | undefined {
  try {
    return signedText(keys);
  } catch (_notJson) {
    return undefined;
  }
}
