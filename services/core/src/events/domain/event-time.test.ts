import { describe, expect, it } from 'vitest';
import { judgeTime } from './event-time.ts';

const now = Date.UTC(2026, 10, 22, 9, 0, 0);
const minute = 60_000;

describe('the time of an event', () => {
  it('is live when it is fresh', () => {
    expect(judgeTime(now - 300, now, 0, undefined)).toMatchObject({
      timeMs: now - 300,
      lateMs: 0,
      delivery: 'live',
      clockSuspect: false,
    });
  });

  it('is late by what it waited', () => {
    expect(judgeTime(now - 10 * minute, now, 0, undefined)).toMatchObject({
      lateMs: 10 * minute,
      delivery: 'late',
    });
  });

  it('is not late because the clock of the device is slow', () => {
    expect(judgeTime(now - 60 * minute, now, -60 * minute, undefined)).toMatchObject({
      timeMs: now,
      lateMs: 0,
      delivery: 'live',
    });
  });

  it.each([
    ['far in the future', now + 24 * 60 * minute],
    ['in 1970', 5_000],
  ])('is ours, and marked, when the device says it was %s', (_name, deviceTime) => {
    expect(judgeTime(deviceTime, now, 0, undefined)).toMatchObject({
      timeMs: now,
      deviceTimeMs: deviceTime,
      clockSuspect: true,
      delivery: 'live',
    });
  });

  it('keeps the mark of a retained message whatever its time', () => {
    expect(judgeTime(now - 10 * minute, now, 0, 'retained').delivery).toBe('retained');
    expect(judgeTime(undefined, now, 0, 'replayed').delivery).toBe('replayed');
  });
});
