import { expect, it } from 'vitest';
import { addressKind } from './address-kind.ts';

it.each([
  ['93.184.216.34', 'internet'],
  ['2606:2800:220:1::1', 'internet'],
  ['192.168.1.9', 'lan'],
  ['fd00:1::7', 'lan'],
  ['100.64.0.1', 'lan'],
  ['127.0.0.1', 'loopback'],
  ['127.255.0.9', 'loopback'],
  ['::1', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['169.254.169.254', 'link-local'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['::', 'unspecified'],
  ['239.255.255.250', 'multicast'],
  ['ff02::1', 'multicast'],
  ['255.255.255.255', 'multicast'],
  ['fd00:ec2::254', 'metadata'],
  ['100.100.100.200', 'metadata'],
  ['::ffff:168.63.129.16', 'metadata'],
  ['::127.0.0.1', 'loopback'],
  ['::a00:1', 'special'],
  ['64:ff9b::7f00:1', 'special'],
  ['2002:7f00:1::', 'special'],
  ['240.0.0.1', 'special'],
  ['camera.local', undefined],
  ['', undefined],
] as const)('%s is %s', (address, kind) => {
  expect(addressKind(address)).toBe(kind);
});
