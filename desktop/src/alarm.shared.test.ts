import { describe, expect, it } from 'vitest';
import { calm, effectsOf, raiseAlarm } from './alarm.shared.ts';

describe('an alarm', () => {
  it.each([
    ['info', false, false, 'none'],
    ['low', false, false, 'none'],
    ['medium', false, true, 'once'],
    ['high', true, true, 'repeat'],
    ['critical', true, true, 'repeat'],
  ] as const)('of severity %s raises %s, flashes %s, sounds %s', (severity, raise, flash, sound) => {
    expect(effectsOf(raiseAlarm(calm, severity), severity)).toEqual({ raise, flash, sound, badge: 1 });
  });

  it('goes on sounding when a lesser one follows, which does not steal the front again', () => {
    const state = raiseAlarm(raiseAlarm(calm, 'critical'), 'low');
    expect(state).toEqual({ waiting: 2, worst: 'critical' });
    expect(effectsOf(state, 'low')).toMatchObject({ raise: false, sound: 'repeat', badge: 2 });
  });

  it('never shows more than two digits', () => {
    let state = calm;
    for (let count = 0; count < 150; count += 1) state = raiseAlarm(state, 'low');
    expect(effectsOf(state, 'low').badge).toBe(99);
  });
});
