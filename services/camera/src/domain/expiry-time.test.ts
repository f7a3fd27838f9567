import { describe, expect, it } from 'vitest';
import { believed, expiryTimeOf, lookAtClock, type ExpiryState } from './expiry-time.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const startMs = Date.UTC(2026, 2, 2, 8);

/** Looks each hour, with the wall clock off by so much. */
function hours(state: ExpiryState, count: number, offMs: number, fromHour = 0): ExpiryState {
  let last = state;
  for (let hour = fromHour + 1; hour <= fromHour + count; hour += 1)
    last = lookAtClock(last, startMs + hour * hourMs + offMs, hourMs);
  return last;
}

describe('the time by which things are deleted for their age', () => {
  it('is the clock’s while it goes on, is set by less than a day, or is set back', () => {
    const state = hours(hours(believed(startMs), 100, 0), 1, 23 * hourMs, 100);
    expect(state).toEqual(believed(startMs + 124 * hourMs));
    const back = hours(believed(startMs), 1, -40 * dayMs);
    expect(expiryTimeOf(back, startMs + hourMs - 40 * dayMs)).toBe(startMs + hourMs - 40 * dayMs);
  });

  it('stands still for a day after a jump ahead, then follows', () => {
    const jumped = hours(believed(startMs), 24, 40 * dayMs);
    expect(jumped).toMatchObject({ strayMs: 40 * dayMs, heldMs: startMs });
    expect(expiryTimeOf(jumped, startMs + 41 * dayMs)).toBe(startMs);
    expect(hours(jumped, 1, 40 * dayMs, 24)).toEqual(believed(startMs + 25 * hourMs + 40 * dayMs));
  });

  it('follows at once when the clock is set right, and waits anew after another jump', () => {
    const jumped = hours(believed(startMs), 20, 40 * dayMs);
    expect(hours(jumped, 1, 0, 20)).toEqual(believed(startMs + 21 * hourMs));
    const again = hours(jumped, 20, 80 * dayMs, 20);
    expect(again).toMatchObject({ strayMs: 80 * dayMs, heldMs: startMs });
  });

  it('is not moved by a box without a battery, which wakes up in 1970 until it is told the time', () => {
    const woken = lookAtClock(believed(startMs), 5_000, 0);
    expect(expiryTimeOf(woken, 5_000)).toBe(5_000);
    expect(lookAtClock(woken, startMs + hourMs, 60_000)).toEqual(believed(startMs + hourMs));
  });
});
