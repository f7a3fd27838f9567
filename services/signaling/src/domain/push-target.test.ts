import { createECDH } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { refuseEndpoint, refuseKeys, refusePushAddress } from './push-target.ts';

const allow = ['push.lan', 'localhost:8443'];

describe('where a push may go', () => {
  it.each([
    'https://fcm.googleapis.com/fcm/send/abc:def',
    'https://updates.push.services.mozilla.com/wpush/v2/abc',
    'https://web.push.apple.com/abc',
    'https://wns2-par02p.notify.windows.com/w/?token=abc',
    'https://push.lan/abc',
    'https://localhost:8443/abc',
  ])('goes to a known service, or one that an admin named: %s', (endpoint) => {
    expect(refuseEndpoint(endpoint, allow)).toBeUndefined();
  });

  it.each([
    ['http', 'http://fcm.googleapis.com/fcm/send/abc'],
    ['another host', 'https://example.org/abc'],
    ['a host that only ends like one', 'https://evilfcm.googleapis.com.example.org/abc'],
    ['a host with a known one glued on', 'https://evil-fcm.googleapis.com/abc'],
    ['another port of a known service', 'https://fcm.googleapis.com:8443/abc'],
    ['another port of a host that an admin named', 'https://localhost:9999/abc'],
    ['an address of the box', 'https://127.0.0.1/abc'],
    ['an address of the box in IPv6', 'https://[::1]/abc'],
    ['an address of the LAN', 'https://192.168.1.10/abc'],
    ['a name and password', 'https://fcm.googleapis.com:443@example.org/abc'],
    ['a user at a known service', 'https://a:b@fcm.googleapis.com/abc'],
    ['a fragment', 'https://fcm.googleapis.com/abc#d'],
    ['another scheme', 'file:///etc/passwd'],
    ['nothing', ''],
  ])('does not go to %s', (_name, endpoint) => {
    expect(refuseEndpoint(endpoint, allow)).toMatch(/./);
  });

  it.each([
    ['127.0.0.1'],
    ['::ffff:192.168.1.1'],
    ['10.0.0.1'],
    ['169.254.169.254'],
    ['fe80::1'],
    ['0.0.0.0'],
    ['100.64.0.1'],
  ])('does not connect to %s when a known name answers with it', (address) => {
    expect(refusePushAddress(address, new URL('https://fcm.googleapis.com/a'), allow)).toMatch(/./);
  });

  it('connects inside the building only for a host that an admin named, and to no cloud metadata even then', () => {
    const named = new URL('https://push.lan/a');
    expect(refusePushAddress('10.0.0.1', named, allow)).toBeUndefined();
    expect(refusePushAddress('169.254.169.254', named, allow)).toMatch(/./);
    expect(refusePushAddress('142.250.1.1', new URL('https://fcm.googleapis.com/a'), allow)).toBeUndefined();
  });
});

describe('keys of a subscription', () => {
  const curve = createECDH('prime256v1');
  const good = { p256dh: curve.generateKeys('base64url'), auth: Buffer.alloc(16, 1).toString('base64url') };

  it('are taken when they are a point on P-256 and 16 bytes', () => {
    expect(refuseKeys(good)).toBeUndefined();
  });

  it.each([
    ['a point that is not on the curve', { p256dh: Buffer.alloc(65, 4).toString('base64url') }],
    ['a compressed point', { p256dh: curve.getPublicKey('base64url', 'compressed') }],
    ['too few bytes', { p256dh: Buffer.from([4, 1, 2]).toString('base64url') }],
    ['what is no base64', { p256dh: '<script>' }],
    ['a short secret', { auth: Buffer.alloc(15).toString('base64url') }],
    ['a long secret', { auth: Buffer.alloc(17).toString('base64url') }],
  ])('are refused with %s', (_name, bad) => {
    expect(refuseKeys({ ...good, ...bad })).toMatch(/./);
  });
});
