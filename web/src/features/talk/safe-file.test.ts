import { describe, expect, it } from 'vitest';
import { previewOf, safeBlob, safeFileName } from './safe-file.ts';

describe('a file that somebody sent', () => {
  it('is shown in the page only when its kind cannot run', () => {
    expect(previewOf('image/png')).toBe('image');
    expect(previewOf('audio/webm;codecs=opus')).toBe('audio');
    for (const type of [
      'image/svg+xml',
      'text/html',
      'application/xhtml+xml',
      'application/pdf',
      '',
      'toString',
    ]) {
      expect(previewOf(type)).toBe('none');
    }
  });

  it('reaches the browser under a type of ours', () => {
    expect(safeBlob(new Blob(['<script>']), 'text/html').type).toBe('application/octet-stream');
    expect(safeBlob(new Blob(['x'], { type: 'text/html' }), 'image/png; charset=x').type).toBe('image/png');
  });

  it('is saved under a name that stays in its folder and shows its true ending', () => {
    expect(safeFileName('../../etc/passwd')).toBe('__.._etc_passwd');
    expect(safeFileName('photo\u202egpj.exe')).toBe('photo_gpj.exe');
    expect(safeFileName('<img src=x onerror=alert(1)>.png')).toBe('_img src=x onerror=alert(1)_.png');
    expect(safeFileName('   ')).toBe('file');
    expect(safeFileName(`${'a'.repeat(300)}.pdf`)).toMatch(/^a{116}\.pdf$/);
  });
});
