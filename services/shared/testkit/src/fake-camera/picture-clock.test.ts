import { describe, expect, it } from 'vitest';
import { encodeClockBits, readPictureClock } from './picture-clock.ts';

const drawnMs = Date.UTC(2026, 2, 2, 8, 15, 30, 417);

/** A picture whose topmost 18th holds the bits, the rest grey, with `channels` bytes a pixel. */
function picture(bits: string, width: number, height: number, channels: number, blur = 0): number[] {
  const pixels = Array.from({ length: width * height }, (_, at) => {
    const row = Math.floor(at / width);
    const cell = Math.floor(((at % width) * bits.length) / width);
    const level = row >= height / 18 ? 90 : bits[cell] === '1' ? 235 - blur : 16 + blur;
    return Array.from({ length: channels }, (_, channel) => (channel === 3 ? 255 : level));
  });
  return pixels.flat();
}

describe('the clock in a picture', () => {
  it.each([
    { width: 640, height: 360, channels: 4 },
    { width: 320, height: 180, channels: 3 },
    { width: 500, height: 281, channels: 1 },
    { width: 133, height: 75, channels: 4 },
  ])('is read at $width by $height with $channels channels', ({ width, height, channels }) => {
    const data = picture(encodeClockBits(drawnMs), width, height, channels, 60);
    expect(readPictureClock({ data, width, height, channels })).toBe(drawnMs);
    expect(readPictureClock({ data, width, height })).toBe(drawnMs);
  });

  it('is read from the band alone', () => {
    const data = picture(encodeClockBits(drawnMs), 640, 360, 1).slice(0, 640 * 20);
    expect(readPictureClock({ data, width: 640, height: 20 }, { bandOnly: true })).toBe(drawnMs);
  });

  it('is not there in a grey picture, nor in one between two times', () => {
    const bits = encodeClockBits(drawnMs);
    const torn = bits.slice(0, 50) + encodeClockBits(drawnMs + 1).slice(50, 56) + bits.slice(56);
    const read = (cells: string) =>
      readPictureClock({ data: picture(cells, 640, 360, 1), width: 640, height: 360 });
    expect(read(torn)).toBeUndefined();
    expect(read('1'.repeat(64))).toBeUndefined();
    expect(readPictureClock({ data: new Uint8Array(640 * 360), width: 640, height: 360 })).toBeUndefined();
  });
});
