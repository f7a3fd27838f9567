/** What a receiver sends back (§5.5.3): ACK, encrypted ACK, NAK with our time, DUH. Answers echo sequence, receiver, line and account as the panel sent them. */
import { encrypt } from './cipher.ts';
import { crc16, crcHex } from './crc16.ts';
import type { CrcForm, Header } from './frame.ts';
import { writeTimestamp } from './timestamp.ts';

export type Echo = Pick<Header, 'sequence' | 'receiver' | 'line' | 'account'> & { crcForm: CrcForm };

/** §5.5.3.1. */
export const writeAck = (echo: Echo): Buffer => seal(echo.crcForm, `"ACK"${echoed(echo)}[]`);

/** §5.5.3.1, to an encrypted message: pad, `]` and our time are encrypted. */
export const writeEncryptedAck = (
  echo: Echo,
  key: Buffer,
  nowMs: number,
  random: (length: number) => Buffer,
): Buffer => seal(echo.crcForm, `"*ACK"${echoed(echo)}[${encrypt(`]${writeTimestamp(nowMs)}`, key, random)}`);

/** §5.5.3.2: never encrypted; the panel sets its clock by it and sends again. */
export const writeNak = (crcForm: CrcForm, nowMs: number): Buffer =>
  seal(crcForm, `"NAK"0000R0L0A0[]${writeTimestamp(nowMs)}`);

/** §5.5.3.3: received well, but it cannot be processed. Here: it cannot be decrypted. Never for an unknown code. */
export const writeDuh = (echo: Echo): Buffer => seal(echo.crcForm, `"DUH"${echoed(echo)}[]`);

const echoed = ({ sequence, receiver, line, account }: Echo): string =>
  `${sequence}${receiver}${line}${account === undefined ? '' : `#${account}`}`;

function seal(crcForm: CrcForm, body: string): Buffer {
  const bytes = Buffer.from(body, 'latin1');
  const crc = crc16(bytes);
  const head = crcForm === 'ascii' ? Buffer.from(crcHex(crc), 'latin1') : Buffer.from([crc >> 8, crc & 0xff]);
  const length = bytes.length.toString(16).toUpperCase().padStart(4, '0');
  return Buffer.concat([Buffer.from('\n'), head, Buffer.from(length), bytes, Buffer.from('\r')]);
}
