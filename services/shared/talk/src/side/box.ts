/**
 * The one sealed box of the side modules: AES-256-GCM with a random nonce and a version byte in front. What must stay true:
 * what a box is for is in its additional data, so that no box opens in another's place.
 */
import { concat, fromText, plain, type Bytes } from './bytes.ts';

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
/** Bytes that a box is larger than what is in it. */
const boxOverhead = 1 + nonceBytes + tagBytes;

/** A key of 256 bits for this purpose alone, out of a secret (HKDF-SHA-256, RFC 5869). */
export async function deriveKey(secret: Uint8Array, purpose: string, salt = ''): Promise<CryptoKey> {
  const bits = await deriveBytes(secret, purpose, salt);
  return importKey(bits);
}

/** 32 bytes out of a secret (HKDF-SHA-256). */
export async function deriveBytes(secret: Uint8Array, purpose: string, salt = ''): Promise<Bytes> {
  const { subtle } = globalThis.crypto;
  const base = await subtle.importKey('raw', plain(secret), 'HKDF', false, ['deriveBits']);
  const info = { name: 'HKDF', hash: 'SHA-256', salt: fromText(salt), info: fromText(purpose) };
  return new Uint8Array(await subtle.deriveBits(info, base, 256));
}

/** Takes 32 bytes as they are. @throws Error for any other length */
export async function importKey(raw: Uint8Array): Promise<CryptoKey> {
  if (raw.length !== 32) throw new Error(`A key has 32 bytes, this one ${raw.length}`);
  return globalThis.crypto.subtle.importKey('raw', plain(raw), 'AES-GCM', false, ['encrypt', 'decrypt']);
}

export async function sealBox(key: CryptoKey, content: Uint8Array, purpose: string): Promise<Bytes> {
  // Not injected: a nonce that a test could repeat, a mistake could repeat too, and GCM forgives it not once.
  const nonce = globalThis.crypto.getRandomValues(new Uint8Array(nonceBytes));
  const sealed = await globalThis.crypto.subtle.encrypt(gcm(nonce, purpose), key, plain(content));
  return concat(Uint8Array.of(version), nonce, new Uint8Array(sealed));
}

/** `undefined` when it is no box, is for something else, was changed, or the key is another. */
export async function openBox(key: CryptoKey, box: Uint8Array, purpose: string): Promise<Bytes | undefined> {
  if (box.length < boxOverhead || box[0] !== version) return undefined;
  const nonce = box.slice(1, 1 + nonceBytes);
  try {
    const sealed = plain(box.subarray(1 + nonceBytes));
    return new Uint8Array(await globalThis.crypto.subtle.decrypt(gcm(nonce, purpose), key, sealed));
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'OperationError') return undefined;
    throw cause;
  }
}

const gcm = (iv: Bytes, purpose: string): AesGcmParams => ({
  name: 'AES-GCM',
  iv,
  additionalData: concat(Uint8Array.of(version), fromText(purpose)),
  tagLength: tagBytes * 8,
});
