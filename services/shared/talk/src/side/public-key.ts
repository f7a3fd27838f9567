/** The public half of an Ed25519 key, from the private one: whether a secret is of the identity that a server shows. */
import { concat, fromBase64, plain, toBase64 } from './bytes.ts';

const seedBytes = 32;
/** PKCS #8 of an Ed25519 key (RFC 8410 §7), up to its 32 bytes. */
const pkcs8Head = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);

/** @param seed base64. Answers unpadded base64, `undefined` for what is no key. */
export async function publicKeyOf(seed: string): Promise<string | undefined> {
  const bytes = fromBase64(seed);
  if (bytes?.length !== seedBytes) return undefined;
  const { subtle } = globalThis.crypto;
  const key = await subtle.importKey('pkcs8', plain(concat(pkcs8Head, bytes)), 'Ed25519', true, ['sign']);
  const { x } = await subtle.exportKey('jwk', key);
  const raw = x === undefined ? undefined : fromBase64(x);
  return raw && toBase64(raw, 'unpadded');
}
