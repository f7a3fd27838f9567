import { describe, expect, it } from 'vitest';
import { hostOf, parseBoxAddress } from './address.shared.ts';

describe('the address of the box', () => {
  it.each([
    ['box.example', 'https://box.example'],
    ['  BOX.Example/ ', 'https://box.example'],
    ['https://box.example:8443', 'https://box.example:8443'],
    ['192.168.1.20', 'https://192.168.1.20'],
    ['[fd00::1]:8443', 'https://[fd00::1]:8443'],
  ])('is taken as people type it: %s', (text, origin) => {
    expect(parseBoxAddress(text)).toBe(origin);
  });

  it.each([
    '',
    'http://box.example',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'box.example/path',
    'a@box.example',
    'box example',
    'box.example?x=1',
    'https://',
  ])('is refused when it is none: %s', (text) => {
    expect(parseBoxAddress(text)).toBeUndefined();
  });

  it('names the host of an IPv6 origin as certificates do', () => {
    expect(hostOf('https://[fd00::1]:8443')).toBe('fd00::1');
  });
});
