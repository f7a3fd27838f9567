/**
 * Pictures before they are sent: drawn anew, so that place, camera and everything else that a phone writes into a file stays
 * here, and with a thumbnail. The browser turns it the right way up first.
 */

/** Enough to read a number plate across the yard; a phone's picture has four times as many points. */
const sideMax = 2_560;
const thumbnailSideMax = 400;
const quality = 0.86;
const thumbnailQuality = 0.72;

export type Thumbnail = { blob: Blob; width: number; height: number };
export type Picture = { blob: Blob; thumbnail: Thumbnail };

const isPicture = (type: string): boolean => /^image\/(png|jpeg|webp|gif|avif|heic|heif|bmp)$/u.test(type);

/** The size that fits into a square of `max`; never larger than it was. */
export function fit(width: number, height: number, max: number): { width: number; height: number } {
  const scale = Math.min(1, max / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

async function draw(
  picture: ImageBitmap,
  max: number,
  type: string,
  grade: number,
): Promise<Thumbnail | undefined> {
  const { width, height } = fit(picture.width, picture.height, max);
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) return undefined;
  if (type === 'image/jpeg') {
    // JPEG knows no transparency: what was clear would turn black.
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, height);
  }
  context.drawImage(picture, 0, 0, width, height);
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, type, grade);
  });
  return blob ? { blob, width, height } : undefined;
}

/** @returns undefined when it is no picture that this browser can draw; it is sent as a file then */
export async function preparePicture(file: Blob): Promise<Picture | undefined> {
  if (!isPicture(file.type)) return undefined;
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    // Not what it says it is, or of a kind this browser does not know.
    return undefined;
  }
  try {
    const type = file.type === 'image/png' ? 'image/png' : 'image/jpeg';
    const whole = await draw(picture, sideMax, type, quality);
    const thumbnail = await draw(picture, thumbnailSideMax, 'image/jpeg', thumbnailQuality);
    return whole && thumbnail ? { blob: whole.blob, thumbnail } : undefined;
  } finally {
    picture.close();
  }
}

const endings: Readonly<Record<string, string>> = { 'image/jpeg': '.jpg', 'image/png': '.png' };

/** The name with the ending of what it became. */
export function nameFor(name: string, type: string): string {
  const ending = endings[type];
  if (!ending) return name;
  return `${name.replace(/\.(png|jpe?g|webp|gif|avif|heic|heif|bmp)$/iu, '')}${ending}`;
}
