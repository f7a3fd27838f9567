import { describe, expect, it } from 'vitest';
import { diskDays, lessened, meaningOf, type Forecast, type Policy } from './retention-words.ts';

const policy = (more: Partial<Policy> = {}): Policy => ({
  class: 'door',
  days_max: 180,
  bytes_max: null,
  ...more,
});
const forecast = (perDay: number): Forecast => ({
  class: 'door',
  rows: 1,
  bytes: 1,
  bytes_per_day: perDay,
  days_kept: null,
});

describe('retention in words', () => {
  it('says that the size limit cuts before the days are over', () => {
    expect(meaningOf(policy({ bytes_max: 20_000_000_000 }), forecast(1_000_000_000))).toEqual({
      kind: 'cut',
      days: 20,
      max: 180,
    });
  });

  it('says the days when the size is enough for them', () => {
    expect(meaningOf(policy({ bytes_max: 20_000_000_000 }), forecast(1_000))).toEqual({
      kind: 'days',
      days: 180,
    });
    expect(meaningOf(policy(), forecast(1_000))).toEqual({ kind: 'days', days: 180 });
  });

  it('promises nothing of a class that sends nothing', () => {
    expect(meaningOf(policy(), undefined)).toEqual({ kind: 'nothing' });
    expect(meaningOf(policy(), forecast(0))).toEqual({ kind: 'nothing' });
  });

  it('tells how long the free disk lasts', () => {
    expect(diskDays({ disk_free_bytes: 100, forecast: [forecast(3), forecast(2)] })).toBe(20);
    expect(diskDays({ disk_free_bytes: 100, forecast: [] })).toBeUndefined();
  });

  it('names the classes that lose old events: fewer days, or a limit where none was', () => {
    expect(lessened([policy()], [policy({ days_max: 90 })])).toEqual(['door']);
    expect(lessened([policy()], [policy({ bytes_max: 5 })])).toEqual(['door']);
    expect(lessened([policy({ bytes_max: 5 })], [policy()])).toEqual([]);
  });
});
