/**
 * Encryption of DC-09 (§5.4): AES-128/192/256 in CBC mode with an initialisation vector of zeros, written as hex.
 * The pad stands in front and makes the text a multiple of 16 bytes; it is never empty, and holds no `|`, `[` or `]`.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';

const blockBytes = 16;
const zeros = Buffer.alloc(blockBytes);
const padAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Hex of pad + text. `random` gives bytes for the pad. */
export function encrypt(text: string, key: Buffer, random: (length: number) => Buffer): string {
  const length = blockBytes - (text.length % blockBytes);
  const pad = [...random(length)].map((byte) => padAlphabet[byte % padAlphabet.length] ?? 'A').join('');
  const cipher = createCipheriv(cipherName(key), key, zeros).setAutoPadding(false);
  return Buffer.concat([cipher.update(pad + text, 'latin1'), cipher.final()])
    .toString('hex')
    .toUpperCase();
}

/** Pad + text of the hex, one character per byte; undefined when it is not whole blocks of hex. */
export function decrypt(hex: string, key: Buffer): string | undefined {
  if (hex.length === 0 || hex.length % (2 * blockBytes) !== 0 || !/^[0-9A-Fa-f]+$/.test(hex))
    return undefined;
  const decipher = createDecipheriv(cipherName(key), key, zeros).setAutoPadding(false);
  return Buffer.concat([decipher.update(hex, 'hex'), decipher.final()]).toString('latin1');
}

const cipherName = (key: Buffer): string => `aes-${key.length * 8}-cbc`;
