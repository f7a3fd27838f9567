import { describe, expect, it } from 'vitest';
import { refuseAddress } from './target-guard.ts';

const rules = {
  allow: ['10.1.0.0/16', 'fd00:1::/32', '127.0.0.0/8', '169.254.0.0/16'],
  own: ['10.1.0.5', '172.20.0.0/16'],
};

describe('what a webhook may call', () => {
  it.each(['93.184.216.34', '2606:2800:220:1::1'])('calls the internet: %s', (address) => {
    expect(refuseAddress(address, rules)).toBeUndefined();
  });

  it.each(['10.1.2.3', 'fd00:1::7'])('calls the LAN where an admin allowed it: %s', (address) => {
    expect(refuseAddress(address, rules)).toBeUndefined();
  });

  it.each([
    ['loopback, allowed or not', '127.0.0.1'],
    ['loopback in IPv6', '::1'],
    ['loopback as a mapped IPv4 address', '::ffff:127.0.0.1'],
    ['link-local, where clouds keep their secrets', '169.254.169.254'],
    ['link-local in IPv6', 'fe80::1'],
    ['the unspecified address', '0.0.0.0'],
    ['multicast', '224.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['a LAN nobody allowed', '192.168.1.10'],
    ['the box itself, in an allowed range', '10.1.0.5'],
    ["the box's own container network", '172.20.3.4'],
    ['something that is no address', 'example.org'],
  ])('refuses %s', (_name, address) => {
    expect(refuseAddress(address, rules)).toMatch(/./);
  });
});
