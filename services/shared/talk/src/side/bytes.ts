/** Bytes as text and back, alike in browsers and Node. */

/** WebCrypto wants views over plain memory; shared memory, which it refuses, is used nowhere in talk. */
export type Bytes = Uint8Array<ArrayBuffer>;
export const plain = (bytes: Uint8Array): Bytes => bytes as Bytes;

const utf8 = new TextEncoder();
const utf8Strict = new TextDecoder('utf-8', { fatal: true });
/** Arguments of one call; engines refuse some 100,000. */
const chunkBytes = 8_192;

export const fromText = (text: string): Bytes => plain(utf8.encode(text));
/** @throws TypeError for what is not UTF-8 */
export const toText = (bytes: Uint8Array): string => utf8Strict.decode(bytes);

/** Standard alphabet, padded unless said otherwise. */
export function toBase64(bytes: Uint8Array, padding: 'padded' | 'unpadded' = 'padded'): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += chunkBytes)
    text += String.fromCharCode(...bytes.subarray(at, at + chunkBytes));
  const base64 = btoa(text);
  return padding === 'padded' ? base64 : base64.replace(/=+$/, '');
}

/** Reads both alphabets, padded or not; `undefined` for anything else. */
export function fromBase64(text: string): Bytes | undefined {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return undefined;
  const bare = text.replace(/=+$/, '').replace(/-/g, '+').replace(/_/g, '/');
  if (bare.length % 4 === 1) return undefined;
  return Uint8Array.from(atob(bare), (char) => char.charCodeAt(0));
}

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
