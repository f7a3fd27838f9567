/**
 * The key of a device's store: half of it is kept by the server, half never leaves the device. Neither opens anything
 * without the other. The server's half may be replaced by no one, so the key is the same at each opening.
 */
import { deriveBytes } from './box.ts';
import { concat, toBase64, type Bytes } from './bytes.ts';

const shareBytes = 32;

/** 32 bytes. @throws Error for a share that has not 32 bytes */
export async function storeKey(
  deviceId: string,
  localShare: Uint8Array,
  serverShare: Uint8Array,
): Promise<Bytes> {
  for (const share of [localShare, serverShare])
    if (share.length !== shareBytes) throw new Error('A share of a store key has 32 bytes');
  return deriveBytes(concat(localShare, serverShare), `siphera-store:${deviceId}`);
}

/**
 * What the library's `StoreHandle.open` takes. It is derived once more, so that whoever saw the passphrase does not have
 * the key of the engine's tables.
 */
export async function storePassphrase(key: Uint8Array): Promise<string> {
  return toBase64(await deriveBytes(key, 'siphera-crypto-store:1'));
}
