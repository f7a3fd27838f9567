import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archiveCipher } from './archive.ts';

const id = '018f0000-0000-7000-8000-000000000001';
const other = '018f0000-0000-7000-8000-000000000002';
const key = randomBytes(32);

describe('archive', () => {
  it('gives back what was sealed', async () => {
    const cipher = await archiveCipher(key);
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (record) => {
        expect(await cipher.open(id, await cipher.seal(id, record))).toEqual(
          JSON.parse(JSON.stringify(record)),
        );
      }),
    );
  });

  it('opens no record under the id of another, and none with another key', async () => {
    const cipher = await archiveCipher(key);
    const box = await cipher.seal(id, { body: 'hello' });
    expect(await cipher.open(other, box)).toBeUndefined();
    expect(await (await archiveCipher(randomBytes(32))).open(id, box)).toBeUndefined();
  });

  it('opens nothing that was changed or never sealed', async () => {
    const cipher = await archiveCipher(key);
    const box = Buffer.from(await cipher.seal(id, { body: 'hello' }), 'base64');
    for (let at = 0; at < box.length; at += 1) {
      const changed = Uint8Array.from(box);
      changed[at]! ^= 1;
      expect(await cipher.open(id, Buffer.from(changed).toString('base64'))).toBeUndefined();
    }
    await fc.assert(
      fc.asyncProperty(fc.string(), async (junk) => {
        expect(await cipher.open(id, junk)).toBeUndefined();
      }),
    );
  });

  it('takes no key of another length', async () => {
    await expect(archiveCipher(new Uint8Array(31))).rejects.toThrow(/32 bytes/);
  });
});
