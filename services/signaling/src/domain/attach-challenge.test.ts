import { describe, expect, it } from 'vitest';
import { isChallenge, makeChallenge } from './attach-challenge.ts';

const key = Buffer.alloc(32, 1);
const one = { deviceId: 'ABCDEFGHIJ', sid: '0192f000-0000-7000-8000-000000000001' };
const nowMs = 1_790_000_000_000;
const challenge = makeChallenge(key, one, nowMs);

describe('a challenge', () => {
  it('is good for its device and session for ten minutes, and fits its field', () => {
    expect(challenge.length).toBeLessThanOrEqual(64);
    expect(isChallenge(key, one, challenge, nowMs)).toBe(true);
    expect(isChallenge(key, one, challenge, nowMs + 599_999)).toBe(true);
    expect(isChallenge(key, one, challenge, nowMs + 600_000)).toBe(false);
  });

  it('is good for nothing else', () => {
    expect(isChallenge(key, { ...one, deviceId: 'ABCDEFGHIK' }, challenge, nowMs)).toBe(false);
    expect(isChallenge(key, { ...one, sid: one.sid.replace('1', '2') }, challenge, nowMs)).toBe(false);
    expect(isChallenge(Buffer.alloc(32, 2), one, challenge, nowMs)).toBe(false);
    const [expires = '', mac = ''] = challenge.split('.');
    for (const forged of ['', '.', expires, `${Number(expires) + 1}.${mac}`, `${expires}.`, `x.${mac}`])
      expect(isChallenge(key, one, forged, nowMs)).toBe(false);
  });
});
