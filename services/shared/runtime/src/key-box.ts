/** Secrets of devices at rest: AES-256-GCM under a key outside the database, bound to the row they belong to. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from './random.ts';

const nonceBytes = 12;
const tagBytes = 16;

export class KeyBox {
  readonly #key: Buffer;
  readonly #random: Random;
  readonly #variable: string;

  /** @param options `key` 32 bytes; `variable` names the setting it came from, for the message when it is the wrong one. */
  constructor(options: { key: Buffer; random: Random; variable: string }) {
    if (options.key.length !== 32) throw new Error(`${options.variable} must be 32 bytes`);
    this.#key = options.key;
    this.#random = options.random;
    this.#variable = options.variable;
  }

  /** @param row names the row: what was sealed for one does not open for another. */
  seal(secret: Buffer, row: string): Buffer {
    const nonce = this.#random.bytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(row));
    const text = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), text]);
  }

  /** @throws Error when the key is not the one it was sealed with: that stops the start, loudly. */
  open(sealed: Buffer, row: string): Buffer {
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(Buffer.from(row));
    decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]);
    } catch (cause) {
      throw new Error(
        `The secret of ${row} does not open with ${this.#variable}. Restore the key file that belongs to this database.`,
        { cause },
      );
    }
  }
}
