/**
 * What a session signs with a device's key to be that device. It needs no memory: the expiry and a MAC over device, session and
 * expiry. What must stay true: one made for another device or session, or too old, is refused.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** From opening a device to proving it: seconds, unless the machine sleeps in between. */
const lifeMs = 10 * 60_000;
const macBytes = 24;

export type ChallengeFor = { deviceId: string; sid: string };

/** @param key 32 secret bytes. @param nowMs UTC. */
export function makeChallenge(key: Buffer, { deviceId, sid }: ChallengeFor, nowMs: number): string {
  const expires = String(nowMs + lifeMs);
  return `${expires}.${mac(key, expires, deviceId, sid).toString('base64url')}`;
}

export function isChallenge(
  key: Buffer,
  { deviceId, sid }: ChallengeFor,
  challenge: string,
  nowMs: number,
): boolean {
  const [expires = '', given = ''] = challenge.split('.');
  const bytes = Buffer.from(given, 'base64url');
  if (!/^\d{1,15}$/.test(expires) || bytes.length !== macBytes) return false;
  return Number(expires) > nowMs && timingSafeEqual(bytes, mac(key, expires, deviceId, sid));
}

/** What the device signs. */
export const attachText = (challenge: string, sid: string): string => `siphera-attach:${challenge}:${sid}`;

const mac = (key: Buffer, expires: string, deviceId: string, sid: string): Buffer =>
  createHmac('sha256', key).update(`attach ${expires} ${deviceId} ${sid}`).digest().subarray(0, macBytes);
