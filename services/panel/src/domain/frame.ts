/**
 * The envelope of a DC-09 message (§5.5.1): LF crc 0LLL "id" seq Rrcvr Lpref #acct [ … CR.
 * Reading never throws: bytes that are not a frame give a frame whose CRC or length does not hold.
 */
import { crc16 } from './crc16.ts';

export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
const quote = 0x22;

/** `0LLL` counts at most 0xFFF bytes (§5.5.1.3); with LF, CRC, length and CR around them. */
const bodyBytesMax = 0xfff;
export const frameBytesMax = bodyBytesMax + 10;

/** The 2007 issue was read by some makers as a CRC of two raw bytes; they want the answer in the same form. */
export type CrcForm = 'ascii' | 'binary';

export type Frame = {
  crcForm: CrcForm;
  crcOk: boolean;
  lengthOk: boolean;
  /** From the first quote to before CR; one character per byte. */
  body: string;
};

export type Header = {
  encrypted: boolean;
  /** Id token without the asterisk, upper case. */
  id: string;
  sequence: string;
  /** As sent, with the letter: `R0`, `L`, or empty where the panel leaves it out. Answers echo them (§5.5.3). */
  receiver: string;
  line: string;
  /** As sent, without `#`; undefined where the panel leaves it out. */
  account: string | undefined;
  /** What stands after `[`: text, or hex when encrypted. */
  rest: string;
};

/** Where the body starts behind the LF at `start`, and in which form the CRC stands; undefined when no header is there. */
export function readPrefix(
  bytes: Uint8Array,
  start: number,
): { crcForm: CrcForm; bodyStart: number; bodyLength: number } | undefined {
  if (bytes[start + 9] === quote && isHex(bytes, start + 1, start + 9)) {
    return { crcForm: 'ascii', bodyStart: start + 9, bodyLength: hexAt(bytes, start + 5) };
  }
  if (bytes[start + 7] === quote && isHex(bytes, start + 3, start + 7)) {
    return { crcForm: 'binary', bodyStart: start + 7, bodyLength: hexAt(bytes, start + 3) };
  }
  return undefined;
}

/** Reads the bytes from LF to CR (CR may be missing at the end of a datagram). */
export function readFrame(bytes: Buffer): Frame {
  const end = bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length;
  const prefix = readPrefix(bytes, 0);
  if (!prefix)
    return {
      crcForm: 'ascii',
      crcOk: false,
      lengthOk: false,
      body: bytes.toString('latin1', 1, Math.max(end, 1)),
    };
  const { crcForm, bodyStart, bodyLength } = prefix;
  const sent =
    crcForm === 'ascii'
      ? Number.parseInt(bytes.toString('latin1', 1, 5), 16)
      : ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0);
  return {
    crcForm,
    crcOk: sent === crc16(bytes, bodyStart, end),
    lengthOk: bodyLength === end - bodyStart,
    body: bytes.toString('latin1', bodyStart, end),
  };
}

const headerPattern =
  /^"(\*?)([A-Za-z0-9-]{1,20})"([0-9A-Fa-f]{4})(R[0-9A-Fa-f]{0,6})?(L[0-9A-Fa-f]{0,6})?(?:#([^[\]"]{0,32}))?\[/;

/** The header of a body whose CRC holds; undefined when it is not one of DC-09. */
export function readHeader(body: string): Header | undefined {
  const match = headerPattern.exec(body);
  if (!match) return undefined;
  const [whole, star, id = '', sequence = '', receiver = '', line = '', account] = match;
  return {
    encrypted: star === '*',
    id: id.toUpperCase(),
    sequence,
    receiver,
    line,
    account: account === undefined || account === '' ? undefined : account,
    rest: body.slice(whole.length),
  };
}

/** Bytes as the frames page shows them: printable ASCII as it is, the rest as \xNN. */
export const printable = (bytes: Buffer): string =>
  bytes
    .toString('latin1')
    .replaceAll(/[^\x20-\x5b\x5d-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);

function isHex(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) if (nibble(bytes[index] ?? 0) < 0) return false;
  return true;
}

const hexAt = (bytes: Uint8Array, start: number): number =>
  [0, 1, 2, 3].reduce((value, offset) => value * 16 + nibble(bytes[start + offset] ?? 0), 0);

function nibble(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
