import { describe, expect, it } from 'vitest';
import { diffLines } from './rule-diff.ts';
import { dayRange } from './use-rule-words.ts';

describe('what changed between two versions', () => {
  it('names what went and what came, and nothing that stayed', () => {
    expect(diffLines(['on', 'when a', 'then x'], ['on', 'when b', 'then x', 'then y'])).toEqual([
      { kind: 'gone', text: 'when a' },
      { kind: 'new', text: 'when b' },
      { kind: 'new', text: 'then y' },
    ]);
  });

  it('counts a line that stands twice', () => {
    expect(diffLines(['notify', 'notify'], ['notify'])).toEqual([{ kind: 'gone', text: 'notify' }]);
  });
});

describe('days in words', () => {
  const name = (day: number): string => ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'][day - 1]!;
  it('says an unbroken run as a range and single days as a list', () => {
    expect(dayRange([5, 1, 2, 3, 4], name)).toBe('Mo–Fr');
    expect(dayRange([6, 7], name)).toBe('Sa, Su');
    expect(dayRange([1, 3], name)).toBe('Mo, We');
  });
});
