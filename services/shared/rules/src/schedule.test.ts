import { describe, expect, test } from 'vitest';
import { compileWindows } from './schedule.ts';
import { minuteOfWeek, wallClock } from './wall-clock.ts';

const at = (day: number, time: string): number => {
  const [hours = '0', minutes = '0'] = time.split(':');
  return (day - 1) * 1_440 + Number(hours) * 60 + Number(minutes);
};

describe('weekly windows', () => {
  test('a window holds from its first minute to before its last', () => {
    const inside = compileWindows([{ days: [1, 5], from: '08:00', to: '17:30' }]);
    expect(inside(at(1, '07:59'))).toBe(false);
    expect(inside(at(1, '08:00'))).toBe(true);
    expect(inside(at(5, '17:29'))).toBe(true);
    expect(inside(at(5, '17:30'))).toBe(false);
    expect(inside(at(2, '12:00'))).toBe(false);
  });

  test('a window past midnight belongs to the day it starts on', () => {
    const inside = compileWindows([{ days: [5], from: '22:00', to: '06:00' }]);
    expect(inside(at(5, '05:00'))).toBe(false);
    expect(inside(at(5, '22:00'))).toBe(true);
    expect(inside(at(6, '05:59'))).toBe(true);
    expect(inside(at(6, '06:00'))).toBe(false);
  });

  test('Sunday night runs into Monday morning', () => {
    const inside = compileWindows([{ days: [7], from: '22:00', to: '06:00' }]);
    expect(inside(at(7, '23:59'))).toBe(true);
    expect(inside(at(1, '05:59'))).toBe(true);
    expect(inside(at(1, '06:00'))).toBe(false);
  });

  test('the same time twice is a whole day, and 24:00 is the end of the day', () => {
    const whole = compileWindows([{ days: [3], from: '08:00', to: '08:00' }]);
    expect([at(3, '08:00'), at(4, '07:59'), at(4, '08:00')].map(whole)).toEqual([true, true, false]);
    const evening = compileWindows([{ days: [3], from: '20:00', to: '24:00' }]);
    expect([at(3, '23:59'), at(4, '00:00')].map(evening)).toEqual([true, false]);
  });

  test('windows that touch or overlap count as one', () => {
    const inside = compileWindows([
      { days: [1], from: '10:00', to: '12:00' },
      { days: [1], from: '08:00', to: '10:00' },
      { days: [1], from: '09:00', to: '11:00' },
    ]);
    expect([at(1, '08:00'), at(1, '10:00'), at(1, '11:59'), at(1, '12:00')].map(inside)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});

describe('the wall clock of a site', () => {
  test('follows summer time in both directions', () => {
    const spring = (utcHour: number): string | undefined =>
      wallClock('Europe/Vienna', Date.UTC(2026, 2, 29, utcHour, 30))?.text;
    expect([spring(0), spring(1)]).toEqual(['Sun 01:30', 'Sun 03:30']);
    const autumn = (utcHour: number): string | undefined =>
      wallClock('Europe/Vienna', Date.UTC(2026, 9, 25, utcHour, 30))?.text;
    expect([autumn(0), autumn(1), autumn(2)]).toEqual(['Sun 02:30', 'Sun 02:30', 'Sun 03:30']);
  });

  test('the hour that spring skips matches no window, the hour that autumn repeats matches twice', () => {
    const inside = compileWindows([{ days: [7], from: '02:00', to: '03:00' }]);
    const minutesInside = (fromUtc: number): number => {
      let found = 0;
      for (let minute = 0; minute < 300; minute += 1) {
        if (inside(minuteOfWeek('Europe/Vienna', fromUtc + minute * 60_000) ?? -1)) found += 1;
      }
      return found;
    };
    expect(minutesInside(Date.UTC(2026, 2, 28, 23))).toBe(0);
    expect(minutesInside(Date.UTC(2026, 9, 24, 23))).toBe(120);
    expect(minutesInside(Date.UTC(2026, 9, 17, 23))).toBe(60);
  });

  test('knows zones with odd offsets, and days either side of midnight', () => {
    expect(wallClock('Asia/Kathmandu', Date.UTC(2026, 0, 4, 18, 20))?.text).toBe('Mon 00:05');
    expect(wallClock('America/St_Johns', Date.UTC(2026, 0, 5, 2, 0))?.text).toBe('Sun 22:30');
    expect(wallClock('UTC', 0)?.text).toBe('Thu 00:00');
    expect(wallClock('UTC', -60_000)?.text).toBe('Wed 23:59');
  });

  test('a zone that is none, and a time that is none, are not known', () => {
    expect(wallClock('Mars/Olympus', 0)).toBeUndefined();
    for (const time of [NaN, Infinity, -Infinity, 1e18]) expect(wallClock('UTC', time)).toBeUndefined();
  });
});
