import { describe, expect, it } from 'vitest';
import { atAddress, refuseCameraAddress } from './camera-address.ts';

const refuse = (address: string, allowLoopback = false): string | undefined =>
  refuseCameraAddress(address, { allowLoopback });

describe('where cameras are', () => {
  it.each(['192.168.1.20', '10.0.0.9', '100.64.0.7', 'fd00:1::7', '93.184.216.34'])(
    'is the LAN, or wherever somebody reaches one: %s',
    (address) => {
      expect(refuse(address)).toBeUndefined();
    },
  );

  it.each([
    ['127.0.0.1', 'is the box itself'],
    ['::ffff:127.0.0.1', 'is the box itself'],
    ['::1', 'is the box itself'],
    ['169.254.169.254', 'link-local'],
    ['fe80::1', 'link-local'],
    ['0.0.0.0', 'no address of a camera'],
    ['239.1.2.3', 'a group'],
    ['fd00:ec2::254', 'secrets'],
    ['gate.local', 'no IP address'],
  ])('is not %s', (address, why) => {
    expect(refuse(address)).toContain(address);
    expect(refuse(address)).toContain(why);
  });

  it('is this machine in tests, and nothing else besides', () => {
    expect([refuse('127.0.0.1', true), refuse('::1', true)]).toEqual([undefined, undefined]);
    expect(refuse('169.254.169.254', true)).toBeTruthy();
    expect(refuse('0.0.0.0', true)).toBeTruthy();
  });
});

describe('an RTSP address at what was checked', () => {
  it.each([
    ['rtsp://u%40:p%3A@gate.local:554/a?b=c@d', '10.0.0.9', 'rtsp://u%40:p%3A@10.0.0.9:554/a?b=c@d'],
    ['rtsps://gate/x@y', 'fd00::1', 'rtsps://[fd00::1]/x@y'],
    ['rtsp://[fd00::2]:8554/', 'fd00::2', 'rtsp://[fd00::2]:8554/'],
    ['RTSP://a', '10.0.0.9', 'RTSP://10.0.0.9'],
    ['/tmp/a.mp4', '10.0.0.9', '/tmp/a.mp4'],
  ])('%s', (url, address, expected) => {
    expect(atAddress(url, address)).toBe(expected);
  });
});
