/**
 * The clock that a fake camera draws into its picture, for measuring the way from glass to glass. Over the width of the
 * topmost 18th of the picture stand 64 cells, black or white: 1010, the 48 bits of the Unix time in milliseconds from the
 * highest on, 8 check bits (XOR of the six bytes), 0101. pictures.py draws it.
 */

export type Pixels = {
  /** Rows from the top, each pixel `channels` bytes: RGBA of a canvas, RGB, or the luma alone. */
  data: ArrayLike<number>;
  width: number;
  height: number;
  /** Bytes a pixel; without it, what the length of the data says. */
  channels?: number;
};

const cells = 64;
const bands = 18;
const lead = '1010';
const tail = '0101';
const timeBits = 48;
const checkBits = 8;
/** Black and white must be this far apart (of 255), or there is no clock in the picture. */
const contrastMin = 60;

/**
 * The Unix milliseconds at which the picture was drawn; undefined where no whole clock can be read. The pixels may be the
 * whole picture, scaled to any size, or its topmost 18th (`bandOnly`).
 */
export function readPictureClock(pixels: Pixels, options: { bandOnly?: boolean } = {}): number | undefined {
  const band = options.bandOnly === true ? pixels.height : pixels.height / bands;
  const levels = Array.from({ length: cells }, (_, cell) =>
    brightness(pixels, (cell + 0.5) / cells, band / 2),
  );
  const white = ((levels[0] ?? 0) + (levels[2] ?? 0)) / 2;
  const black = ((levels[1] ?? 0) + (levels[3] ?? 0)) / 2;
  if (white - black < contrastMin) return undefined;
  return decodeClockBits(levels.map((level) => (level > (white + black) / 2 ? '1' : '0')).join(''));
}

/** The cells as `1` and `0`, from the left. */
export function encodeClockBits(unixMs: number): string {
  const time = unixMs.toString(2).padStart(timeBits, '0');
  return lead + time + checkOf(time) + tail;
}

function decodeClockBits(bits: string): number | undefined {
  const time = bits.slice(lead.length, lead.length + timeBits);
  return bits === lead + time + checkOf(time) + tail ? Number.parseInt(time, 2) : undefined;
}

function checkOf(time: string): string {
  const bytes = time.match(/.{8}/g) ?? [];
  return bytes
    .reduce((check, byte) => check ^ Number.parseInt(byte, 2), 0)
    .toString(2)
    .padStart(checkBits, '0');
}

/** The mean of the colours at one place, as fraction of the width and as row. */
function brightness({ data, width, height, channels }: Pixels, across: number, row: number): number {
  const size = channels ?? Math.round(data.length / (width * height));
  const at = (Math.floor(row) * width + Math.floor(across * width)) * size;
  const colours = size >= 3 ? [0, 1, 2] : [0];
  return colours.reduce((sum, colour) => sum + (data[at + colour] ?? 0), 0) / colours.length;
}
