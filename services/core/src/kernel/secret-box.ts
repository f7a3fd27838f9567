/**
 * Encrypts the few secrets that the database must hold (webhook keys, the SMTP password) with a key that lies beside it,
 * not in it: a copied database gives none of them away.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Random } from '@siphera/runtime';

const ivBytes = 12;
const tagBytes = 16;
const keyBytes = 32;

export class SecretBox {
  readonly #key: Buffer;
  readonly #random: Random;

  constructor(key: Buffer, random: Random) {
    if (key.length !== keyBytes) throw new Error(`The box key must be ${keyBytes} bytes`);
    this.#key = key;
    this.#random = random;
  }

  seal(text: string): string {
    const iv = this.#random.bytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
  }

  /** @throws Error when it was sealed with another key or altered. */
  open(sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, ivBytes));
    decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString(
      'utf8',
    );
  }
}

/** Reads the key of the data directory, made at the first start. @throws Error when others may read it or it is damaged. */
export function openSecretBox(dataDir: string, random: Random): SecretBox {
  const path = join(dataDir, 'keys', 'box.key');
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.tmp`, random.bytes(keyBytes).toString('base64'), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  }
  if ((statSync(path).mode & 0o077) !== 0)
    throw new Error(
      `${path} can be read by others. Set its mode to 600, and change the secrets it protects.`,
    );
  return new SecretBox(Buffer.from(readFileSync(path, 'utf8'), 'base64'), random);
}
