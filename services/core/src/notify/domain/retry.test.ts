import { describe, expect, it } from 'vitest';
import { nextAttempt } from './retry.ts';

const day = 86_400_000;

describe('trying again', () => {
  it('waits longer each time, up to a bound', () => {
    const waits = [0, 1, 2, 20].map((attempts) =>
      nextAttempt({ attempts, createdMs: 0, nowMs: 0, critical: true, fraction: 0.5 }),
    );
    expect(waits).toEqual([{ at: 5_000 }, { at: 10_000 }, { at: 20_000 }, { at: 900_000 }]);
  });

  it('gives up what is not critical after a day, and a critical one never', () => {
    expect(nextAttempt({ attempts: 50, createdMs: 0, nowMs: day + 1, critical: false, fraction: 0 })).toBe(
      'give_up',
    );
    expect(
      nextAttempt({ attempts: 5_000, createdMs: 0, nowMs: 300 * day, critical: true, fraction: 0 }),
    ).not.toBe('give_up');
  });
});
