import { Attachment, EncryptedAttachment } from '@matrix-org/matrix-sdk-crypto-wasm';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TalkError } from '../api.ts';
import { EncryptedFile } from '../content.ts';
import { decryptFile, encryptFile, fileBytesMax } from './files.ts';

async function refusal(run: Promise<unknown>): Promise<string> {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TalkError)) throw new Error('was not refused by a TalkError');
  return error.code;
}

describe('attachments', () => {
  it('come back as they were, of any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (content) => {
        const { ciphertext, encrypted } = await encryptFile(content);
        expect(EncryptedFile.parse(JSON.parse(JSON.stringify(encrypted)))).toEqual(encrypted);
        expect(await decryptFile(ciphertext, encrypted)).toEqual(Uint8Array.from(content));
      }),
      { numRuns: 40 },
    );
  });

  it('are what the library makes and reads', async () => {
    const content = Uint8Array.from(randomBytes(70_001));
    const { ciphertext, encrypted } = await encryptFile(content);
    const theirs = new EncryptedAttachment(ciphertext, JSON.stringify({ ...encrypted, url: 'mxc://box/1' }));
    expect(Attachment.decrypt(theirs)).toEqual(content);
    const made = Attachment.encrypt(content);
    const info: unknown = JSON.parse(made.mediaEncryptionInfo!);
    expect(await decryptFile(made.encryptedData, info)).toEqual(content);
  });

  it('have a key of their own each', async () => {
    const content = Uint8Array.from(randomBytes(100));
    const first = await encryptFile(content);
    const second = await encryptFile(content);
    expect(second.encrypted.key.k).not.toBe(first.encrypted.key.k);
    expect(await refusal(decryptFile(first.ciphertext, second.encrypted))).toBe('refused');
  });

  it('give nothing of themselves when a byte was changed', async () => {
    const { ciphertext, encrypted } = await encryptFile(Uint8Array.from(randomBytes(200)));
    await fc.assert(
      fc.asyncProperty(fc.nat(199), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = ciphertext.slice();
        changed[at]! ^= flip;
        expect(await refusal(decryptFile(changed, encrypted))).toBe('refused');
      }),
    );
    expect(await refusal(decryptFile(ciphertext.subarray(1), encrypted))).toBe('refused');
  });

  it('are refused with a key that is none, whatever it is', async () => {
    const { ciphertext, encrypted } = await encryptFile(Uint8Array.of(1, 2, 3));
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (junk) => {
        expect(await refusal(decryptFile(ciphertext, junk))).toBe('refused');
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('k', 'iv', 'hash'), fc.string(), async (field, text) => {
        const twisted = structuredClone(encrypted);
        if (field === 'k') twisted.key.k = text;
        else if (field === 'iv') twisted.iv = text;
        else twisted.hashes.sha256 = text;
        expect(await refusal(decryptFile(ciphertext, twisted))).toBe('refused');
      }),
    );
  });

  it('larger than allowed are refused before any work', async () => {
    const large = new Uint8Array(fileBytesMax + 1);
    expect(await refusal(encryptFile(large))).toBe('too_large');
    expect(await refusal(decryptFile(large, {}))).toBe('too_large');
  });
});
