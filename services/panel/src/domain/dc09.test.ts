/** The codec: frames from the field, the standard's rules, and input that is none of it. */
import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeAck, writeDuh, writeEncryptedAck, writeNak } from './answer.ts';
import { decrypt, encrypt } from './cipher.ts';
import { readContactId } from './contact-id.ts';
import { readContent, readDecrypted } from './content.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { frameBytesMax, printable, readFrame, readHeader } from './frame.ts';
import { judge } from './judge.ts';
import { readSia } from './sia-dcs.ts';
import { isTimely, readTimestamp, writeTimestamp } from './timestamp.ts';

const nowMs = Date.UTC(2026, 10, 22, 10, 0, 0);
const nobody = (): undefined => undefined;
const wire = (text: string): Buffer => Buffer.from(`\n${text}\r`, 'latin1');

describe('frames that panels in the field have sent', () => {
  it.each([
    [
      'EA740027"NULL"0000L0#1409[]_20:38:07,08-27-2026',
      { id: 'NULL', receiver: '', line: 'L0', account: '1409' },
    ],
    [
      '78FC003B"SIA-DCS"0001L#22334455[#22334455|NCQ1]_14:33:53,02-09-2020',
      { line: 'L', account: '22334455' },
    ],
    ['BB86002C"NULL"0001L#7303658550[]_15:39:38,06-07-2019', { id: 'NULL', account: '7303658550' }],
    [
      '24810050"SIA-DCS"1660L0#000110[#000110|Nri0RP2^SL 1807110200065423^]_18:00:01,01-19-2022',
      { sequence: '1660' },
    ],
    ['F4D20029"SIA-DCS"0001RF3L77#1234[#1234|NRR|Atest]', { receiver: 'RF3', line: 'L77' }],
    [
      '7A7C0075"*SIA-DCS"7554L0#CEA[6A0E4750C9DBBE9675E54B729A5A8A7A9EED621A627C17F855B4E8D8D72D89E546C26E465EAA0210AADE638BC6C510A3',
      { encrypted: true, account: 'CEA' },
    ],
  ])('hold by CRC and length: %s', (text, expected) => {
    const frame = readFrame(wire(text));
    expect(frame).toMatchObject({ crcOk: true, lengthOk: true, crcForm: 'ascii' });
    expect(readHeader(frame.body)).toMatchObject(expected);
  });

  it('are answered as a receiver that those panels accept does', () => {
    const echo = { crcForm: 'ascii', sequence: '0000', receiver: '', line: 'L0', account: '1409' } as const;
    expect(writeAck(echo).toString('latin1')).toBe('\n59890012"ACK"0000L0#1409[]\r');
    expect(writeNak('ascii', Date.UTC(2025, 8, 24, 16, 20, 1)).toString('latin1')).toBe(
      '\nE4410025"NAK"0000R0L0A0[]_16:20:01,09-24-2025\r',
    );
    expect(writeDuh(echo).toString('latin1')).toMatch(/"DUH"0000L0#1409\[\]\r$/);
  });
});

describe('time', () => {
  it('is refused beyond 20 s ahead and 40 s behind (§5.5.1.9)', () => {
    expect([20_000, 20_001, -40_000, -40_001].map((off) => isTimely(nowMs + off, nowMs))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('reads what it writes, and no day that is not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (second) => {
        expect(readTimestamp(writeTimestamp(second * 1_000).slice(1))).toBe(second * 1_000);
      }),
    );
    expect(readTimestamp('10:00:00,02-30-2026')).toBeUndefined();
    expect(readTimestamp('24:00:00,02-01-2026')).toBeUndefined();
  });
});

describe('encryption', () => {
  const pad = (length: number): Buffer => Buffer.alloc(length, 3);

  it.each([16, 24, 32])('with a key of %i bytes pads to whole blocks, never with nothing', (bytes) => {
    const key = Buffer.alloc(bytes, 5);
    for (let length = 0; length <= 33; length += 1) {
      const text = 'x'.repeat(length);
      const hex = encrypt(text, key, pad);
      expect(hex).toMatch(/^[0-9A-F]+$/);
      expect(hex.length / 2).toBe(length + 16 - (length % 16));
      expect(decrypt(hex, key)).toMatch(new RegExp(`^[A-Za-z0-9_-]+x{${length}}$`));
    }
  });

  it('takes a pad of any bytes, with or without the bar, and knows a wrong key', () => {
    const key = Buffer.alloc(16, 1);
    const seal = (text: string): string => {
      const bytes = Buffer.concat([
        Buffer.alloc((16 - (text.length % 16)) % 16, 0x01),
        Buffer.from(text, 'latin1'),
      ]);
      const cipher = createCipheriv('aes-128-cbc', key, Buffer.alloc(16)).setAutoPadding(false);
      return cipher.update(bytes, undefined, 'hex') + cipher.final('hex');
    };
    expect(
      readDecrypted(decrypt(seal('|#12|1130 01 005][Vx]_10:00:00,11-22-2026'), key) ?? ''),
    ).toMatchObject({
      data: '#12|1130 01 005',
      extended: [{ letter: 'V', value: 'x' }],
      stampMs: nowMs,
    });
    expect(readDecrypted(decrypt(seal(']_10:00:00,11-22-2026'), key) ?? '')).toMatchObject({
      data: '',
      stampMs: nowMs,
    });
    expect(readDecrypted(decrypt(seal('|#12|1130 01 005]'), Buffer.alloc(16, 2)) ?? '')).toBeUndefined();
    expect(decrypt('ABC', key)).toBeUndefined();
    expect(decrypt('ZZ'.repeat(16), key)).toBeUndefined();
  });

  it('of an ACK hides our time behind the pad', () => {
    const key = Buffer.alloc(32, 8);
    const echo = { crcForm: 'ascii', sequence: '0007', receiver: 'R1', line: 'L2', account: 'AB12' } as const;
    const header = readHeader(readFrame(writeEncryptedAck(echo, key, nowMs, pad)).body);
    expect(header).toMatchObject({
      encrypted: true,
      id: 'ACK',
      sequence: '0007',
      receiver: 'R1',
      line: 'L2',
      account: 'AB12',
    });
    expect(decrypt(header?.rest ?? '', key)).toMatch(/^\w+\]_10:00:00,11-22-2026$/);
  });
});

describe('Contact ID', () => {
  it.each([
    ['#1234|1130 01 005', { type: 'panel.alarm', codeName: 'Burglary alarm', partition: '01', zone: '005' }],
    [
      '#1234|3130 01 005',
      { type: 'panel.restored', codeName: 'Burglary alarm, restored', qualifier: 'restore' },
    ],
    ['#1234|6130 01 005', { type: 'panel.alarm', qualifier: 'status' }],
    ['1111 00 000', { type: 'panel.fire', partition: undefined, zone: undefined }],
    ['#1234|1120 01 007', { type: 'panel.panic' }],
    ['#1234|1121 01 004', { type: 'panel.duress', user: '004', zone: undefined }],
    ['#1234|1137 01 009', { type: 'panel.tamper' }],
    ['#1234|1301 00 000', { type: 'panel.trouble', codeName: 'Mains power lost' }],
    ['#1234|1401 02 003', { type: 'panel.opened', codeName: 'Opened by user', user: '003', partition: '02' }],
    ['#1234|3401 02 003', { type: 'panel.closed', codeName: 'Closed by user', qualifier: 'event' }],
    ['#1234|3441 02 003', { type: 'panel.closed', qualifier: 'status', codeName: 'Armed stay' }],
    ['#1234|1602 00 000', { type: 'panel.test' }],
    ['#1234|1999 01 001', { type: 'panel.event', codeName: 'Unknown Contact ID code 999' }],
  ])('%s', (data, expected) => {
    expect(readContactId(data)).toMatchObject(expected);
  });
});

describe('SIA format', () => {
  it.each([
    [
      '#1234|Nri1/BA005^Loading dock^',
      [{ type: 'panel.alarm', zone: '005', partition: '1', panelName: 'Loading dock' }],
    ],
    ['#1234|NRR|Atest', [{ code: 'RR', text: 'test' }]],
    ['#22334455|NCQ1', [{ type: 'panel.closed', user: '1', codeName: 'Remote closing' }]],
    ['#000110|Nri0RP2^SL 1807110200065423^', [{ type: 'panel.test', zone: undefined }]],
    ['Nri2CG2', [{ type: 'panel.closed', partition: '2', qualifier: 'event' }]],
    ['Nri2NL2', [{ type: 'panel.closed', partition: '2', qualifier: 'status' }]],
    ['Nti10:31/id003/ri1/OP', [{ type: 'panel.opened', user: '003', partition: '1' }]],
    [`Nri1BA12*'Gate'NM`, [{ zone: '12', panelName: 'Gate' }]],
    [
      'Nri1/BA005/TA006/HA7',
      [{ type: 'panel.alarm' }, { type: 'panel.tamper', zone: '006' }, { type: 'panel.panic' }],
    ],
    ['NZQ5', [{ type: 'panel.event', codeName: 'Unknown SIA code ZQ' }]],
    ['nothing of the kind', []],
  ])('%s', (data, expected) => {
    const reports = readSia(data);
    expect(reports).toHaveLength(expected.length);
    expect(reports).toMatchObject(expected);
  });
});

describe('any input', () => {
  const bytes = fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array));
  /** Bytes that look much like DC-09. */
  const nearly = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '\n',
          '\r',
          '"',
          '[',
          ']',
          '|',
          '#',
          '^',
          '_',
          '0027',
          'EA74',
          '*',
          'R0',
          'L0',
          'Nri1/BA5',
          '1130 01 005',
        ),
        fc.constantFrom(
          '"ADM-CID"0001R0L0#1234[',
          '"*SIA-DCS"0002L0#AAAA[',
          '"NULL"0000',
          ']_10:00:00,11-22-2026',
        ),
        fc.string({ maxLength: 8 }),
      ),
      { maxLength: 30 },
    )
    .map((parts) => Buffer.from(parts.join(''), 'latin1'));
  const anything = fc.oneof(bytes, nearly);

  it('is judged without an exception', () => {
    const key = Buffer.alloc(16, 1);
    const account = { key, requireEncryption: false } as never;
    fc.assert(
      fc.property(anything, (input) => {
        judge(input, nobody, nowMs);
        judge(input, () => account, nowMs);
        readContent(input.toString('latin1'));
        readSia(input.toString('latin1'));
        readContactId(input.toString('latin1'));
        printable(input);
      }),
      { numRuns: 2_000 },
    );
  });

  it('with a CRC and length that hold is always a message, whatever stands in it', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        const body = `"${text.replaceAll(/[^\x20-\x7e]/g, '.')}`;
        const echo = {
          crcForm: 'ascii',
          sequence: body,
          receiver: '',
          line: '',
          account: undefined,
        } as const;
        const sealed = writeAck(echo);
        expect(judge(sealed, nobody, nowMs).kind).toMatch(/^(message|unable)$/);
      }),
    );
  });

  it('never makes the splitter hold more than one frame, and loses no good frame between garbage without LF', () => {
    const good = writeAck({
      crcForm: 'ascii',
      sequence: '0001',
      receiver: 'R0',
      line: 'L0',
      account: '1234',
    });
    const binary = writeAck({
      crcForm: 'binary',
      sequence: '0002',
      receiver: 'R0',
      line: 'L0',
      account: '1234',
    });
    const noise = anything.map((input) => Buffer.from(input.filter((byte) => byte !== 10)));
    const stream = fc.array(fc.oneof(noise, fc.constant(good), fc.constant(binary)), { maxLength: 12 });
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 64 }), (parts, step) => {
        const splitter = new FrameSplitter();
        const all = Buffer.concat(parts);
        const found: Buffer[] = [];
        for (let at = 0; at < all.length; at += step) {
          found.push(...splitter.push(all.subarray(at, at + step)));
          expect(splitter.pendingBytes).toBeLessThanOrEqual(frameBytesMax + 1);
        }
        const sent = parts.filter((part) => part === good || part === binary).length;
        const whole = found.filter((one) => one.equals(good) || one.equals(binary)).length;
        expect(whole).toBe(sent);
      }),
      { numRuns: 1_000 },
    );
  });

  it('of nothing but line feeds is dropped in linear time', () => {
    const splitter = new FrameSplitter();
    expect(splitter.push(Buffer.alloc(4 * 1024 * 1024, 10))).toEqual([]);
    expect(splitter.pendingBytes).toBeLessThan(frameBytesMax);
    expect(splitter.garbageBytes).toBeGreaterThan(4 * 1024 * 1024 - frameBytesMax - 1);
  });
});

describe('a frame that was cut off', () => {
  const good = wire('EA740027"NULL"0000L0#1409[]_20:38:07,08-27-2026');

  it('does not take the next one with it', () => {
    const frames = new FrameSplitter().push(Buffer.concat([good.subarray(0, 20), good]));
    expect(frames).toEqual([good]);
  });

  it('at the end of a datagram counts when its CRC holds without CR', () => {
    const splitter = new FrameSplitter();
    expect(splitter.push(good.subarray(0, -1))).toEqual([]);
    const [frame] = splitter.flush();
    expect(frame && readFrame(frame)).toMatchObject({ crcOk: true, lengthOk: true });
  });

  it('in the middle of a binary CRC that looks like CR is waited for', () => {
    // The CRC bytes of this body are found by trying accounts until one of them is CR.
    const withCr = Array.from({ length: 5_000 }, (_, index) =>
      writeAck({ crcForm: 'binary', sequence: '0001', receiver: '', line: 'L0', account: String(index) }),
    ).filter((frame) => frame[1] === 13 || frame[2] === 13 || frame[1] === 10);
    expect(withCr.length).toBeGreaterThan(0);
    for (const frame of withCr) {
      const splitter = new FrameSplitter();
      const found = [...frame].flatMap((byte) => splitter.push(Buffer.from([byte])));
      expect(found).toEqual([frame]);
    }
  });
});
