/** SHA-256 fingerprints: one way to write them, one way to compare what people copy from a screen or a print-out. */

const hexLength = 64;

/** `AB:CD:…`, or undefined when the text is not a SHA-256 fingerprint. Case, colons and spaces do not matter. */
export function normaliseFingerprint(text: string): string | undefined {
  const hex = text
    .replace(/^\s*sha-?256[\s:=]*/i, '')
    .replaceAll(/[\s:-]/g, '')
    .toUpperCase();
  if (hex.length !== hexLength || !/^[0-9A-F]+$/.test(hex)) return undefined;
  return hex.match(/../g)?.join(':');
}

/** Four lines of eight bytes: short enough to compare with a finger on the paper. */
export const fingerprintLines = (fingerprint: string): string[] =>
  fingerprint.match(/(?:..:?){1,8}/g)?.map((line) => line.replace(/:$/, '')) ?? [];
