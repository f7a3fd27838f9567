import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slewMsPerSecond, WallTime } from './wall-time.ts';

const frag = (index: number, delayMs: number, lengthMs = 500) => ({
  arrivedMs: 1_000_000 + (index + 1) * lengthMs + delayMs,
  mediaStartMs: index * lengthMs,
  durationMs: lengthMs,
});

describe('wall time', () => {
  it('takes the least delayed of the first burst, so that a slow start shifts nothing', () => {
    const wall = new WallTime();
    // Three fragments that waited while ffmpeg looked at the stream: all arrive at once.
    const burst = [0, 1, 2].map((index) => ({ ...frag(index, 0), arrivedMs: 1_001_510 }));
    wall.begin(burst);
    expect(burst.map((one) => wall.at(one))).toEqual([1_000_010, 1_000_510, 1_001_010]);
  });

  it('does not follow a fragment that comes late', () => {
    const wall = new WallTime();
    expect(wall.at(frag(0, 10))).toBe(1_000_010);
    expect(wall.at(frag(1, 900))).toBe(1_000_510);
    expect(wall.at(frag(2, 10))).toBe(1_001_010);
  });

  it('follows a camera whose crystal is slow or fast, within a frame', () => {
    for (const drift of [0.9999, 1.0001]) {
      const wall = new WallTime();
      let last = 0;
      for (let index = 0; index < 20_000; index += 1) {
        const trueStart = 1_000_000 + index * 500;
        const at = wall.at({
          arrivedMs: trueStart + 520,
          mediaStartMs: index * 500 * drift,
          durationMs: 500,
        });
        last = (at ?? Number.NaN) - (trueStart + 20);
      }
      expect(Math.abs(last)).toBeLessThan(40);
    }
  });

  it('never goes back, and moves no faster than it may', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1_900 }), { minLength: 2, maxLength: 200 }),
        (delays) => {
          const wall = new WallTime();
          let before = -Infinity;
          let offset: number | undefined;
          delays.forEach((delay, index) => {
            const at = wall.at(frag(index, delay));
            if (at === undefined) return;
            expect(at).toBeGreaterThanOrEqual(before);
            before = at;
            const now = at - index * 500;
            if (offset !== undefined) expect(Math.abs(now - offset)).toBeLessThanOrEqual(slewMsPerSecond + 1);
            offset = now;
          });
        },
      ),
    );
  });

  it('gives up when the clock of the box is set', () => {
    const back = new WallTime();
    back.at(frag(0, 10));
    expect(back.at({ ...frag(1, 10), arrivedMs: 900_000 })).toBeUndefined();
    const ahead = new WallTime();
    ahead.at(frag(0, 10));
    const times = Array.from({ length: 20 }, (_, index) => ahead.at(frag(index + 1, 60_000)));
    expect(times[0]).toBeLessThanOrEqual(1_000_510 + slewMsPerSecond);
    expect(times.at(-1)).toBeUndefined();
  });
});
