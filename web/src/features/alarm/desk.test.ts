import { describe, expect, it } from 'vitest';
import { deskTeller } from './desk.ts';

function recordingDesk() {
  const calls: string[] = [];
  const desk = {
    alarm: (severity: string) => {
      calls.push(severity);
      return Promise.resolve();
    },
    clearAlarm: () => {
      calls.push('clear');
      return Promise.resolve();
    },
  };
  return { calls, tell: deskTeller(desk) };
}

describe('the guard desk', () => {
  it('is told once for each new incident, and when none waits any more', () => {
    const { calls, tell } = recordingDesk();
    tell([{ id: 'a', severity: 'high' }]);
    tell([{ id: 'a', severity: 'high' }]);
    tell([
      { id: 'a', severity: 'high' },
      { id: 'b', severity: 'critical' },
    ]);
    tell([]);
    tell([]);
    expect(calls).toEqual(['high', 'critical', 'clear']);
  });

  it('is cleared at the start when nothing waits: it may remember an older alarm', () => {
    const { calls, tell } = recordingDesk();
    tell([]);
    expect(calls).toEqual(['clear']);
  });

  it('may be missing: this is a browser', () => {
    expect(() => deskTeller(undefined)([{ id: 'a', severity: 'high' }])).not.toThrow();
  });
});
