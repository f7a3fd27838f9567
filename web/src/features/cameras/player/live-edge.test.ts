import { expect, it } from 'vitest';
import { followEdge } from '#features/cameras/player/live-edge.ts';

it('lets a picture that is near now play on', () => {
  expect(followEdge({ position: 9.2, ranges: [[0, 10]], stalledFor: 0 })).toEqual({ rate: 1 });
});

it('hurries a little when it is somewhat behind, and jumps when it is far behind', () => {
  expect(followEdge({ position: 8, ranges: [[0, 10]], stalledFor: 0 }).rate).toBeGreaterThan(1);
  expect(followEdge({ position: 2, ranges: [[0, 10]], stalledFor: 0 }).seekTo).toBeCloseTo(9.3);
});

it('leaves a hole behind instead of waiting in it', () => {
  expect(
    followEdge({
      position: 4.5,
      ranges: [
        [0, 4],
        [6, 7.5],
      ],
      stalledFor: 0,
    }).seekTo,
  ).toBeCloseTo(6.8);
  expect(followEdge({ position: 8.4, ranges: [[0, 10]], stalledFor: 2 }).seekTo).toBeCloseTo(9.3);
});

it('drops what lies far behind', () => {
  expect(followEdge({ position: 59.3, ranges: [[0, 60]], stalledFor: 0 }).dropBefore).toBeCloseTo(47.3);
  expect(followEdge({ position: 1, ranges: [], stalledFor: 9 })).toEqual({ rate: 1 });
});
