import { describe, expect, it } from 'vitest';
import { weekBars, weekHours } from './week-strip.ts';

describe('the strip of a week', () => {
  it('carries a window that passes midnight into the next day', () => {
    const bars = weekBars([{ days: [5], from: '22:00', to: '06:00' }]);
    expect(bars[4]).toEqual([{ from: 1_320, to: 1_440 }]);
    expect(bars[5]).toEqual([{ from: 0, to: 360 }]);
  });

  it('carries Sunday night into Monday', () => {
    expect(weekBars([{ days: [7], from: '23:00', to: '01:00' }])[0]).toEqual([{ from: 0, to: 60 }]);
  });

  it('reads an end at midnight as the end of the day, not as a second day', () => {
    const bars = weekBars([{ days: [6], from: '00:00', to: '00:00' }]);
    expect(bars[5]).toEqual([{ from: 0, to: 1_440 }]);
    expect(bars[6]).toEqual([]);
  });

  it('joins hours that touch or overlap and counts them once', () => {
    const windows = [
      { days: [1], from: '08:00', to: '12:00' },
      { days: [1], from: '12:00', to: '14:00' },
      { days: [1], from: '13:00', to: '16:00' },
    ];
    expect(weekBars(windows)[0]).toEqual([{ from: 480, to: 960 }]);
    expect(weekHours(windows)).toBe(8);
  });

  it('covers the whole week when every day does', () => {
    expect(weekHours([{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' }])).toBe(168);
  });
});
