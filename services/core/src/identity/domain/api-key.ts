/** The text form of an API key: `sph_`, its id, its secret. The id finds the row, the secret proves the holder. */
import { createHash, timingSafeEqual } from 'node:crypto';

export const apiKeyPrefix = 'sph_';
const pattern = /^sph_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/;
/** A UUIDv7 begins with its time in 12 digits: enough to tell keys apart, and nothing of the secret. */
const shownLength = apiKeyPrefix.length + 12;

export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

export function makeApiKey(
  id: string,
  secretBytes: Buffer,
): { secret: string; prefix: string; secretSha256: string } {
  const part = secretBytes.toString('base64url');
  const secret = `${apiKeyPrefix}${id.replaceAll('-', '')}_${part}`;
  return { secret, prefix: secret.slice(0, shownLength), secretSha256: hashSecret(part) };
}

/** @returns undefined when the text is no API key. */
export function parseApiKey(text: string): { id: string; secretSha256: string } | undefined {
  const match = pattern.exec(text);
  const hex = match?.[1];
  const part = match?.[2];
  if (hex === undefined || part === undefined) return undefined;
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    '-',
  );
  return { id, secretSha256: hashSecret(part) };
}

/** Compares two hexadecimal digests in constant time. */
export const sameDigest = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
