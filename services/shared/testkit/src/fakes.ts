/** Time and chance that a test decides. */
import type { Clock, Random } from '@siphera/runtime';

export type FakeClock = Clock & {
  /** Moves both the wall clock and the monotonic one. */
  advance(ms: number): void;
  /** Sets the wall clock alone, as a user or NTP would: it may go back. */
  set(ms: number): void;
};

/** 2026-03-02T08:00:00Z: a Monday morning outside any change of daylight saving time. */
export const fakeStartMs = Date.UTC(2026, 2, 2, 8);

/** A clock that stands still until told. */
export function fakeClock(startMs: number = fakeStartMs): FakeClock {
  let wall = startMs;
  let steady = 0;
  return {
    now: () => wall,
    monotonic: () => steady,
    advance: (ms) => {
      wall += ms;
      steady += ms;
    },
    set: (ms) => {
      wall = ms;
    },
  };
}

/** Chance that repeats: the same seed gives the same ids, bytes and fractions in the same order. */
export function fakeRandom(seed = 1): Random {
  let state = seed >>> 0 || 1;
  // xorshift32: short, full period, and good enough to spread test values.
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  let made = 0;
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => next() & 0xff));
  return {
    bytes,
    fraction: () => next() / 2 ** 32,
    uuid: () => {
      made += 1;
      const head = made.toString(16).padStart(12, '0');
      const tail = bytes(9).toString('hex');
      return [
        head.slice(0, 8),
        head.slice(8),
        `7${tail.slice(0, 3)}`,
        `8${tail.slice(3, 6)}`,
        tail.slice(6),
      ].join('-');
    },
  };
}
