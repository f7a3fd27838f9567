import { describe, expect, it } from 'vitest';
import { formatValue, parseScalar, parseValue } from './data-value.ts';

describe('a value of a condition in a field', () => {
  it('reads numbers, truth and nothing as what they are', () => {
    expect(['5', '-2.5', 'true', 'false', 'null', 'open'].map(parseScalar)).toEqual([
      5,
      -2.5,
      true,
      false,
      null,
      'open',
    ]);
  });

  it('keeps as text what only looks like a number', () => {
    expect(['007', '1e5', '5 h', '"5"'].map(parseScalar)).toEqual(['007', '1e5', '5 h', '5']);
  });

  it('splits a list at commas outside quotes', () => {
    expect(parseValue('expired, "a, b", 3', 'in')).toEqual(['expired', 'a, b', 3]);
  });

  it.each([['open'], ['5'], ['true'], [''], [' padded '], ['say "hi"'], ['a, b']])(
    'gives the text %j back unchanged',
    (text) => {
      expect(parseScalar(formatValue(text))).toBe(text);
    },
  );
});
