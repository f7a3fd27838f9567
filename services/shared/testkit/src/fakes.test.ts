import { describe, expect, it } from 'vitest';
import { fakeClock, fakeRandom, fakeStartMs } from './fakes.ts';

describe('fakes', () => {
  it('moves both clocks together, and the wall clock alone when set', () => {
    const clock = fakeClock();
    clock.advance(1_500);
    expect([clock.now(), clock.monotonic()]).toEqual([fakeStartMs + 1_500, 1_500]);
    clock.set(5);
    expect([clock.now(), clock.monotonic()]).toEqual([5, 1_500]);
  });

  it('repeats the same chance for the same seed', () => {
    const [a, b, other] = [fakeRandom(7), fakeRandom(7), fakeRandom(8)];
    expect(a.bytes(16)).toEqual(b.bytes(16));
    expect(a.fraction()).toBe(b.fraction());
    expect(a.uuid()).toBe(b.uuid());
    expect(a.bytes(16)).not.toEqual(other.bytes(16));
  });

  it('makes ids that are well-formed version 7 and sort by their making', () => {
    const random = fakeRandom();
    const ids = Array.from({ length: 300 }, () => random.uuid());
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
