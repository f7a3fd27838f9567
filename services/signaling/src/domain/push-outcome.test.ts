import { describe, expect, it } from 'vitest';
import { nextTry, readAnswer } from './push-outcome.ts';

const nowMs = Date.parse('2026-11-28T12:00:00Z');

describe('the answer of a push service', () => {
  it.each([
    [201, 'taken'],
    [404, 'gone'],
    [410, 'gone'],
    [429, 'later'],
    [503, 'later'],
    [302, 'refused'],
    [307, 'refused'],
    [400, 'refused'],
    [403, 'refused'],
    [413, 'refused'],
  ])('%i means %s', (status, kind) => {
    expect(readAnswer(status, undefined, nowMs).kind).toBe(kind);
  });

  it.each([
    ['120', 120_000],
    ['Sat, 28 Nov 2026 12:00:30 GMT', 30_000],
    ['999999', 600_000],
    ['Sat, 28 Nov 2020 12:00:30 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('with Retry-After %s waits %s ms', (header, afterMs) => {
    expect(readAnswer(429, header, nowMs)).toMatchObject({ kind: 'later', afterMs });
  });
});

describe('trying a push again', () => {
  const input = { attempts: 1, afterMs: undefined, nowMs: 0, endsMs: 3_600_000, fraction: 0.5 };

  it('waits longer each time, up to a bound', () => {
    expect([1, 2, 3, 50].map((attempts) => nextTry({ ...input, attempts }))).toEqual([
      2_000, 4_000, 8_000, 120_000,
    ]);
  });

  it('waits as long as the service asks', () => {
    expect(nextTry({ ...input, afterMs: 60_000 })).toBe(60_000);
    expect(nextTry({ ...input, afterMs: 100 })).toBe(2_000);
  });

  it('ends with its life', () => {
    expect(nextTry({ ...input, endsMs: 2_000 })).toBeUndefined();
    expect(nextTry({ ...input, afterMs: 3_600_000 })).toBeUndefined();
  });
});
