import { expect, it } from 'vitest';
import { AddressLimit } from './address-limit.ts';

it('lets an address call so often in a span, whatever others do', () => {
  const limit = new AddressLimit({ callsMax: 2, spanMs: 1_000, addressesMax: 10 });
  expect([0, 1, 2].map((ms) => limit.take('a', ms))).toEqual([true, true, false]);
  expect(limit.take('b', 3)).toBe(true);
  expect(limit.take('a', 1_000)).toBe(true);
});

it('remembers no more addresses than it may: further ones share a count', () => {
  const limit = new AddressLimit({ callsMax: 2, spanMs: 1_000, addressesMax: 1 });
  expect(limit.take('a', 0)).toBe(true);
  expect(['b', 'c', 'd'].map((address) => limit.take(address, 1))).toEqual([true, true, false]);
  expect(limit.take('a', 2)).toBe(true);
});
