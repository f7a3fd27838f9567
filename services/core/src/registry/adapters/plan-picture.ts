/**
 * Uploaded pictures are decoded and encoded anew: whatever else was in the file (script in an SVG, metadata, a second
 * file behind the first) does not survive. SVG is drawn without fetching anything.
 */
import { createHash } from 'node:crypto';
import { AppError } from '@siphera/runtime';

/** 40 megapixels: an A0 plan at 150 dpi is 35; more is a decompression bomb. */
const pixelsMax = 40_000_000;
const sideMax = 6_000;
const svgDensityDpi = 144;

export type Picture = { png: Buffer; width: number; height: number; sha256: string };

/** @throws AppError `unprocessable` when it is no picture we can read, or too large. */
export async function reencodePicture(bytes: Buffer): Promise<Picture> {
  // Loaded when first needed: the picture library takes tens of megabytes that most hours nobody uses.
  const { default: sharp } = await import('sharp');
  try {
    const { data, info } = await sharp(bytes, {
      limitInputPixels: pixelsMax,
      density: svgDensityDpi,
      failOn: 'error',
    })
      .rotate()
      .resize({ width: sideMax, height: sideMax, fit: 'inside', withoutEnlargement: true })
      .png({ compressionLevel: 8 })
      .toBuffer({ resolveWithObject: true });
    return {
      png: data,
      width: info.width,
      height: info.height,
      sha256: createHash('sha256').update(data).digest('hex'),
    };
  } catch (cause) {
    throw new AppError('unprocessable', 'The picture could not be read, or it has more than 40 megapixels.', {
      hint: 'Send PNG, JPEG, WebP or SVG.',
      cause,
    });
  }
}
