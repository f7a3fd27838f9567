import { describe, expect, it } from 'vitest';
import { withPolicy } from './csp.shared.ts';
import { mayNavigate, mayRequest, mayUse } from './guard.shared.ts';

const box = 'https://box.example';

describe('a page of the desk', () => {
  it.each(['https://box.example/', 'https://box.example/incidents/1', 'siphera-desk://app/setup.html'])(
    'may go to %s',
    (url) => {
      expect(mayNavigate(box, url)).toBe(true);
    },
  );

  it.each([
    'https://evil.example/',
    'http://box.example/',
    'https://box.example:8443/',
    'https://box.example.evil.example/',
    'https://box.example@evil.example/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'siphera-desk://other/setup.html',
    'siphera-desk://app.evil/setup.html',
    'about:blank',
    'nonsense',
  ])('may not go to %s', (url) => {
    expect(mayNavigate(box, url)).toBe(false);
  });

  it('may go nowhere but the desk while no box is set up', () => {
    expect(mayNavigate(undefined, 'https://box.example/')).toBe(false);
    expect(mayNavigate(undefined, 'siphera-desk://app/setup.html')).toBe(true);
  });

  it.each([
    'wss://box.example/socket.io/?EIO=4',
    'https://box.example/api/v1/events',
    'blob:https://box.example/1',
    'data:image/png;base64,AA',
  ])('may load %s', (url) => {
    expect(mayRequest(box, url)).toBe(true);
  });

  it.each([
    'wss://evil.example/',
    'ws://box.example/',
    'https://evil.example/x.js',
    'blob:https://evil.example/1',
    'file:///etc/passwd',
  ])('may not load %s', (url) => {
    expect(mayRequest(box, url)).toBe(false);
  });

  it('gets microphone and camera when it is the box, and nothing else', () => {
    expect(mayUse(box, 'media', 'https://box.example/')).toBe(true);
    expect(mayUse(box, 'media', 'https://evil.example/')).toBe(false);
    expect(mayUse(undefined, 'media', 'https://box.example/')).toBe(false);
    for (const permission of [
      'geolocation',
      'notifications',
      'midi',
      'openExternal',
      'usb',
      'clipboard-read',
    ])
      expect(mayUse(box, permission, 'https://box.example/')).toBe(false);
  });
});

describe('a content security policy', () => {
  it('is the one of the box when it sent one', () => {
    const headers = { 'content-security-policy': ["default-src 'self'"] };
    expect(withPolicy(headers)).toEqual(headers);
  });

  it('is never missing', () => {
    expect(withPolicy({ server: ['x'] })['Content-Security-Policy']?.[0]).toContain("default-src 'none'");
    expect(withPolicy(undefined)['Content-Security-Policy']).toBeDefined();
  });
});
