import { describe, expect, it } from 'vitest';
import { EvenClock } from './even-clock.ts';

const hourMs = 3_600_000;

describe('a clock that is deleted by', () => {
  it('has to run evenly for six hours, from a start and from each jump', () => {
    const time = { wall: 1_000 * hourMs, monotonic: 0 };
    const clock = new EvenClock({ now: () => time.wall, monotonic: () => time.monotonic });
    const after = (hours: number, wallHours = hours): boolean => {
      time.monotonic += hours * hourMs;
      time.wall += wallHours * hourMs;
      return clock.isEven();
    };
    expect([after(0), after(5), after(1), after(1)]).toEqual([false, false, true, true]);
    expect([after(0, 2_000), after(5), after(1)]).toEqual([false, false, true]);
    expect([after(1, -2_000), after(6)]).toEqual([false, true]);
  });

  it('may be set by seconds, as a time server does', () => {
    const time = { wall: 0, monotonic: 0 };
    const clock = new EvenClock({ now: () => time.wall, monotonic: () => time.monotonic });
    const looks = Array.from({ length: 8 }, () => {
      time.monotonic += hourMs;
      time.wall += hourMs + 20_000;
      return clock.isEven();
    });
    expect(looks).toEqual([false, false, false, false, false, false, true, true]);
  });
});
