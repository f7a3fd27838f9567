/**
 * How long to wait after failed sign-ins. The wait grows and is capped, and a device that signed in before counts by
 * itself, so that somebody who guesses slows himself down and locks nobody out.
 */

export type Failures = { failures: number; last_ms: number };
export type ThrottleRule = {
  /** Failures that cost nothing: people mistype. */
  freeAttempts: number;
  /** First wait; doubled by each further failure. */
  waitMsMin: number;
  waitMsMax: number;
};

/** One account, tried from anywhere. At the cap a guesser gets 1,440 tries a day. */
export const accountThrottle: ThrottleRule = { freeAttempts: 5, waitMsMin: 1_000, waitMsMax: 60_000 };
/** One address, trying any accounts. Wider: a whole control room may sit behind one address. */
export const addressThrottle: ThrottleRule = { freeAttempts: 20, waitMsMin: 1_000, waitMsMax: 60_000 };
/** Failures older than this are forgotten. */
export const failuresForgottenMs = 3_600_000;

/** Milliseconds until the next attempt is taken; 0 when it is taken now. */
export function waitBeforeAttempt(rule: ThrottleRule, known: Failures | undefined, nowMs: number): number {
  // In the future: the clock was set back since, and nobody is to wait until it comes there again.
  if (!known || nowMs < known.last_ms || nowMs - known.last_ms >= failuresForgottenMs) return 0;
  const over = known.failures - rule.freeAttempts;
  if (over < 0) return 0;
  const wait = Math.min(rule.waitMsMin * 2 ** Math.min(over, 20), rule.waitMsMax);
  return Math.max(0, known.last_ms + wait - nowMs);
}

/** The network an address counts for: a whole /64 for IPv6, because one host holds all of it. */
export function addressSubject(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  if (!plain.includes(':')) return `address:${plain}`;
  return `address:${expandIpv6(plain).slice(0, 4).join(':')}::/64`;
}

function expandIpv6(address: string): string[] {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array.from({ length: zeros }, () => '0'), ...after].map((part) =>
    part.toLowerCase().replace(/^0+(?=.)/, ''),
  );
}
