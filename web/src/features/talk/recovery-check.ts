/** The recovery secret on the screen: its groups, and which of them are asked for to be sure that it was written down. Pure. */

/** `ABCD-EFGH-…` as its groups. */
export const secretGroups = (secret: string): string[] =>
  secret.split(/[\s-]+/).filter((group) => group !== '');

/** Two different places out of `count`, by two numbers from 0 up to but without 1. */
export function askedGroups(count: number, chance: () => number): [number, number] {
  const first = Math.floor(chance() * count);
  const second = Math.floor(chance() * (count - 1));
  const other = second >= first ? second + 1 : second;
  return first < other ? [first, other] : [other, first];
}

/** Letters as they are compared: no case, no spaces, no hyphens. */
export const plainGroup = (typed: string): string => typed.toUpperCase().replace(/[^A-Z0-9]/g, '');
