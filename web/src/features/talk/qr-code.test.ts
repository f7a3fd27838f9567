import { create } from 'qrcode';
import { describe, expect, it } from 'vitest';
import { qrPath, readQr } from './qr-code.ts';

describe('the code of a verification', () => {
  it('is drawn as large as the code is, and only where it is dark', () => {
    const bytes = Uint8Array.from({ length: 140 }, (_, index) => (index * 37) % 256);
    const { path, side } = qrPath(bytes);
    const text = `siphera:1:${btoa(String.fromCharCode(...bytes))}`;
    const { modules } = create(text, { errorCorrectionLevel: 'L' });
    expect(side).toBe(modules.size);
    expect(path.split('M').length - 1).toBe(modules.data.filter((dark) => dark === 1).length);
  });

  it('comes back as the same bytes', () => {
    const bytes = Uint8Array.from([0, 255, 128, 10]);
    expect(readQr(`siphera:1:${btoa(String.fromCharCode(...bytes))}`)).toEqual(bytes);
  });

  it('is nothing when it is another code', () => {
    for (const text of ['', 'https://example.org', 'siphera:1:%%%', 'WIFI:S:x;;']) {
      expect(readQr(text)).toBeUndefined();
    }
  });
});
