import { describe, expect, it } from 'vitest';
import { fingerprintLines, normaliseFingerprint } from './fingerprint.shared.ts';

const bytes = Array.from({ length: 32 }, (_, index) => index.toString(16).padStart(2, '0'));
const written = bytes.join(':').toUpperCase();

describe('a fingerprint', () => {
  it.each([bytes.join(''), bytes.join(' '), `SHA-256: ${written}`, `sha256=${bytes.join(':')}\n`])(
    'is the same however it is written: %s',
    (text) => {
      expect(normaliseFingerprint(text)).toBe(written);
    },
  );

  it.each(['', bytes.slice(1).join(':'), `${written}:00`, written.replace('1F', '1G')])(
    'is refused when it is none: %s',
    (text) => {
      expect(normaliseFingerprint(text)).toBeUndefined();
    },
  );

  it('is shown in four lines', () => {
    expect(fingerprintLines(written)).toHaveLength(4);
    expect(fingerprintLines(written).join(':')).toBe(written);
  });
});
