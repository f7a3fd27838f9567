import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rangeOf, rangesMeet } from './location-networks.ts';

describe('ranges of addresses', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/24', '10.0.1.0/24', false],
    ['10.0.0.77/24', '10.0.0.1', true],
    ['192.168.1.5', '192.168.1.5', true],
    ['fd00::/64', 'fd00::1:2:3:4', true],
    ['fd00:0:0:1::/64', 'fd00::1', false],
    ['::ffff:10.0.0.1', '10.0.0.1', false],
    ['::/128', '::', true],
  ])('%s and %s meet: %s', (a, b, meet) => {
    expect(rangesMeet(a, b)).toBe(meet);
    expect(rangesMeet(b, a)).toBe(meet);
  });

  it.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.0/33',
    'fd00::1::2',
    'fd00:::1',
    'x',
    '1:2:3:4:5:6:7',
    '::/129',
  ])('does not read "%s"', (text) => {
    expect(rangeOf(text)).toBeUndefined();
  });

  it('reads every address of version 4 and 6', () => {
    fc.assert(fc.property(fc.ipV4(), (text) => rangeOf(text)?.family === 4));
    fc.assert(fc.property(fc.ipV6(), (text) => rangeOf(text)?.family === 6));
  });
});
