/**
 * Whether what is flagged as a key frame holds a picture. Some cameras send their parameter sets as an access unit of
 * their own, which ffmpeg flags as a key frame too: a file or a still that begins there shows nothing.
 */

/** NAL units looked at; a picture of more slices has one among the first. */
const unitsMax = 64;

/** `bytes`: the sample as MP4 holds it, units behind lengths of four bytes, as ffmpeg writes them (ISO/IEC 14496-15 §4.2). */
export function holdsPicture(bytes: Buffer, start: number, end: number, codec: 'h264' | 'h265'): boolean {
  let at = start;
  const last = Math.min(end, bytes.length);
  for (let unit = 0; unit < unitsMax && at + 5 <= last; unit += 1) {
    const length = bytes.readUInt32BE(at);
    const head = bytes.readUInt8(at + 4);
    // ITU-T H.264 table 7-1: slices are types 1 to 5; H.265 table 7-1: below 32.
    const isPicture = codec === 'h264' ? (head & 31) >= 1 && (head & 31) <= 5 : ((head >> 1) & 63) < 32;
    if (isPicture) return true;
    at += 4 + length;
  }
  return false;
}
