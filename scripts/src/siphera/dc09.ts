/**
 * One DC-09 frame as a panel sends it (SIA DC-09-2021 §5.5.1), for the self-test. Written apart from the receiver on
 * purpose: a mistake in the receiver's reading must not be cancelled by the same mistake here.
 */

/** CRC-16/ARC: polynomial 0x8005 reflected, start 0 (Annex A). */
export function crc16(text: string): string {
  let crc = 0;
  for (const byte of Buffer.from(text, 'latin1')) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc.toString(16).toUpperCase().padStart(4, '0');
}

/** `ADM-CID` with qualifier and event code as `eventCode` (1601: new event, 601), partition 00, zone 000. */
export function dc09Frame(input: { account: string; eventCode: string; sequence: number }): string {
  const { account, eventCode } = input;
  const sequence = String(input.sequence).padStart(4, '0');
  const body = `"ADM-CID"${sequence}L0#${account}[#${account}|${eventCode} 00 000]`;
  const length = body.length.toString(16).toUpperCase().padStart(4, '0');
  return `\n${crc16(body)}${length}${body}\r`;
}

/** An acknowledgement whose CRC and length hold. */
export function isDc09Ack(answer: string): boolean {
  const match = /^\n([0-9A-F]{4})([0-9A-F]{4})("\*?ACK"[^\r]*)\r/.exec(answer);
  if (!match) return false;
  const [, crc, length, body = ''] = match;
  return crc === crc16(body) && Number.parseInt(length ?? '', 16) === body.length;
}
