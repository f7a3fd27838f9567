import { describe, expect, it } from 'vitest';
import { publicKeyOf } from './public-key.ts';

describe('the public half of a key', () => {
  it('is that of RFC 8032 §7.1', async () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    const own = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');
    expect(await publicKeyOf(seed.toString('base64'))).toBe(own.toString('base64').replace(/=+$/, ''));
  });

  it('is none of what is no key', async () => {
    expect(await publicKeyOf('AAAA')).toBeUndefined();
    expect(await publicKeyOf('not base64!')).toBeUndefined();
  });
});
