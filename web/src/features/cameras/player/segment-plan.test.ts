import { expect, it } from 'vitest';
import { PlaybackClock } from '#features/cameras/player/playback-clock.ts';
import { joinSpans, nextFootage, wantedSegments } from '#features/cameras/player/segment-plan.ts';

it('joins pieces that a person sees as one', () => {
  expect(
    joinSpans([
      { from: 30_000, to: 60_000 },
      { from: 0, to: 29_500 },
      { from: 90_000, to: 95_000 },
    ]),
  ).toEqual([
    { from: 0, to: 60_000 },
    { from: 90_000, to: 95_000 },
  ]);
});

it('finds the next footage of any camera', () => {
  const cameras = [
    [
      { from: 0, to: 10_000 },
      { from: 50_000, to: 60_000 },
    ],
    [{ from: 40_000, to: 45_000 }],
  ];
  expect(nextFootage(cameras, 5_000)).toBe(5_000);
  expect(nextFootage(cameras, 20_000)).toBe(40_000);
  expect(nextFootage(cameras, 70_000)).toBeUndefined();
});

it('fetches further ahead when it plays faster', () => {
  const pieces = [0, 1, 2, 3, 4].map((id) => ({
    id,
    from: id * 30_000,
    to: id * 30_000 + 30_000,
    mime: '',
    playable: true,
  }));
  expect(wantedSegments(pieces, 31_000, 1, 20_000).map((one) => one.id)).toEqual([1]);
  expect(wantedSegments(pieces, 31_000, 4, 20_000).map((one) => one.id)).toEqual([1, 2, 3]);
});

it('keeps one clock for all: speed changes without a jump, and whoever waits holds it', () => {
  let now = 0;
  const clock = new PlaybackClock(() => now, 1_000);
  clock.play(true);
  now = 500;
  expect(clock.position).toBe(1_500);
  clock.setRate(4);
  now = 1_000;
  expect(clock.position).toBe(3_500);
  clock.wait('dock', true);
  now = 5_000;
  expect(clock.position).toBe(3_500);
  expect(clock.waiting).toBe(true);
  clock.wait('dock', false);
  clock.seek(100_000);
  now = 5_100;
  expect(clock.position).toBe(100_400);
});
