/** Signatures of devices and identities: Ed25519 in unpadded base64, over a text or over canonical JSON. */
import { createPublicKey, verify } from 'node:crypto';
import { signedText } from './canonical-json.ts';

type Signed = Readonly<Record<string, unknown>> & {
  signatures?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
};

/** Exactly: base64 with anything else in between would be decoded too, and kept as it came. */
const signatureText = /^[A-Za-z0-9+/]{86}(==)?$/;

/** @param key public key, 32 bytes in base64. A key or signature that is none verifies nothing. */
export function isSignature(key: string, text: string, signature: string): boolean {
  const raw = Buffer.from(key, 'base64');
  if (!signatureText.test(signature) || raw.length !== 32) return false;
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') },
    format: 'jwk',
  });
  return verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64'));
}

/** Whether `user`'s key signed the object: `text` of it when it is at hand. */
export function isSignedBy(object: Signed, user: string, keyId: string, key: string): boolean {
  const signature = object.signatures?.[user]?.[keyId];
  const text = signature === undefined ? undefined : textOf(object);
  return signature !== undefined && text !== undefined && isSignature(key, text, signature);
}

/** Undefined: it holds what cannot be signed, a fraction above all. */
export function textOf(object: Readonly<Record<string, unknown>>): string | undefined {
  try {
    return signedText(object);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
