/**
 * The key that signs exports: Ed25519, made once, readable to this service alone. What must stay true: a key that is there
 * and cannot be used stops the start; it is never replaced in silence, or exports of the same box would differ in signer.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export type SigningKey = {
  sign(bytes: Buffer): Buffer;
  publicPem: string;
  /** SHA-256 of the public key (DER, SubjectPublicKeyInfo), hexadecimal. */
  fingerprint: string;
};

const fileName = 'evidence-key.pem';
/** Beside it, for `siphera verify-evidence`, and for whoever wants to write it down elsewhere. */
const publicName = 'evidence-public.pem';

/** @throws Error when the key is there but no Ed25519 key, or cannot be read. */
export function loadSigningKey(directory: string, file?: string): SigningKey {
  const path = file ?? join(directory, fileName);
  if (file === undefined && !existsSync(path)) makeKey(path);
  const key = readKey(path);
  const publicKey = createPublicKey(key);
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const publicPath = join(directory, publicName);
  if (!existsSync(publicPath) || readFileSync(publicPath, 'utf8') !== publicPem)
    writeOnce(publicPath, publicPem, 0o644);
  return { sign: (bytes) => sign(null, bytes, key), publicPem, fingerprint: fingerprintOf(publicKey) };
}

const fingerprintOf = (publicKey: KeyObject): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');

function readKey(path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(readFileSync(path));
  } catch (cause) {
    throw new Error(`The key that signs exports cannot be read: ${path}`, { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${path} is no Ed25519 key`);
  return key;
}

function makeKey(path: string): void {
  const { privateKey } = generateKeyPairSync('ed25519');
  writeOnce(path, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 0o600);
}

function writeOnce(path: string, text: string, mode: number): void {
  const file = openSync(`${path}.tmp`, 'w', mode);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.tmp`, path);
}
