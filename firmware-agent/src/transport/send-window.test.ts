import { agentWindow } from '@siphera/contract';
import { fakeClock } from '@siphera/testkit';
import { describe, expect, test } from 'vitest';
import { SendWindow, stallMs } from './send-window.ts';

describe('the send window', () => {
  test('lets a window of events out, and more as they are committed', () => {
    const window = new SendWindow(fakeClock());
    expect(window.next(1)).toEqual({ from: 1, max: agentWindow });
    window.onSent(agentWindow, 1);
    expect(window.next(1)).toBeUndefined();
    expect(window.next(11)).toEqual({ from: agentWindow + 1, max: 10 });
  });

  test('starts at the floor when the floor has passed what was sent', () => {
    const window = new SendWindow(fakeClock());
    window.onSent(5, 1);
    expect(window.next(100)).toEqual({ from: 100, max: agentWindow });
  });

  test('sends everything again after a reconnect', () => {
    const window = new SendWindow(fakeClock());
    window.onSent(20, 1);
    window.restart();
    expect(window.next(7)).toEqual({ from: 7, max: agentWindow });
  });

  test('sends again after a silence, each time after a longer one, and at once when there was progress', () => {
    const clock = fakeClock();
    const window = new SendWindow(clock);
    window.onSent(3, 1);
    clock.advance(stallMs - 1);
    expect(window.isStalled(1)).toBe(false);
    clock.advance(1);
    expect(window.isStalled(1)).toBe(true);
    expect(window.next(1)?.from).toBe(1);
    window.onSent(3, 1);
    clock.advance(stallMs);
    expect(window.isStalled(1)).toBe(false);
    clock.advance(stallMs);
    expect(window.isStalled(1)).toBe(true);
    window.onSent(3, 1);
    window.onProgress();
    clock.advance(stallMs);
    expect(window.isStalled(2)).toBe(true);
  });

  test('is not stalled while nothing is on the way', () => {
    const clock = fakeClock();
    const window = new SendWindow(clock);
    clock.advance(10 * stallMs);
    expect(window.isStalled(1)).toBe(false);
    window.onSent(1, 1);
    expect(window.isStalled(1)).toBe(false);
  });
});
