import { expect, it } from 'vitest';
import {
  around,
  drawnSpans,
  follow,
  jumpTarget,
  lengthOf,
  panWindow,
  ticksOf,
  toTime,
  zoomWindow,
} from '#features/playback/timeline-math.ts';

const hour = 3_600_000;
const noon = Date.UTC(2026, 10, 28, 12);
const far = noon + 100 * hour;

it('zooms around a moment, which stays where it is', () => {
  const window = { from: noon, to: noon + hour };
  const next = zoomWindow(window, 0.5, 0.25, far);
  expect(lengthOf(next)).toBe(hour / 2);
  expect(toTime(next, 0.25)).toBe(toTime(window, 0.25));
});

it('goes no further than a week or a minute, nor into the future', () => {
  expect(lengthOf(zoomWindow({ from: noon, to: noon + hour }, 1_000, 0.5, far))).toBe(7 * 24 * hour);
  expect(lengthOf(zoomWindow({ from: noon, to: noon + hour }, 0.001, 0.5, far))).toBe(60_000);
  expect(panWindow({ from: noon, to: noon + hour }, 5, noon + hour).to).toBe(noon + hour + hour / 10);
  expect(around(noon, hour, noon).to).toBe(noon + hour / 10);
});

it('labels round times of the place, far enough apart to be read', () => {
  const ticks = ticksOf({ from: noon, to: noon + hour }, 900, hour);
  const major = ticks.filter((tick) => tick.major).map((tick) => (tick.at - noon) / 60_000);
  expect(major).toEqual([0, 10, 20, 30, 40, 50, 60]);
  expect(ticks.length).toBeLessThan(100);
});

it('draws spans as parts of the window and melts those nearer than a pixel', () => {
  const window = { from: 0, to: 1_000_000 };
  const spans = [
    { from: -500, to: 100_000 },
    { from: 100_100, to: 200_000 },
    { from: 900_000, to: 900_001 },
    { from: 2_000_000, to: 3_000_000 },
  ];
  expect(drawnSpans(spans, window, 1_000)).toEqual([
    { left: 0, width: 0.2 },
    { left: 0.9, width: 0.001 },
  ]);
});

it('jumps to what happened next and before', () => {
  expect(jumpTarget([10_000, 30_000, 20_000], 10_100, 1)).toBe(20_000);
  expect(jumpTarget([10_000, 30_000, 20_000], 20_500, -1)).toBe(10_000);
  expect(jumpTarget([10_000], 20_000, 1)).toBeUndefined();
});

it('moves only when the moment leaves the view', () => {
  const window = { from: noon, to: noon + hour };
  expect(follow(window, noon + hour / 2, far)).toBe(window);
  expect(follow(window, noon + 2 * hour, far).from).toBe(noon + 1.5 * hour);
});
