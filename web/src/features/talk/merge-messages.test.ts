import { describe, expect, it } from 'vitest';
import { mergeNewest } from './merge-messages.ts';
import { aMessage } from './testing/builders.ts';

const list = (...names: string[]) => names.map((id) => aMessage({ id }));
const idsOf = (merged: { items: { id: string }[] }): string => merged.items.map((one) => one.id).join('');

describe('the newest page over what was read before', () => {
  it('adds what is new and keeps what is older', () => {
    expect(idsOf(mergeNewest(list('a', 'b', 'c'), list('b', 'c', 'd')))).toBe('abcd');
  });

  it('takes the order of the page, because what waited moves when it is sent', () => {
    expect(idsOf(mergeNewest(list('a', 'b', 'w'), list('b', 'c', 'w')))).toBe('abcw');
    expect(idsOf(mergeNewest(list('a', 'w', 'c'), list('c', 'w')))).toBe('acw');
  });

  it('stands alone when it does not meet what was there', () => {
    const merged = mergeNewest(list('a', 'b'), list('x', 'y'));
    expect(idsOf(merged)).toBe('xy');
    expect(merged.overlaps).toBe(false);
  });
});
