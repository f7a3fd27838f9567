/** CRC-16 of DC-09 (§5.5.1.2, table of DC-07): reflected polynomial 0xA001, start 0, over the bytes from the first quote to before CR. */

/** CRC of `bytes` from `start` up to `end`. */
export function crc16(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0;
  for (let index = start; index < end; index += 1) {
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[index] ?? 0)) & 0xff] ?? 0);
  }
  return crc;
}

export const crcHex = (crc: number): string => crc.toString(16).toUpperCase().padStart(4, '0');

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xa001 : value >>> 1;
  return value;
});
