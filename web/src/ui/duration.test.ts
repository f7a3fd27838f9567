import { describe, expect, it } from 'vitest';
import { bytesText } from './bytes.ts';
import { joinDuration, splitDuration } from './duration.ts';
import { jsonTokens } from './json-tokens.ts';

describe('a length of time in a field', () => {
  it('takes the largest unit that needs no fraction', () => {
    const units = ['s', 'min', 'h', 'd'] as const;
    expect(splitDuration(120_000, units)).toEqual({ amount: 2, unit: 'min' });
    expect(splitDuration(90_000, units)).toEqual({ amount: 90, unit: 's' });
    expect(splitDuration(0, units)).toEqual({ amount: 0, unit: 's' });
    expect(splitDuration(7 * 86_400_000, units)).toEqual({ amount: 7, unit: 'd' });
  });

  it('is nothing while the field is empty', () => {
    expect(joinDuration(Number('x'), 'min')).toBe(0);
    expect(joinDuration(1.5, 'min')).toBe(90_000);
  });
});

describe('amounts of bytes', () => {
  it('are said as disks are sold', () => {
    expect(bytesText(950, 'en')).toBe('950 bytes');
    expect(bytesText(1_340_000, 'en')).toBe('1.3 MB');
    expect(bytesText(78_696_144_896, 'en')).toBe('79 GB');
  });
});

describe('JSON in parts', () => {
  it('loses no character', () => {
    const text = JSON.stringify({ a: 'x "y" <b>', n: -1.5e3, t: [true, null], 'k:': {} }, null, 2);
    expect(
      jsonTokens(text)
        .map((token) => token.text)
        .join(''),
    ).toBe(text);
  });

  it('tells a key from a text', () => {
    const kinds = jsonTokens('{"a": "b"}').filter((token) => token.kind !== 'plain');
    expect(kinds).toEqual([
      { kind: 'key', text: '"a"' },
      { kind: 'string', text: '"b"' },
    ]);
  });
});
