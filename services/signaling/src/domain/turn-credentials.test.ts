import { describe, expect, it } from 'vitest';
import { turnCredentials } from './turn-credentials.ts';

const now = Date.UTC(2026, 10, 28, 12, 0, 0, 400);

describe('credentials of the relay', () => {
  it('name the session, end in an hour, and are the HMAC-SHA1 of that name', () => {
    expect(turnCredentials('north', 'a-session', now)).toEqual({
      username: '1795870800:a-session',
      credential: 'bxeiudCvDZ3QRVhgiQSGxb2EokI=',
      expiresAtMs: Date.UTC(2026, 10, 28, 13),
    });
  });

  it('are others for another session, another second and another secret', () => {
    const made = [
      turnCredentials('north', 'a', now),
      turnCredentials('north', 'b', now),
      turnCredentials('north', 'a', now + 1_000),
      turnCredentials('south', 'a', now),
    ];
    expect(new Set(made.map(({ credential }) => credential)).size).toBe(4);
  });
});
