import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { soon } from './soon.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('what is asked for many times', () => {
  it('is done once, soon after the first, and again when it is asked for after that', () => {
    let done = 0;
    const ask = soon(2, () => (done += 1));
    for (let n = 0; n < 5; n++) ask();
    expect(done).toBe(0);
    vi.advanceTimersByTime(2);
    expect(done).toBe(1);
    vi.advanceTimersByTime(10);
    expect(done).toBe(1);
    ask();
    vi.advanceTimersByTime(2);
    expect(done).toBe(2);
  });
});
