import { describe, expect, it } from 'vitest';
import { fit, nameFor, preparePicture } from './picture.ts';
import { waveOf } from './voice-recorder.ts';

describe('a picture to send', () => {
  it('keeps its shape and is never made larger', () => {
    expect(fit(4_000, 3_000, 400)).toEqual({ width: 400, height: 300 });
    expect(fit(20, 10, 400)).toEqual({ width: 20, height: 10 });
    expect(fit(40_000, 1, 400)).toEqual({ width: 400, height: 1 });
  });

  it('has the ending of what it became', () => {
    expect(nameFor('IMG_1.HEIC', 'image/jpeg')).toBe('IMG_1.jpg');
    expect(nameFor('plan.pdf', 'application/pdf')).toBe('plan.pdf');
  });

  it('is none when it is a document that can hold script', async () => {
    expect(await preparePicture(new Blob(['<svg/>'], { type: 'image/svg+xml' }))).toBeUndefined();
  });
});

describe('the wave of a voice note', () => {
  it('has at most as many points as a message may carry, the loudest being 100', () => {
    const wave = waveOf(Array.from({ length: 1_000 }, (_, index) => index / 2_000));
    expect(wave).toHaveLength(64);
    expect(Math.max(...wave)).toBe(100);
    expect(waveOf([0.2, 0.1])).toEqual([100, 50]);
    expect(waveOf([])).toEqual([]);
    expect(waveOf([0, 0])).toEqual([0, 0]);
  });
});
