import { describe, expect, it } from 'vitest';
import { askedGroups, plainGroup, secretGroups } from './recovery-check.ts';

describe('the check of a recovery secret', () => {
  it('asks for two different groups, whatever chance says', () => {
    for (const a of [0, 0.3, 0.5, 0.99]) {
      for (const b of [0, 0.3, 0.5, 0.99]) {
        const [first, second] = askedGroups(
          6,
          (
            (values) => () =>
              values.shift() ?? 0
          )([a, b]),
        );
        expect(first).toBeLessThan(second);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(second).toBeLessThan(6);
      }
    }
  });

  it('forgives case and blanks, and nothing else', () => {
    expect(secretGroups('abcd-efgh ijkl')).toEqual(['abcd', 'efgh', 'ijkl']);
    expect(plainGroup(' ab cd')).toBe('ABCD');
    expect(plainGroup('abce')).not.toBe('ABCD');
  });
});
