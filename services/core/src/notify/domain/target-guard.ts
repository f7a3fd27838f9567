/**
 * Which addresses the box may call for a webhook. Loopback, link-local, multicast and the box's own addresses never; the
 * building's LAN only where an admin allowed the range; the internet always. Pure: the resolver hands in what it found.
 */
import { addressKind } from '@siphera/runtime';
import ipaddr from 'ipaddr.js';

export type GuardRules = { allow: readonly string[]; own: readonly string[] };

/** @returns why the address must not be called; undefined when it may. */
export function refuseAddress(address: string, rules: GuardRules): string | undefined {
  const kind = addressKind(address);
  if (kind === undefined) return 'it is not an IP address';
  const ip = ipaddr.process(address);
  if (rules.own.some((own) => matches(ip, own))) return 'it is the box itself or its own network';
  if (kind === 'internet') return undefined;
  // A LAN can be reached by an admin's word.
  if (kind !== 'lan') return `${kind} addresses are never called`;
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
