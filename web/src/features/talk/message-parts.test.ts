import { describe, expect, it } from 'vitest';
import { messageParts } from './message-parts.ts';

const joined = (body: string): string =>
  messageParts(body)
    .map((part) => part.text)
    .join('');
const links = (body: string): string[] =>
  messageParts(body).flatMap((part) => (part.kind === 'link' ? [part.href] : []));

describe('the parts of a message', () => {
  it('make links of https addresses alone', () => {
    expect(links('see https://example.org/a?b=1#c and http://example.org')).toEqual([
      'https://example.org/a?b=1#c',
    ]);
    for (const text of [
      'javascript:alert(1)',
      'JAVASCRIPT:alert(1)//https:',
      'data:text/html,<script>alert(1)</script>',
      'vbscript:x',
      'file:///etc/passwd',
      'ftp://example.org',
      '//example.org/x',
      'blob:https://example.org/1',
      'https://',
    ]) {
      expect(links(text).filter((href) => !href.startsWith('https://example.org/'))).toEqual([]);
    }
  });

  it('leave an address with credentials as text, for it hides where it leads', () => {
    expect(links('https://box.example.org@evil.example/login')).toEqual([]);
  });

  it('give back what only ends the sentence', () => {
    expect(links('(see https://example.org/a).')).toEqual(['https://example.org/a']);
    expect(links('https://example.org/a_(b), then')).toEqual(['https://example.org/a_(b)']);
    expect(links('“https://example.org/”')).toEqual(['https://example.org/']);
  });

  it('end at markup, so that nothing of it gets into an address', () => {
    expect(links('https://example.org/"onmouseover="alert(1)')).toEqual(['https://example.org/']);
    expect(links('https://example.org/<img src=x>')).toEqual(['https://example.org/']);
  });

  it('lose and change no letter', () => {
    for (const body of [
      '',
      'a',
      '  two  spaces\n\nand lines ',
      'x https://example.org. y',
      '<b>@x</b> &amp;',
    ]) {
      expect(joined(body)).toBe(body);
    }
  });

  it('mark only those whom the sender named, the longest name first', () => {
    const names = new Map([
      ['1', 'Ada'],
      ['2', 'Ada Lind'],
    ]);
    expect(messageParts('@Ada Lind and @Ada, @Bo', names)).toEqual([
      { kind: 'mention', text: '@Ada Lind', userId: '2' },
      { kind: 'text', text: ' and ' },
      { kind: 'mention', text: '@Ada', userId: '1' },
      { kind: 'text', text: ', @Bo' },
    ]);
  });

  it('draw no more links than the bound, and the rest as text', () => {
    const body = 'https://a.example/ '.repeat(300);
    expect(links(body)).toHaveLength(50);
    expect(joined(body)).toBe(body);
  });
});
