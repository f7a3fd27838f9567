import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromBase64, fromText, toBase64, toHex, toText } from './bytes.ts';

describe('bytes', () => {
  it('go to base64 and hex as Node writes them, and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
        expect(toBase64(bytes, 'unpadded')).not.toContain('=');
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
        expect(fromBase64(Buffer.from(bytes).toString('base64url'))).toEqual(bytes);
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
      }),
      { numRuns: 50 },
    );
  });

  it('read from anything that is no base64 are undefined, never an error', () => {
    for (const junk of ['a', 'ab cd', 'ä', 'ab===', 'abcd\n', 'abcde'])
      expect(fromBase64(junk)).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = fromBase64(text);
        expect(read === undefined || read instanceof Uint8Array).toBe(true);
      }),
    );
  });

  it('are joined, and text is strict UTF-8', () => {
    expect(toText(concat(fromText('Grüß '), fromText('dich')))).toBe('Grüß dich');
    expect(() => toText(Uint8Array.of(0xff))).toThrow();
  });
});
