/** One-time codes that a person types: three groups of four, from an alphabet without look-alikes. 60 bits. */
import { createHash } from 'node:crypto';

/** Crockford's base32. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const codeLength = 12;

export function makeCode(randomBytes: (length: number) => Buffer): string {
  const letters = [...randomBytes(codeLength)].map((byte) => alphabet[byte & 31] ?? '0').join('');
  return [letters.slice(0, 4), letters.slice(4, 8), letters.slice(8)].join('-');
}

/** Hash of a code as typed: case, spaces and dashes do not matter, nor O for 0 and I or L for 1. */
export function hashCode(typed: string): string {
  const plain = typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return createHash('sha256').update(plain).digest('hex');
}
