import { describe, expect, it } from 'vitest';
import { Allowance } from './allowance.ts';

const at = { ms: 0 };
const clock = { now: () => 0, monotonic: () => at.ms };

describe('an allowance', () => {
  it('gives a burst, then as much as comes back, and says how long to wait', () => {
    const allowance = new Allowance({ burst: 3, perMinute: 6 }, clock);
    expect([1, 2, 3, 4].map(() => allowance.take('ada'))).toEqual([undefined, undefined, undefined, 10]);
    expect(allowance.take('bob')).toBeUndefined();
    at.ms += 8_500;
    expect(allowance.take('ada')).toBe(2);
    at.ms += 1_500;
    expect([1, 2].map(() => allowance.take('ada'))).toEqual([undefined, 10]);
    at.ms += 3_600_000;
    expect([1, 2, 3, 4].map(() => allowance.take('ada'))).toEqual([undefined, undefined, undefined, 10]);
  });

  it('forgets nobody who has used his up when thousands of others come', () => {
    const allowance = new Allowance({ burst: 1, perMinute: 1 }, clock);
    for (let n = 0; n < 4_999; n += 1) allowance.take(`early ${n}`);
    at.ms += 60_000;
    allowance.take('ada');
    for (let n = 0; n < 3_000; n += 1) allowance.take(`late ${n}`);
    expect(allowance.take('ada')).toBe(60);
  });
});
