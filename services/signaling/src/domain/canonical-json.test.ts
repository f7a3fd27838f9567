import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, signedText } from './canonical-json.ts';

describe('canonical JSON', () => {
  // Examples of the Matrix specification, appendices §3.1.
  it.each([
    [{}, '{}'],
    [{ one: 1, two: 'Two' }, '{"one":1,"two":"Two"}'],
    [{ b: '2', a: '1' }, '{"a":"1","b":"2"}'],
    [
      { auth: { success: true, mxid: '@john.doe:example.com', profile: { display_name: 'John Doe' } } },
      '{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe"},"success":true}}',
    ],
    [{ a: '日本語' }, '{"a":"日本語"}'],
    [{ 本: 2, 日: 1 }, '{"日":1,"本":2}'],
    [{ a: null, b: [-0, [1]] }, '{"a":null,"b":[0,[1]]}'],
  ])('of %j', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it('sorts by code point where JavaScript sorts by its halves', () => {
    expect(canonicalJson({ '\u{1F600}': 1, '\uFF5E': 2 })).toBe('{"\uFF5E":2,"\u{1F600}":1}');
  });

  it.each([1.5, 1e300, Number.NaN, undefined, () => 1])('refuses %s', (value) => {
    expect(() => canonicalJson([value])).toThrow(RangeError);
  });

  it('is the same whatever the order of the members, and reads back as what it was', () => {
    const leaf = fc.oneof(fc.maxSafeInteger(), fc.string({ unit: 'grapheme' }), fc.boolean());
    const whole = fc.oneof(leaf, fc.array(leaf), fc.dictionary(fc.string(), leaf));
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), whole), (object) => {
        const turned = Object.fromEntries(Object.entries(object).toReversed());
        expect(canonicalJson(turned)).toBe(canonicalJson(object));
        expect(JSON.parse(canonicalJson(object))).toEqual(JSON.parse(JSON.stringify(object)));
      }),
    );
  });

  it('that is signed leaves signatures and what was not signed out', () => {
    expect(signedText({ b: 1, signatures: { x: { y: 'z' } }, unsigned: { a: 1 }, a: 2 })).toBe(
      '{"a":2,"b":1}',
    );
  });
});
