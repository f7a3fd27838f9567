import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrive, emptySequence, missingCount, SequenceState } from './sequence.ts';

const after = (...numbers: number[]) =>
  numbers.reduce<{ state: SequenceState; said: string[] }>(
    ({ state, said }, n) => {
      const { state: next, verdict } = arrive(state, n);
      return { state: next, said: [...said, verdict] };
    },
    { state: emptySequence(), said: [] },
  );

describe('sequence of a device', () => {
  it('tells what is next, what is missing, what came late and what came twice', () => {
    const { state, said } = after(1, 2, 5, 4, 4, 2, 3, 6, 0, -1, 1.5);
    expect(said).toEqual([
      'next',
      'next',
      'gap',
      'late',
      'duplicate',
      'duplicate',
      'late',
      'next',
      'uncounted',
      'uncounted',
      'uncounted',
    ]);
    expect(missingCount(state)).toBe(0);
    expect(missingCount(after(1, 4).state)).toBe(2);
  });

  it('misses nothing of before the device came', () => {
    const { state, verdict } = arrive(emptySequence(40), 40);
    expect(verdict).toBe('next');
    expect(missingCount(state)).toBe(0);
    expect(arrive(state, 39).verdict).toBe('duplicate');
  });

  it('is right about any order of arrival, against a plain set', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 80 }), (numbers) => {
        let state = emptySequence();
        const seen = new Set<number>();
        for (const n of numbers) {
          const { state: next, verdict } = arrive(state, n);
          expect(verdict === 'duplicate').toBe(seen.has(n));
          seen.add(n);
          state = SequenceState.parse(JSON.parse(JSON.stringify(next)));
          expect(missingCount(state)).toBe(Math.max(...seen) - seen.size);
        }
      }),
    );
  });

  it('stays small whatever a device counts', () => {
    let state = emptySequence();
    for (let n = 2; n < 20_000; n += 2) state = arrive(state, n).state;
    expect(state.missing.length).toBeLessThanOrEqual(50);
    expect(missingCount(state)).toBe(9_999);
    state = arrive(state, Number.MAX_SAFE_INTEGER).state;
    expect(JSON.stringify(state).length).toBeLessThan(2_000);
    expect(arrive(state, 5).verdict).toBe('duplicate');
  });
});
