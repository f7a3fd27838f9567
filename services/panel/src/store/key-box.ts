/** Account keys at rest: AES-256-GCM under the box's panel key, bound to the account they belong to. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '@siphera/runtime';

const nonceBytes = 12;
const tagBytes = 16;

export class KeyBox {
  readonly #key: Buffer;
  readonly #random: Random;

  /** @param key 32 bytes. */
  constructor(key: Buffer, random: Random) {
    if (key.length !== 32) throw new Error('The panel key must be 32 bytes');
    this.#key = key;
    this.#random = random;
  }

  seal(accountKey: Buffer, account: string): Buffer {
    const nonce = this.#random.bytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(account));
    const text = Buffer.concat([cipher.update(accountKey), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), text]);
  }

  /** @throws Error when the key file is not the one it was sealed with: that stops the start, loudly. */
  open(sealed: Buffer, account: string): Buffer {
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(Buffer.from(account));
    decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]);
    } catch (cause) {
      throw new Error(
        `The key of account ${account} does not open with PANEL_KEY_FILE. Restore the key file that belongs to this database.`,
        { cause },
      );
    }
  }
}
