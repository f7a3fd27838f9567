import { describe, expect, it } from 'vitest';
import { crc16, dc09Frame, isDc09Ack } from './dc09.ts';

describe('the DC-09 frame of the self-test', () => {
  it('has the CRC of the published check value', () => {
    expect(crc16('123456789')).toBe('BB3D');
  });

  it('counts its body in four hexadecimal digits and ends with a carriage return', () => {
    const frame = dc09Frame({ account: '5E1F01', eventCode: '1601', sequence: 1 });
    const [, length, body = ''] =
      /^\n[0-9A-F]{4}([0-9A-F]{4})("ADM-CID"0001L0#5E1F01\[[^\r]*)\r$/.exec(frame) ?? [];
    expect(Number.parseInt(length ?? '', 16)).toBe(body.length);
  });

  it('takes an acknowledgement only when its CRC and length hold', () => {
    const body = '"ACK"0001L0#5E1F01[]';
    const head = crc16(body) + body.length.toString(16).toUpperCase().padStart(4, '0');
    expect(isDc09Ack(`\n${head}${body}\r`)).toBe(true);
    expect(isDc09Ack(`\n${head}${body.replace('0001', '0002')}\r`)).toBe(false);
    expect(isDc09Ack('\n0000000A"NAK"0000[]\r')).toBe(false);
  });
});
