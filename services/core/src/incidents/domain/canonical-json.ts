/** Canonical JSON (RFC 8785): one text for one value, so that a signature over it can mean one thing only. Pure. */

/** @param value as `JSON.parse` gives it. Recurses as deep as the value is: callers bound that. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  // Sorted by UTF-16 code units, as the RFC asks; numbers and strings are written as ECMAScript does, which is the RFC's way.
  const members = Object.entries(value).sort(([one], [two]) => (one < two ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}
