import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { netstringBytesMax, NetstringReader } from './netstring.ts';

const wrap = (text: string): Buffer => Buffer.from(`${Buffer.byteLength(text)}:${text},`);

describe('netstrings', () => {
  it('come out the same however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 8 }),
        fc.array(fc.nat(20), { minLength: 1, maxLength: 40 }),
        (texts, cuts) => {
          const bytes = Buffer.concat(texts.map(wrap));
          const reader = new NetstringReader();
          const read: string[] = [];
          let offset = 0;
          for (let index = 0; offset < bytes.length; index += 1) {
            const size = (cuts[index % cuts.length] ?? 0) + 1;
            read.push(...reader.read(bytes.subarray(offset, offset + size)));
            offset += size;
          }
          expect(read).toEqual(texts);
        },
      ),
    );
  });

  it('end the stream when they are none, do not close, or are too long', () => {
    for (const text of [
      'x',
      ':,',
      '1x:a,',
      '3:abcd',
      `${netstringBytesMax + 1}:`,
      '12345678',
      '-1:,',
      ' 1:a,',
    ])
      expect(() => new NetstringReader().read(Buffer.from(text)), text).toThrow();
  });

  it('wait for what has not come yet', () => {
    const reader = new NetstringReader();
    expect(reader.read(Buffer.from('1'))).toEqual([]);
    expect(reader.read(Buffer.from('0:0123456789'))).toEqual([]);
    expect(reader.read(Buffer.from(',0:,2:ab'))).toEqual(['0123456789', '']);
    expect(reader.read(Buffer.from(','))).toEqual(['ab']);
  });
});
