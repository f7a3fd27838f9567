import { expect, it } from 'vitest';
import { fragmentTime, readStart } from '#features/cameras/player/mp4-tracks.ts';
import { box, bytesOf, fragment, initSegment } from '#features/cameras/player/testing/mp4.ts';

it('names the codec of H.264 as a browser asks for it', () => {
  expect(readStart(initSegment({ level: 0x28 })).mime).toBe('video/mp4; codecs="avc1.640028"');
});

it('names the codec of H.265, its compatibility flags reversed and without trailing zeros', () => {
  // Main profile, compatibility 0x60000000, level 4.0 (120), constraint byte 0xb0.
  const config = box('hvcC', new Uint8Array([1, 0x01, 0x60, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 120, 0]));
  const entry = box('hvc1', new Uint8Array(78), config);
  expect(readStart(initSegment({ entry })).mime).toBe('video/mp4; codecs="hvc1.1.6.L120.B0"');
});

it('tells where a fragment stands and how long it is', () => {
  const start = readStart(initSegment());
  expect(fragmentTime(fragment({ decodeTime: 2_500, samples: 12, sampleMs: 40 }), start)).toEqual({
    start: 2.5,
    duration: 0.48,
  });
});

it('tells nothing of bytes without a fragment', () => {
  expect(fragmentTime(bytesOf(box('mdat', new Uint8Array(4))), readStart(initSegment()))).toBeUndefined();
  expect(() => readStart(box('ftyp', new Uint8Array(4)))).toThrow('no start');
});
