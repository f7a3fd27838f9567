import { describe, expect, test } from 'vitest';
import { evaluateTimer, recheckMs } from './absence.ts';
import { evaluateEvent } from './evaluate-event.ts';
import { MemoryState } from './memory-state.ts';
import { changeRule } from './rule-change.ts';
import { compileRules, type RuleSet } from './rule-index.ts';
import { buildContext, buildDevice, buildEvent, buildRule, hour, minute, monday } from './test-builders.ts';
import type { EngineContext, EngineEvent, EngineRule, Outcome } from './types.ts';

const buildAbsence = (change: Partial<EngineRule> = {}, forMs = 5 * minute): EngineRule =>
  buildRule({
    trigger: { kind: 'absence', types: ['device.heartbeat'], scope: {}, for_ms: forMs },
    ...change,
  });
const buildHeartbeat = (atMs: number, change: Partial<EngineEvent> = {}): EngineEvent =>
  buildEvent({ type: 'device.heartbeat', class: 'telemetry', time_ms: atMs, received_ms: atMs, ...change });

/** A box with one rule: hears events, lets time pass, and tells when the rule acted. */
class Box {
  readonly state = new MemoryState();
  readonly outcomes: Outcome[] = [];
  set: RuleSet;
  readonly context: Partial<EngineContext>;

  constructor(rule: EngineRule, context: Partial<EngineContext> = {}) {
    this.set = compileRules([rule]);
    this.context = context;
  }

  hear(event: EngineEvent): void {
    this.pass(event.received_ms);
    this.take(evaluateEvent(this.set, event, this.contextAt(event.received_ms), this.state));
  }

  pass(untilMs: number): void {
    for (let turn = 0; turn < 1_000; turn += 1) {
      const timer = this.state.nextDue(untilMs);
      if (!timer) return;
      this.take(evaluateTimer(this.set, timer, this.contextAt(timer.due_ms), this.state));
    }
    throw new Error('timers do not come to rest');
  }

  change(rule: EngineRule, nowMs: number): void {
    this.set = compileRules([rule]);
    this.take(changeRule(this.set, rule.id, this.state.rowsOf(rule.id), nowMs));
  }

  actedAt(): number[] {
    return this.outcomes.flatMap(({ decisions }) => decisions.map((one) => one.acted_ms - monday));
  }

  reasons(): string[] {
    return this.outcomes.flatMap(({ traces }) => traces.map((one) => one.reason)).filter((one) => one !== '');
  }

  private take(outcome: Outcome): void {
    this.state.apply(outcome);
    this.outcomes.push(outcome);
  }

  private contextAt(nowMs: number): EngineContext {
    return buildContext({ now_ms: nowMs, ...this.context });
  }
}

describe('absence', () => {
  test('needs one arrival first', () => {
    const box = new Box(buildAbsence());
    box.pass(monday + 24 * hour);
    expect(box.actedAt()).toEqual([]);
  });

  test('acts once when nothing came for the time, and again after the next arrival and silence', () => {
    const box = new Box(buildAbsence());
    box.hear(buildHeartbeat(monday));
    box.hear(buildHeartbeat(monday + 4 * minute));
    box.pass(monday + hour);
    expect(box.actedAt()).toEqual([9 * minute]);
    box.hear(buildHeartbeat(monday + hour));
    box.pass(monday + 2 * hour);
    expect(box.actedAt()).toEqual([9 * minute, hour + 5 * minute]);
  });

  test('watches each device for itself', () => {
    const box = new Box(buildAbsence(), { device: (id) => buildDevice({ id, name: `Name of ${id}` }) });
    box.hear(buildHeartbeat(monday, { device: buildDevice({ id: 'a' }) }));
    box.hear(buildHeartbeat(monday + minute, { device: buildDevice({ id: 'b' }) }));
    box.hear(buildHeartbeat(monday + 3 * minute, { device: buildDevice({ id: 'a' }) }));
    box.pass(monday + hour);
    expect(box.actedAt()).toEqual([6 * minute, 8 * minute]);
    const titles = box.outcomes.flatMap(({ decisions }) => decisions.flatMap(({ actions }) => actions));
    expect(titles[0]).toMatchObject({ title: 'Nothing heard for 5 min: Name of b', group_key: 'device:b' });
  });

  test('a late arrival shows that the device is there; a retained or replayed one does not', () => {
    const late = new Box(buildAbsence());
    late.hear(buildHeartbeat(monday));
    late.hear(
      buildHeartbeat(monday + 4 * minute, { delivery: 'late', late_ms: hour, time_ms: monday - hour }),
    );
    late.pass(monday + 8 * minute);
    expect(late.actedAt()).toEqual([]);
    for (const delivery of ['retained', 'replayed'] as const) {
      const box = new Box(buildAbsence());
      box.hear(buildHeartbeat(monday, { delivery }));
      box.pass(monday + hour);
      expect(box.actedAt()).toEqual([]);
      box.hear(buildHeartbeat(monday + hour));
      box.hear(buildHeartbeat(monday + hour + 4 * minute, { delivery }));
      box.pass(monday + 2 * hour);
      expect(box.actedAt()).toEqual([hour + 5 * minute]);
    }
  });

  test('time in which the box itself heard nothing does not count', () => {
    const deafMs = (fromMs: number, toMs: number): number =>
      Math.max(0, Math.min(toMs, monday + hour) - Math.max(fromMs, monday + minute));
    const box = new Box(buildAbsence(), { deafMs });
    box.hear(buildHeartbeat(monday));
    box.pass(monday + 3 * hour);
    expect(box.actedAt()).toEqual([hour + 4 * minute]);
  });

  test('a silence that begins outside the hours is reported when they begin, and traced once meanwhile', () => {
    // 11:00 in Vienna on Monday; the hours begin at 12:00.
    const conditions: EngineRule['conditions'] = [
      { kind: 'schedule', when: 'inside', windows: [{ days: [1], from: '12:00', to: '18:00' }] },
    ];
    const box = new Box(buildAbsence({ conditions }));
    box.hear(buildHeartbeat(monday));
    box.pass(monday + 3 * hour);
    expect(box.actedAt()).toEqual([hour]);
    const heldAt = box.reasons().filter((reason) => reason.includes('outside the hours'));
    expect(heldAt).toHaveLength(1);
    expect(hour % recheckMs).toBe(0);
  });

  test('a silence during the cooldown is reported when the cooldown is over', () => {
    const box = new Box(buildAbsence({ cooldown_ms: hour }));
    box.hear(buildHeartbeat(monday));
    box.pass(monday + 5 * minute);
    box.hear(buildHeartbeat(monday + 10 * minute));
    box.pass(monday + 3 * hour);
    expect(box.actedAt()).toEqual([5 * minute, hour + 5 * minute]);
  });

  test('a count acts at the nth silence', () => {
    const box = new Box(buildAbsence({ count: { times: 2, within_ms: hour, per: 'device' } }));
    for (const offset of [0, 10, 20, 30]) box.hear(buildHeartbeat(monday + offset * minute));
    box.pass(monday + 34 * minute);
    expect(box.actedAt()).toEqual([15 * minute]);
    box.pass(monday + hour);
    expect(box.actedAt()).toEqual([15 * minute, 35 * minute]);
  });

  test('a device that was removed is not reported', () => {
    const box = new Box(
      buildAbsence({
        trigger: {
          kind: 'absence',
          types: ['device.heartbeat'],
          scope: { device_ids: ['door-1'] },
          for_ms: minute,
        },
      }),
      { device: () => undefined },
    );
    box.hear(buildHeartbeat(monday));
    box.pass(monday + hour);
    expect(box.actedAt()).toEqual([]);
    expect(box.reasons()).toEqual(['The device is gone, or the rule no longer looks at it']);
  });
});

describe('a change of an absence rule', () => {
  test('keeps the running timer, with the new time', () => {
    const shorter = new Box(buildAbsence({}, hour));
    shorter.hear(buildHeartbeat(monday));
    shorter.change(buildAbsence({ version: 2 }, 10 * minute), monday + minute);
    shorter.pass(monday + 3 * hour);
    expect(shorter.actedAt()).toEqual([10 * minute]);
    const longer = new Box(buildAbsence({}, 10 * minute));
    longer.hear(buildHeartbeat(monday));
    longer.change(buildAbsence({ version: 2 }, hour), monday + minute);
    longer.pass(monday + 3 * hour);
    expect(longer.actedAt()).toEqual([hour]);
  });

  test('listening for something else starts over, and the trace says so', () => {
    const box = new Box(buildAbsence());
    box.hear(buildHeartbeat(monday));
    const trigger = { ...buildAbsence().trigger, types: ['telemetry.reading'] };
    box.change(buildAbsence({ version: 2, trigger }), monday + minute);
    box.pass(monday + hour);
    expect(box.actedAt()).toEqual([]);
    expect(box.reasons()[0]).toContain('starts over with the next arrival');
  });

  test('a rule switched off and on again reports nothing it could not hear', () => {
    const box = new Box(buildAbsence());
    box.hear(buildHeartbeat(monday));
    box.change(buildAbsence({ enabled: false }), monday + minute);
    box.change(buildAbsence(), monday + 4 * minute);
    box.pass(monday + hour);
    expect(box.actedAt()).toEqual([]);
    box.hear(buildHeartbeat(monday + hour));
    box.pass(monday + 2 * hour);
    expect(box.actedAt()).toEqual([hour + 5 * minute]);
  });

  test('removing a rule clears its rows and timers', () => {
    const box = new Box(buildAbsence());
    box.hear(buildHeartbeat(monday));
    const outcome = changeRule(compileRules([]), 'rule-1', box.state.rowsOf('rule-1'), monday);
    box.state.apply(outcome);
    expect(box.state.rowsOf('rule-1')).toEqual([]);
    expect(box.state.nextDue(Number.MAX_SAFE_INTEGER)).toBeUndefined();
  });
});
