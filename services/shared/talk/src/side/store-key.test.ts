import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { storeKey, storePassphrase } from './store-key.ts';

const local = new Uint8Array(32).fill(1);
const server = new Uint8Array(32).fill(2);

describe('store key', () => {
  it('is HKDF-SHA-256 of both shares, named for the device', async () => {
    const both = Buffer.concat([local, server]);
    const expected = new Uint8Array(hkdfSync('sha256', both, '', 'siphera-store:ABCDEFGHIJ', 32));
    expect(await storeKey('ABCDEFGHIJ', local, server)).toEqual(expected);
  });

  it('changes with each share and with the device', async () => {
    const keys = await Promise.all([
      storeKey('ABCDEFGHIJ', local, server),
      storeKey('ABCDEFGHIK', local, server),
      storeKey('ABCDEFGHIJ', server, local),
      storeKey('ABCDEFGHIJ', local, local),
    ]);
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(4);
  });

  it('takes no half that is short', async () => {
    await expect(storeKey('ABCDEFGHIJ', local.subarray(1), server)).rejects.toThrow(/32 bytes/);
    await expect(storeKey('ABCDEFGHIJ', local, new Uint8Array(0))).rejects.toThrow(/32 bytes/);
  });

  it('is not what the library is told', async () => {
    const key = await storeKey('ABCDEFGHIJ', local, server);
    const passphrase = await storePassphrase(key);
    expect(Buffer.from(passphrase, 'base64')).toHaveLength(32);
    expect(passphrase).not.toBe(Buffer.from(key).toString('base64'));
  });
});
