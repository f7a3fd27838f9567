/**
 * Uploaded pictures are decoded and encoded anew: whatever else was in the file (script in an SVG, metadata, a second
 * file behind the first) does not survive. SVG is drawn without fetching anything.
 */
import { createHash } from 'node:crypto';
import { AppError } from '@siphera/runtime';
import type { OutputInfo, Sharp } from 'sharp';

/** 40 megapixels: an A0 plan at 150 dpi is 35; more is a decompression bomb. */
const pixelsMax = 40_000_000;
const sideMax = 6_000;
const svgDensityDpi = 144;

/** A picture of an incident: as much as a screen shows. */
const photoSideMax = 2_560;
const photoQuality = 88;

export type Picture = { png: Buffer; width: number; height: number; sha256: string };

/** A floor plan. @throws AppError `unprocessable` when it is no picture we can read, or too large. */
export async function reencodePicture(bytes: Buffer): Promise<Picture> {
  const { data, info } = await decode(bytes, (picture) => fit(picture, sideMax).png({ compressionLevel: 8 }));
  return {
    png: data,
    width: info.width,
    height: info.height,
    sha256: createHash('sha256').update(data).digest('hex'),
  };
}

/**
 * A photo, as JPEG: as PNG, ten megabytes of it would become a hundred, and the one writer would stand still while it
 * stores them. @throws AppError `unprocessable` as above.
 */
export async function reencodePhoto(bytes: Buffer): Promise<Buffer> {
  const { data } = await decode(bytes, (picture) =>
    fit(picture, photoSideMax).flatten({ background: '#ffffff' }).jpeg({ quality: photoQuality }),
  );
  return data;
}

const fit = (picture: Sharp, side: number): Sharp =>
  picture.resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true });

async function decode(
  bytes: Buffer,
  encode: (picture: Sharp) => Sharp,
): Promise<{ data: Buffer; info: OutputInfo }> {
  // Loaded when first needed: the picture library takes tens of megabytes that most hours nobody uses.
  const { default: sharp } = await import('sharp');
  try {
    const picture = sharp(bytes, {
      limitInputPixels: pixelsMax,
      density: svgDensityDpi,
      failOn: 'error',
    }).rotate();
    return await encode(picture).toBuffer({ resolveWithObject: true });
  } catch (cause) {
    throw new AppError('unprocessable', 'The picture could not be read, or it has more than 40 megapixels.', {
      hint: 'Send PNG, JPEG, WebP or SVG.',
      cause,
    });
  }
}
