/**
 * What an IP address is, for whoever is about to call one that somebody else named. Pure: names are resolved before. What
 * must stay true: an address of no known kind is `special`, so that only what is known to be harmless gets called.
 */
import ipaddr from 'ipaddr.js';

export type AddressKind =
  'internet' | 'lan' | 'loopback' | 'link-local' | 'unspecified' | 'multicast' | 'metadata' | 'special';

/** Where clouds tell a machine its secrets, outside of the link-local range: AWS over IPv6, Alibaba, Azure, Oracle. */
const metadata = new Set(['fd00:ec2::254', '100.100.100.200', '168.63.129.16', '192.0.0.192']);

const kinds: Readonly<Record<string, AddressKind>> = {
  unicast: 'internet',
  private: 'lan',
  uniqueLocal: 'lan',
  carrierGradeNat: 'lan',
  loopback: 'loopback',
  linkLocal: 'link-local',
  unspecified: 'unspecified',
  multicast: 'multicast',
  broadcast: 'multicast',
};
/** IPv4 inside IPv6 as it was before ::ffff:0:0/96 (RFC 4291 §2.5.5.1): nobody's address any more. */
const [compatible, compatibleBits] = ipaddr.IPv6.parseCIDR('::/96');

/** An IPv4 address mapped into IPv6 is that IPv4 address. @returns undefined for what is no address. */
export function addressKind(address: string): AddressKind | undefined {
  if (!ipaddr.isValid(address)) return undefined;
  const ip = ipaddr.process(address);
  if (metadata.has(ip.toString())) return 'metadata';
  const kind = kinds[ip.range()] ?? 'special';
  const old = ip instanceof ipaddr.IPv6 && kind === 'internet' && ip.match(compatible, compatibleBits);
  return old ? 'special' : kind;
}
