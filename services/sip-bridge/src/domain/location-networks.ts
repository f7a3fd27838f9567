/** Ranges of addresses as people write them, and whether two of them meet. Pure. */

export type Range = { family: 4 | 6; first: bigint; last: bigint };

/** @returns undefined for what is no address or range. */
export function rangeOf(text: string): Range | undefined {
  const [address = '', prefix] = text.split('/');
  const family = address.includes(':') ? 6 : 4;
  const bits = family === 6 ? 128 : 32;
  const value = family === 6 ? readIpv6(address) : readIpv4(address);
  const length = prefix === undefined ? bits : Number(prefix);
  if (value === undefined || !Number.isInteger(length) || length < 0 || length > bits) return undefined;
  const host = BigInt(bits - length);
  const first = (value >> host) << host;
  return { family, first, last: first + (1n << host) - 1n };
}

/** Whether it is every address there is: then it tells nothing. */
export const isEverywhere = (text: string): boolean => text.endsWith('/0');

function readIpv4(text: string): bigint | undefined {
  const parts = text.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    return undefined;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function readIpv6(text: string): bigint | undefined {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  if (!left || !right) return undefined;
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...left, ...Array.from({ length: missing }, () => 0n), ...right].reduce(
    (sum, group) => (sum << 16n) | group,
    0n,
  );
}

/** Groups of 16 bits; the last may be written as an IPv4 address. */
function groupsOf(text: string): bigint[] | undefined {
  if (text === '') return [];
  const groups: bigint[] = [];
  for (const part of text.split(':')) {
    if (part.includes('.')) {
      const value = readIpv4(part);
      if (value === undefined) return undefined;
      groups.push(value >> 16n, value & 0xffffn);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}
