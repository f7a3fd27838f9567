import type { AccessClaims } from '@siphera/contract';
import { describe, expect, it } from 'vitest';
import { SessionWatch, type SessionEnd } from './session-watch.ts';

const claims = (more: Partial<AccessClaims> = {}): AccessClaims => ({
  iss: 'siphera',
  aud: 'siphera-box',
  sub: 'u',
  sid: 's',
  kind: 'user',
  org: 'o',
  name: 'Ada',
  grants: [],
  iat: 0,
  exp: 300,
  ...more,
});

function watch(): {
  sessions: SessionWatch;
  ends: SessionEnd[];
  at: (ms: number) => void;
  revoked: Set<number>;
} {
  let nowMs = 0;
  const revoked = new Set<number>();
  const sessions = new SessionWatch({
    clock: { now: () => nowMs, monotonic: () => nowMs },
    isRevoked: ({ iat }) => revoked.has(iat),
  });
  return { sessions, ends: [], revoked, at: (ms) => (nowMs = ms) };
}

describe('what a session holds', () => {
  it('ends when its token expires, unless a fresh one was shown', () => {
    const { sessions, ends, at } = watch();
    sessions.hold(
      claims(),
      () => true,
      (why) => ends.push(why),
    );
    at(299_000);
    sessions.look();
    sessions.saw(claims({ iat: 290, exp: 590 }));
    at(400_000);
    sessions.look();
    expect(ends).toEqual([]);
    at(590_000);
    sessions.look();
    sessions.look();
    expect(ends.map(({ code }) => code)).toEqual(['token_expired']);
    expect(sessions.count('s')).toBe(0);
  });

  it('ends with a revocation that its newest token is hit by', () => {
    const { sessions, ends, revoked } = watch();
    sessions.hold(
      claims({ iat: 1 }),
      () => true,
      (why) => ends.push(why),
    );
    sessions.saw(claims({ iat: 2, exp: 301 }));
    revoked.add(1);
    sessions.look();
    expect(ends).toEqual([]);
    revoked.add(2);
    sessions.look();
    expect(ends.map(({ code }) => code)).toEqual(['session_ended']);
  });

  it('ends when the right is gone, and for nobody else', () => {
    const { sessions, ends } = watch();
    let may = true;
    sessions.hold(
      claims(),
      () => may,
      (why) => ends.push(why),
    );
    sessions.hold(
      claims({ sid: 'other' }),
      () => true,
      (why) => ends.push(why),
    );
    may = false;
    sessions.look();
    expect(ends.map(({ code }) => code)).toEqual(['forbidden']);
    expect(sessions.count('other')).toBe(1);
  });

  it('is not told anything after letting go, and an old token does not make it young again', () => {
    const { sessions, ends, at } = watch();
    const letGo = sessions.hold(
      claims({ exp: 600 }),
      () => true,
      (why) => ends.push(why),
    );
    sessions.saw(claims({ exp: 300 }));
    at(400_000);
    sessions.look();
    expect(ends).toEqual([]);
    letGo();
    at(700_000);
    sessions.look();
    sessions.stop({ code: 'stopping', reason: '' });
    expect(ends).toEqual([]);
  });
});
