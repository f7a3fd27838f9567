import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reconnectDelayMs } from './backoff.ts';

const random = (fraction: number) => ({ fraction: () => fraction, uuid: () => '', hex: () => '' });

test('the wait before a reconnect doubles, is spread over its upper half, and stays below half a minute', () => {
  fc.assert(
    fc.property(
      fc.nat(1_000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, fraction) => {
        const delay = reconnectDelayMs(attempt, random(fraction));
        const whole = Math.min(30_000, 500 * 2 ** Math.min(attempt, 16));
        expect(delay).toBeGreaterThanOrEqual(whole / 2);
        expect(delay).toBeLessThanOrEqual(whole);
      },
    ),
  );
});
