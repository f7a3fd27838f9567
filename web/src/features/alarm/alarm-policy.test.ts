import { describe, expect, it } from 'vitest';
import { muteHolds, planAlarm, samePlan, severityOrder, type Unacknowledged } from './alarm-policy.ts';

const now = 1_000_000;
const waiting = (id: string, severity: Unacknowledged['severity'], ageMs = 0): Unacknowledged => ({
  id,
  severity,
  openedAtMs: now - ageMs,
});

describe('the alarm policy', () => {
  it('is silent when nothing waits', () => {
    expect(planAlarm([], undefined, now)).toEqual({ kind: 'silent' });
  });

  it('rings for every severity, oftener the worse it is', () => {
    const periods = severityOrder.map((severity) => {
      const plan = planAlarm([waiting('a', severity)], undefined, now);
      return plan.kind === 'ring' ? plan.periodMs : 0;
    });
    expect(periods.every((period) => period > 0)).toBe(true);
    expect(periods).toEqual([...periods].sort((a, b) => b - a));
  });

  it('follows the worst that waits, not the oldest', () => {
    const plan = planAlarm([waiting('old', 'low', 600_000), waiting('new', 'critical')], undefined, now);
    expect(plan).toMatchObject({ kind: 'ring', severity: 'critical', stage: 0 });
  });

  it('grows louder and faster the longer nobody answers', () => {
    const [first, second, third] = [0, 20_000, 60_000].map((age) =>
      planAlarm([waiting('a', 'critical', age)], undefined, now),
    );
    expect(first).toMatchObject({ stage: 0 });
    expect(second).toMatchObject({ stage: 1 });
    expect(third).toMatchObject({ stage: 2, gain: 1 });
    if (first?.kind === 'ring' && third?.kind === 'ring') expect(third.periodMs).toBeLessThan(first.periodMs);
  });

  it('is silent while muted, and rings again by itself when the mute is over', () => {
    const list = [waiting('a', 'high')];
    const mute = { untilMs: now + 60_000, known: new Set(['a']) };
    expect(planAlarm(list, mute, now)).toEqual({ kind: 'silent' });
    expect(planAlarm(list, mute, now + 60_000).kind).toBe('ring');
  });

  it('lets a new critical alarm through a mute, but not one that was muted', () => {
    const mute = { untilMs: now + 60_000, known: new Set(['a']) };
    expect(muteHolds(mute, [waiting('a', 'critical')], now)).toBe(true);
    expect(muteHolds(mute, [waiting('a', 'critical'), waiting('b', 'high')], now)).toBe(true);
    expect(muteHolds(mute, [waiting('a', 'critical'), waiting('b', 'critical')], now)).toBe(false);
  });

  it('keeps a running plan until severity or stage changes', () => {
    const plan = planAlarm([waiting('a', 'high')], undefined, now);
    expect(
      samePlan(plan, planAlarm([waiting('a', 'high'), waiting('b', 'low')], undefined, now + 1_000)),
    ).toBe(true);
    expect(samePlan(plan, planAlarm([waiting('a', 'critical')], undefined, now))).toBe(false);
    expect(samePlan(plan, { kind: 'silent' })).toBe(false);
  });
});
