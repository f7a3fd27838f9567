import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { location } from '../testing/location-kit.ts';
import { neighboursOf } from './location-neighbours.ts';
import { rangeOf } from './location-networks.ts';

const meet = (a: string, b: string): boolean =>
  neighboursOf([location('a', { networks: [a] })]).meeting(b, undefined) !== undefined;

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
  ])('%s and %s meet: %s', (a, b, expected) => {
    expect(meet(a, b)).toBe(expected);
    expect(meet(b, a)).toBe(expected);
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

  it('that meet are found among many as by looking at each one', () => {
    const network = fc
      .tuple(fc.nat(3), fc.nat(255), fc.integer({ min: 14, max: 32 }))
      .map(([a, b, prefix]) => `10.${a}.${b}.0/${prefix}`);
    const overlap = (a: string, b: string): boolean => {
      const [one, two] = [rangeOf(a), rangeOf(b)];
      return one !== undefined && two !== undefined && one.first <= two.last && two.first <= one.last;
    };
    fc.assert(
      fc.property(fc.array(network, { maxLength: 20 }), network, fc.nat(19), (networks, asked, own) => {
        const all = networks.map((one, at) => location(String(at), { networks: [one] }));
        const met = neighboursOf(all).meeting(asked, String(own));
        const expected = networks.some((one, at) => at !== own && overlap(one, asked));
        expect(met !== undefined).toBe(expected);
        if (met) expect(overlap(met.network, asked) && met.location.id !== String(own)).toBe(true);
      }),
    );
  });
});
