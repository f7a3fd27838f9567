/**
 * The LAN ranges that webhooks may call. Public addresses need no entry; loopback, link-local and multicast are never
 * allowed, whoever asks.
 */
import ipaddr from 'ipaddr.js';

const lanNetworks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'].map(
  (text) => ipaddr.parseCIDR(text),
);

/** @returns the range in canonical form, or why it is refused. */
export function parseOutboundRange(text: string): { range: string } | { problem: string } {
  const plain = text.trim();
  let address: ipaddr.IPv4 | ipaddr.IPv6;
  let bits: number;
  try {
    [address, bits] = ipaddr.parseCIDR(plain);
  } catch {
    return { problem: `${text} is not a range like 192.168.10.0/24.` };
  }
  const inside = lanNetworks.some(
    ([network, networkBits]) =>
      network.kind() === address.kind() && bits >= networkBits && address.match(network, networkBits),
  );
  if (!inside)
    return {
      problem: `${text} is not inside a private range (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7).`,
    };
  const first =
    address.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(plain)
      : ipaddr.IPv6.networkAddressFromCIDR(plain);
  return { range: `${first.toString()}/${bits}` };
}
