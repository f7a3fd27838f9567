import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeApiKey, parseApiKey } from './api-key.ts';
import { hashCode, makeCode } from './one-time-code.ts';
import { passwordProblem } from './password-rules.ts';
import { makeRefreshToken, readRefreshToken } from './refresh-token.ts';
import { judgeRefresh, refreshGraceMs, sessionExpiry } from './session-life.ts';

const id = '01a201de-4659-7ebc-95f0-4329cbe3170f';

describe('a one-time code', () => {
  it('is the same however it is typed', () => {
    const code = makeCode(randomBytes);
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(hashCode(` ${code.toLowerCase().replaceAll('-', ' ')} `)).toBe(hashCode(code));
    expect(hashCode('0110-AAAA-BBBB')).toBe(hashCode('oiLo-aaaa-bbbb'));
  });
});

describe('an API key', () => {
  it('is found by its id and proved by its secret', () => {
    const { secret, prefix, secretSha256 } = makeApiKey(id, randomBytes(32));
    expect(parseApiKey(secret)).toEqual({ id, secretSha256 });
    expect(secret.startsWith(prefix)).toBe(true);
    expect(parseApiKey(`${secret}A`)).toBeUndefined();
    expect(parseApiKey(secret.toUpperCase())).toBeUndefined();
  });
});

describe('a refresh token', () => {
  const digest = (text: string): string => Buffer.from(text.padEnd(32).slice(0, 32)).toString('base64url');

  it('says its session and generation to who holds the key, and nothing to others', () => {
    const token = makeRefreshToken(digest, id, 3);
    expect(readRefreshToken(digest, token)).toEqual({ sid: id, generation: 3 });
    expect(readRefreshToken(() => 'x'.repeat(43), token)).toBeUndefined();
    expect(readRefreshToken(digest, token.slice(1))).toBeUndefined();
    expect(readRefreshToken(digest, '')).toBeUndefined();
  });

  it('is swapped once, taken again within the grace, and stolen after it', () => {
    const session = { generation: 3, rotated_ms: 1_000 };
    expect(judgeRefresh(session, 3, 9_999_999)).toBe('rotate');
    expect(judgeRefresh(session, 2, 1_000 + refreshGraceMs)).toBe('repeat');
    expect(judgeRefresh(session, 2, 1_001 + refreshGraceMs)).toBe('stolen');
    expect(judgeRefresh(session, 1, 1_000)).toBe('stolen');
    expect(judgeRefresh(session, 4, 1_000)).toBe('unknown');
  });

  it('keeps a session alive by use, but not for ever', () => {
    const day = 86_400_000;
    expect(sessionExpiry(0, 0)).toBe(14 * day);
    expect(sessionExpiry(0, 80 * day)).toBe(90 * day);
  });
});

describe('a password', () => {
  it('is refused when it is a run, a repetition, a common one or made of the own name', () => {
    for (const password of [
      '111111111111',
      '123456789012',
      'qwertyqwertyq',
      'Password1234',
      'ada@example.org',
    ])
      expect([password, passwordProblem(password, ['ada@example.org', 'Ada'])]).toEqual([
        password,
        expect.any(String),
      ]);
  });

  it('is taken when it is long and odd enough, spaces and umlauts included', () => {
    for (const password of ['correct horse battery staple', 'zwölf Boxkämpfer jagen', 'x8#kQ!m2vB9z'])
      expect(passwordProblem(password, ['ada@example.org', 'Ada'])).toBeUndefined();
  });
});
