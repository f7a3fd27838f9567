/**
 * Which addresses the box may call for a webhook. Loopback, link-local, multicast and the box's own addresses never; the
 * building's LAN only where an admin allowed the range; the internet always. Pure: the resolver hands in what it found.
 */
import ipaddr from 'ipaddr.js';

export type GuardRules = { allow: readonly string[]; own: readonly string[] };

/** Ranges that are somebody's LAN: reachable by an admin's word. */
const lanRanges = new Set(['private', 'uniqueLocal', 'carrierGradeNat']);

/** @returns why the address must not be called; undefined when it may. */
export function refuseAddress(address: string, rules: GuardRules): string | undefined {
  if (!ipaddr.isValid(address)) return 'it is not an IP address';
  const ip = ipaddr.process(address);
  const range = ip.range();
  if (rules.own.some((own) => matches(ip, own))) return 'it is the box itself or its own network';
  if (range === 'unicast') return undefined;
  if (!lanRanges.has(range)) return `${range} addresses are never called`;
  if (rules.allow.some((cidr) => matches(ip, cidr))) return undefined;
  return 'it is on the LAN and not in the list of allowed ranges';
}

function matches(ip: ipaddr.IPv4 | ipaddr.IPv6, cidr: string): boolean {
  try {
    const [base, bits] = ipaddr.parseCIDR(
      cidr.includes('/') ? cidr : `${cidr}/${cidr.includes(':') ? 128 : 32}`,
    );
    return base.kind() === ip.kind() && ip.match(base, bits);
  } catch {
    return false;
  }
}
