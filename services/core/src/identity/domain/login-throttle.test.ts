import { describe, expect, it } from 'vitest';
import { accountThrottle, addressSubject, failuresForgottenMs, waitBeforeAttempt } from './login-throttle.ts';

const wait = (failures: number, agoMs = 0): number =>
  waitBeforeAttempt(accountThrottle, { failures, last_ms: 1_000_000 }, 1_000_000 + agoMs);

describe('the wait after failed sign-ins', () => {
  it('is nothing for a few typing mistakes', () => {
    expect(waitBeforeAttempt(accountThrottle, undefined, 0)).toBe(0);
    expect([1, 2, 3, 4].map((failures) => wait(failures))).toEqual([0, 0, 0, 0]);
  });

  it('doubles with each further failure up to a minute, however many there are', () => {
    expect([5, 6, 7, 8].map((failures) => wait(failures))).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect([11, 12, 100, 100_000].map((failures) => wait(failures))).toEqual([
      60_000, 60_000, 60_000, 60_000,
    ]);
  });

  it('runs out by itself and is forgotten after an hour', () => {
    expect(wait(7, 1_500)).toBe(2_500);
    expect(wait(7, 4_000)).toBe(0);
    expect(wait(100_000, failuresForgottenMs)).toBe(0);
  });

  it('waits for no clock that was set back', () => {
    const known = { failures: 10, last_ms: 3_600_000 };
    expect(waitBeforeAttempt(accountThrottle, known, 0)).toBe(0);
  });
});

describe('an address', () => {
  it('counts by itself for IPv4 and by its network for IPv6', () => {
    expect(addressSubject('192.168.1.7')).toBe('address:192.168.1.7');
    expect(addressSubject('::ffff:192.168.1.7')).toBe('address:192.168.1.7');
    expect(addressSubject('2001:db8:0:17:aaaa::1')).toBe('address:2001:db8:0:17::/64');
    expect(addressSubject('2001:0DB8::17:0:0:0:2')).toBe(addressSubject('2001:db8:0:17::9'));
    expect(addressSubject('fe80::1%eth0')).toBe('address:fe80:0:0:0::/64');
  });
});
