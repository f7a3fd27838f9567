/**
 * The refresh token: session, generation, and a keyed digest over both. A token of any earlier generation is thus
 * recognised as ours, and its use as theft; a made-up one is nobody's and ends nothing.
 */
import { sameDigest } from './api-key.ts';

export type Digest = (text: string) => string;

const pattern =
  /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.(\d{1,9})\.([A-Za-z0-9_-]{43})$/;

export const makeRefreshToken = (digest: Digest, sid: string, generation: number): string =>
  `${sid}.${generation}.${digest(`${sid}.${generation}`)}`;

/** @returns undefined unless the token was made with this key. */
export function readRefreshToken(
  digest: Digest,
  token: string,
): { sid: string; generation: number } | undefined {
  const [, sid, generation, mac] = pattern.exec(token) ?? [];
  if (sid === undefined || generation === undefined || mac === undefined) return undefined;
  return sameDigest(mac, digest(`${sid}.${generation}`))
    ? { sid, generation: Number(generation) }
    : undefined;
}
