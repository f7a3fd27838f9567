import type { PushPreferences } from '@siphera/contract';
import { describe, expect, it } from 'vitest';
import { defaultPreferences, isQuiet, isTimeZone, takesAlarm, takesWake } from './quiet-hours.ts';

const night: PushPreferences = {
  ...defaultPreferences,
  alarms_from: 'low',
  quiet: { from: '22:00', until: '06:30', time_zone: 'Europe/Vienna', except_from: 'high' },
};
const at = (text: string): number => Date.parse(text);
/** 23:15 in Vienna in winter, where UTC is an hour behind. */
const lateEvening = at('2026-11-28T22:15:00Z');
const noon = at('2026-11-28T11:00:00Z');

describe('quiet hours', () => {
  it.each([
    ['before they begin', '2026-11-28T20:59:59Z', false],
    ['when they begin', '2026-11-28T21:00:00Z', true],
    ['after midnight', '2026-11-29T02:00:00Z', true],
    ['just before they end', '2026-11-29T05:29:59Z', true],
    ['when they end', '2026-11-29T05:30:00Z', false],
    ['in summer, when the same hour is another in UTC', '2026-07-01T20:00:00Z', true],
  ])('are those of the zone over midnight: %s', (_name, time, quiet) => {
    expect(isQuiet(night, at(time))).toBe(quiet);
  });

  it('are those between two hours of one day', () => {
    const lunch = { quiet: { ...night.quiet!, from: '12:00', until: '13:00', time_zone: 'UTC' } };
    expect(isQuiet(lunch, at('2026-11-28T12:30:00Z'))).toBe(true);
    expect(isQuiet(lunch, at('2026-11-28T13:00:00Z'))).toBe(false);
  });

  it('are none when they begin and end at once, and where the zone is not known: in doubt it rings', () => {
    expect(isQuiet({ quiet: { ...night.quiet!, until: '22:00' } }, lateEvening)).toBe(false);
    expect(isQuiet({ quiet: { ...night.quiet!, time_zone: 'Mars/Olympus' } }, lateEvening)).toBe(false);
    expect(isTimeZone('Mars/Olympus')).toBe(false);
    expect(isTimeZone('Europe/Vienna')).toBe(true);
  });
});

describe('what a phone is rung up for', () => {
  it('takes alarms from its severity on', () => {
    expect(takesAlarm(night, 'info', noon)).toBe(false);
    expect(takesAlarm(night, 'low', noon)).toBe(true);
    expect(takesAlarm({ ...night, alarms_from: null }, 'critical', noon)).toBe(false);
  });

  it('is silent in quiet hours, but for alarms that are severe enough', () => {
    expect(takesAlarm(night, 'medium', lateEvening)).toBe(false);
    expect(takesAlarm(night, 'high', lateEvening)).toBe(true);
    expect(takesWake(night, 'message', lateEvening)).toBe(false);
    expect(takesWake(night, 'call', lateEvening)).toBe(false);
    expect(takesWake(night, 'call', noon)).toBe(true);
    expect(takesWake({ ...night, messages: false }, 'message', noon)).toBe(false);
  });
});
