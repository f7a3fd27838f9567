import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { reencodePhoto, reencodePicture } from './plan-picture.ts';

describe('pictures', () => {
  it('keeps a photo about as small as it came', async () => {
    // Noise: nothing compresses worse.
    const size = 1_200;
    const raw = { width: size, height: size, channels: 3 as const };
    const photo = await sharp(randomBytes(size * size * 3), { raw })
      .jpeg({ quality: 88 })
      .toBuffer();
    const kept = await reencodePhoto(photo);
    expect(kept.length).toBeLessThan(photo.length * 1.3);
    expect((await sharp(kept).metadata()).format).toBe('jpeg');
  });

  it('draws an SVG and keeps nothing of its text', async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><script>alert(1)</script></svg>';
    const plan = await reencodePicture(Buffer.from(svg));
    expect(plan.png.subarray(1, 4).toString()).toBe('PNG');
    expect(plan.png.includes('script')).toBe(false);
    expect((await reencodePhoto(Buffer.from(svg))).includes('script')).toBe(false);
  });

  it('refuses what is no picture', async () => {
    await expect(reencodePhoto(Buffer.from('hello'))).rejects.toMatchObject({ code: 'unprocessable' });
  });
});
