/**
 * Canonical JSON as Matrix signs it (spec v1.15, appendices §3.1): keys sorted by code point, no white space, whole numbers only. What is
 * signed is the object without `signatures` and `unsigned`.
 */

/** @throws RangeError for numbers that are not whole or not safe, and for what is no JSON. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError('Only whole numbers can be signed');
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map((item: unknown) => canonicalJson(item)).join(',')}]`;
  if (typeof value !== 'object') throw new RangeError('This is no JSON');
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => byCodePoint(a, b))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** The text that the signatures of an object are over. */
export function signedText(object: Readonly<Record<string, unknown>>): string {
  return canonicalJson({ ...object, signatures: undefined, unsigned: undefined });
}

/** JavaScript compares UTF-16 units, which is another order above U+FFFF; that of UTF-8 is the order of code points. */
const byCodePoint = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
