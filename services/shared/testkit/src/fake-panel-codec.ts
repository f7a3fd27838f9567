/** DC-09 as a panel writes and reads it. Written apart from the receiver's codec on purpose: the two check each other. */
import { createCipheriv, createDecipheriv, randomInt } from 'node:crypto';

export type PanelAnswer = {
  kind: 'ACK' | 'NAK' | 'DUH' | 'other';
  encrypted: boolean;
  sequence: string;
  receiver: string;
  line: string;
  account: string;
  /** The receiver's time, where the answer carries one. */
  timeMs: number | undefined;
  raw: Buffer;
};

export type FrameFields = {
  id: string;
  sequence: string;
  receiver?: string;
  line?: string;
  account?: string;
  /** Between the brackets, e.g. `#1234|1130 01 005`. */
  data: string;
  /** Blocks behind the data, e.g. `[M0011223344]`. */
  extended?: string;
  timeMs?: number | undefined;
  key?: Buffer | undefined;
  /** CRC as two raw bytes, as panels of the 2007 issue send it. */
  binaryCrc?: boolean;
};

/** A whole frame from LF to CR. */
export function encodePanelFrame(fields: FrameFields): Buffer {
  const { id, sequence, receiver = 'R0', line = 'L0', account, data, extended = '', key } = fields;
  const stamp = fields.timeMs === undefined ? '' : panelTime(fields.timeMs);
  const head = `"${key ? '*' : ''}${id}"${sequence}${receiver}${line}${account === undefined ? '' : `#${account}`}[`;
  const content = `${data}]${extended}${stamp}`;
  // A link test has nothing in front of its bracket, so its pad ends there (DC-09 §5.5.2.1).
  const secret = data === '' ? content : `|${content}`;
  return sealPanelFrame(head + (key ? encryptPanelText(secret, key) : content), fields.binaryCrc ?? false);
}

/** LF, CRC, length, body, CR. */
export function sealPanelFrame(body: string, binaryCrc = false): Buffer {
  const bytes = Buffer.from(body, 'latin1');
  const crc = panelCrc(bytes);
  const crcBytes = binaryCrc
    ? Buffer.from([crc >> 8, crc & 255])
    : Buffer.from(crc.toString(16).toUpperCase().padStart(4, '0'));
  const length = Buffer.from(`0${bytes.length.toString(16).toUpperCase().padStart(3, '0')}`);
  return Buffer.concat([Buffer.from([10]), crcBytes, length, bytes, Buffer.from([13])]);
}

/** The first whole answer in `bytes` and what is left behind it; undefined while it is not whole. */
export function takeAnswer(
  bytes: Buffer,
  key: Buffer | undefined,
): { answer: PanelAnswer; rest: Buffer } | undefined {
  const start = bytes.indexOf(10);
  const quote = bytes.indexOf(0x22, start);
  const end = quote < 0 ? -1 : bytes.indexOf(13, quote);
  if (start < 0 || end < 0) return undefined;
  const raw = bytes.subarray(start, end + 1);
  return { answer: readAnswer(raw, quote - start, key), rest: bytes.subarray(end + 1) };
}

/** `_HH:MM:SS,MM-DD-YYYY` in UTC. */
export function panelTime(ms: number): string {
  const time = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = [time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()].map(two).join(':');
  return `_${clock},${two(time.getUTCMonth() + 1)}-${two(time.getUTCDate())}-${time.getUTCFullYear()}`;
}

function readAnswer(raw: Buffer, quote: number, key: Buffer | undefined): PanelAnswer {
  const body = raw.toString('latin1', quote, raw.length - 1);
  const length = Number.parseInt(raw.toString('latin1', quote - 4, quote), 16);
  const sent = quote === 9 ? Number.parseInt(raw.toString('latin1', 1, 5), 16) : raw.readUInt16BE(1);
  if (length !== body.length) throw new Error(`Answer says ${length} bytes and has ${body.length}`);
  if (sent !== panelCrc(Buffer.from(body, 'latin1'))) throw new Error('The CRC of the answer is wrong');
  const match = /^"(\*?)(\w+)"(\w{4})(R\w*?)?(L\w*?)?(?:A0|#(\w+))?\[(.*)$/s.exec(body);
  if (!match) throw new Error(`Not an answer of DC-09: ${body}`);
  const [, star, id = '', sequence = '', receiver = '', line = '', account = '', rest = ''] = match;
  const encrypted = star === '*';
  const content = encrypted ? decryptPanelText(rest, key) : rest;
  return {
    kind: id === 'ACK' || id === 'NAK' || id === 'DUH' ? id : 'other',
    encrypted,
    sequence,
    receiver,
    line,
    account,
    timeMs: readTime(content),
    raw,
  };
}

function readTime(content: string): number | undefined {
  const match = /\]_(\d\d):(\d\d):(\d\d),(\d\d)-(\d\d)-(\d{4})$/.exec(content);
  if (!match) return undefined;
  const [hour = 0, minute = 0, second = 0, month = 1, day = 1, year = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function encryptPanelText(text: string, key: Buffer): string {
  const pad = Array.from({ length: 16 - (text.length % 16) }, () =>
    String.fromCharCode(randomInt(0x30, 0x5b)),
  );
  const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, Buffer.alloc(16)).setAutoPadding(false);
  return (
    cipher.update(pad.join('') + text, 'latin1', 'hex').toUpperCase() + cipher.final('hex').toUpperCase()
  );
}

function decryptPanelText(hex: string, key: Buffer | undefined): string {
  if (!key) throw new Error('An encrypted answer came to a panel without a key');
  const cipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, Buffer.alloc(16)).setAutoPadding(false);
  return cipher.update(hex, 'hex', 'latin1') + cipher.final('latin1');
}

/** CRC-16 bit by bit, as the annex of the standard writes it. */
function panelCrc(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      value ^= crc & 1;
      crc >>= 1;
      if (value & 1) crc ^= 0xa001;
      value >>= 1;
    }
  }
  return crc;
}
