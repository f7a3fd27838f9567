/**
 * Attachments as Matrix v2 has them (`EncryptedFile`, C-S API §11.12.2.5): AES-256-CTR under a key of their own, SHA-256 over the ciphertext.
 * By WebCrypto and not by the library's `Attachment`, which copies a file four times through wasm memory on the page's
 * thread. What must stay true: nothing is decrypted, let alone returned, before the hash fits.
 */
import { talkLimits } from '@siphera/contract';
import { z } from 'zod';
import { TalkError } from '../api.ts';
import { EncryptedFile } from '../content.ts';
import { fromBase64, plain, toBase64, type Bytes } from './bytes.ts';

/** AES-CTR keeps the size, so what may be uploaded is what may be read. */
export const fileBytesMax = talkLimits.fileBytesMax;
const keyBytes = 32;
const counterBytes = 16;
/** Half of the counter block is chance, the other half counts from zero (Matrix: so that no client overflows it). */
const chanceBytes = 8;
const counterBits = 64;

const JsonWebKeyPart = z.looseObject({ k: z.string(), alg: z.literal('A256CTR'), kty: z.literal('oct') });

/** @throws TalkError `too_large` */
export async function encryptFile(
  content: Uint8Array,
): Promise<{ ciphertext: Bytes; encrypted: z.infer<typeof EncryptedFile> }> {
  if (content.length > fileBytesMax) throw tooLarge();
  const { subtle } = globalThis.crypto;
  const raw = globalThis.crypto.getRandomValues(new Uint8Array(keyBytes));
  const counter = new Uint8Array(counterBytes);
  globalThis.crypto.getRandomValues(counter.subarray(0, chanceBytes));
  const key = await subtle.importKey('raw', raw, 'AES-CTR', false, ['encrypt']);
  const ciphertext = new Uint8Array(await subtle.encrypt(ctr(counter), key, plain(content)));
  const hash = new Uint8Array(await subtle.digest('SHA-256', ciphertext));
  const k = toBase64(raw, 'unpadded').replace(/\+/g, '-').replace(/\//g, '_');
  return {
    ciphertext,
    encrypted: {
      v: 'v2',
      key: { kty: 'oct', key_ops: ['encrypt', 'decrypt'], alg: 'A256CTR', k, ext: true },
      iv: toBase64(counter, 'unpadded'),
      hashes: { sha256: toBase64(hash, 'unpadded') },
    },
  };
}

/** @throws TalkError `too_large`, or `refused` when key, hash or content do not fit one another */
export async function decryptFile(ciphertext: Uint8Array, encrypted: unknown): Promise<Bytes> {
  if (ciphertext.length > fileBytesMax) throw tooLarge();
  const { raw, counter, hash } = readEncrypted(encrypted);
  const { subtle } = globalThis.crypto;
  const actual = new Uint8Array(await subtle.digest('SHA-256', plain(ciphertext)));
  if (actual.some((byte, at) => byte !== hash[at])) throw damaged('was changed on its way');
  const key = await subtle.importKey('raw', raw, 'AES-CTR', false, ['decrypt']);
  return new Uint8Array(await subtle.decrypt(ctr(counter), key, plain(ciphertext)));
}

function readEncrypted(encrypted: unknown): { raw: Bytes; counter: Bytes; hash: Bytes } {
  const read = EncryptedFile.extend({ key: JsonWebKeyPart }).safeParse(encrypted);
  if (!read.success) throw damaged('has no key that can be read');
  const raw = fromBase64(read.data.key.k);
  const counter = fromBase64(read.data.iv);
  const hash = fromBase64(read.data.hashes.sha256);
  if (raw?.length !== keyBytes || counter?.length !== counterBytes || hash?.length !== 32)
    throw damaged('has no key that can be read');
  return { raw, counter, hash };
}

const ctr = (counter: Bytes): AesCtrParams => ({ name: 'AES-CTR', counter, length: counterBits });
const tooLarge = (): TalkError =>
  new TalkError('too_large', `A file has at most ${fileBytesMax / 1_048_576} MB`);
const damaged = (how: string): TalkError => new TalkError('refused', `The file ${how}`);
