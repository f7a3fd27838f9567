import { describe, expect, it } from 'vitest';
import { pageGraceMs, planFor, shownWaitMs, waveOf } from './alarm-wave.ts';
import { defaultPreferences } from './quiet-hours.ts';

const fresh = { state: 'new', severity: 'medium', level: 0 } as const;
const phone = { id: 'phone', preferences: defaultPreferences };

describe('an incident rings phones', () => {
  it('when it opens, and when it is opened again', () => {
    expect(waveOf(undefined, fresh)).toBe('opened');
    expect(waveOf({ ...fresh, state: 'resolved' }, fresh)).toBe('opened');
  });

  it('when it is raised or escalated while nobody has it', () => {
    expect(waveOf(fresh, { ...fresh, severity: 'high' })).toBe('raised');
    expect(waveOf(fresh, { ...fresh, level: 1 })).toBe('escalated');
  });

  it('not when it only changes, sinks, or somebody has it', () => {
    expect(waveOf(fresh, fresh)).toBeUndefined();
    expect(waveOf(fresh, { ...fresh, severity: 'low' })).toBeUndefined();
    expect(waveOf(undefined, { ...fresh, state: 'acknowledged' })).toBeUndefined();
    expect(waveOf(fresh, { ...fresh, state: 'acknowledged', severity: 'critical' })).toBeUndefined();
  });
});

describe('a person is reached', () => {
  it('at once when no console is open, after the page had its grace when one is', () => {
    expect(planFor({ online: false, phones: [phone] }, 'high', 1_000)).toEqual({
      phoneIds: ['phone'],
      dueMs: 1_000,
      deadlineMs: 1_000 + shownWaitMs,
    });
    expect(planFor({ online: true, phones: [phone] }, 'high', 1_000)).toMatchObject({
      dueMs: 1_000 + pageGraceMs,
      deadlineMs: 1_000 + pageGraceMs + shownWaitMs,
    });
  });

  it('by e-mail at once without a phone, unless a console is open, or it is nothing a phone would ring for', () => {
    expect(planFor({ online: false, phones: [] }, 'high', 1_000)).toMatchObject({
      phoneIds: [],
      deadlineMs: 1_000,
    });
    expect(planFor({ online: true, phones: [] }, 'high', 1_000)?.deadlineMs).toBe(
      1_000 + pageGraceMs + shownWaitMs,
    );
    expect(planFor({ online: false, phones: [] }, 'info', 1_000)).toBeUndefined();
  });

  it('on those phones that take it, and not at all when he chose so', () => {
    const deaf = { id: 'deaf', preferences: { ...defaultPreferences, alarms_from: null } };
    expect(planFor({ online: false, phones: [deaf, phone] }, 'high', 0)?.phoneIds).toEqual(['phone']);
    expect(planFor({ online: false, phones: [deaf] }, 'critical', 0)).toBeUndefined();
  });
});
