import { describe, expect, test } from 'vitest';
import { evaluateEvent } from './evaluate-event.ts';
import { MemoryState } from './memory-state.ts';
import { compileRules, withoutRule, withRule } from './rule-index.ts';
import {
  buildContext,
  buildDevice,
  buildEvent,
  buildIncidentAction,
  buildRule,
  hour,
  minute,
  monday,
} from './test-builders.ts';
import type { EngineContext, EngineEvent, EngineRule, Outcome } from './types.ts';

const judge = (rule: EngineRule, event: EngineEvent, context: EngineContext = buildContext()): Outcome =>
  evaluateEvent(compileRules([rule]), event, context, new MemoryState());
const fires = (rule: EngineRule, event: EngineEvent, context?: EngineContext): boolean =>
  judge(rule, event, context).decisions.length === 1;
const reasonOf = (outcome: Outcome): string | undefined => outcome.traces[0]?.reason;

describe('what a rule looks at', () => {
  const scoped = (scope: EngineRule['trigger']['scope'], change: Partial<EngineEvent> = {}): boolean =>
    fires(buildRule({ trigger: { kind: 'event', types: ['access.denied'], scope } }), buildEvent(change));

  test('an empty scope takes every device, and events without one', () => {
    expect(scoped({})).toBe(true);
    expect(scoped({ device_ids: [], tags: [] }, { device: undefined })).toBe(true);
  });

  test('an area includes the areas below it, and is met once even when it is listed twice on the way up', () => {
    expect(scoped({ area_ids: ['warehouse'] })).toBe(true);
    expect(scoped({ area_ids: ['dock', 'warehouse'] })).toBe(true);
    expect(scoped({ area_ids: ['office'] })).toBe(false);
  });

  test('fields narrow together, entries of one field are alternatives', () => {
    expect(scoped({ device_ids: ['door-1'], tags: ['inside', 'outside'] })).toBe(true);
    expect(scoped({ device_ids: ['door-1'], tags: ['inside'] })).toBe(false);
    expect(scoped({ device_kinds: ['reader', 'door'] })).toBe(true);
    expect(scoped({ device_kinds: ['door'] }, { device: undefined })).toBe(false);
  });

  test('other types, sites, orgs and disabled rules are not met, and leave no trace', () => {
    const outcomes = [
      judge(buildRule(), buildEvent({ type: 'access.granted' })),
      judge(buildRule(), buildEvent({ site_id: 'elsewhere' })),
      judge(buildRule(), buildEvent({ org_id: 'foreign' })),
      judge(buildRule(), buildEvent({ org_id: 'foreign', site_id: undefined })),
      judge(buildRule({ enabled: false }), buildEvent()),
    ];
    for (const { decisions, traces } of outcomes) expect([...decisions, ...traces]).toEqual([]);
  });

  test('an event of the whole box meets the rules of every site', () => {
    expect(fires(buildRule(), buildEvent({ site_id: undefined }))).toBe(true);
  });

  test('a set can be changed rule by rule without touching the set it came from', () => {
    const first = compileRules([buildRule()]);
    const second = withRule(
      first,
      buildRule({ id: 'rule-2', trigger: { kind: 'event', types: ['door.forced'], scope: {} } }),
    );
    const moved = withRule(
      second,
      buildRule({ trigger: { kind: 'event', types: ['door.forced'], scope: {} } }),
    );
    const count = (set: typeof first, type: string): number =>
      evaluateEvent(set, buildEvent({ type }), buildContext(), new MemoryState()).decisions.length;
    expect([first.size, second.size, moved.size]).toEqual([1, 2, 2]);
    expect([count(second, 'access.denied'), count(second, 'door.forced')]).toEqual([1, 1]);
    expect([count(moved, 'access.denied'), count(moved, 'door.forced')]).toEqual([0, 2]);
    expect(count(withoutRule(moved, 'rule-1'), 'door.forced')).toBe(1);
    expect(withoutRule(first, 'unknown')).toBe(first);
  });
});

describe('late, retained and replayed', () => {
  const panic = buildRule({ trigger: { kind: 'event', types: ['panic.pressed'], scope: {} } });
  const motion = buildRule({ trigger: { kind: 'event', types: ['motion.started'], scope: {} } });
  const late = (type: string, klass: EngineEvent['class'], lateMs: number): EngineEvent =>
    buildEvent({
      type,
      class: klass,
      title: type,
      delivery: 'late',
      late_ms: lateMs,
      time_ms: monday - lateMs,
      received_ms: monday,
    });

  test('a panic that waited ten minutes in an agent’s queue rings, marked late', () => {
    const outcome = judge(panic, late('panic.pressed', 'panic', 10 * minute));
    expect(outcome.decisions[0]).toMatchObject({ late_ms: 10 * minute, occurred_ms: monday - 10 * minute });
    expect(outcome.traces[0]?.steps[0]?.detail).toContain('late by 10 min');
  });

  test('a panic is never too old, motion is after a quarter of an hour', () => {
    expect(fires(panic, late('panic.pressed', 'panic', 30 * 24 * hour))).toBe(true);
    expect(fires(motion, late('motion.started', 'motion', 15 * minute))).toBe(true);
    const old = judge(motion, late('motion.started', 'motion', 15 * minute + 1));
    expect(old.decisions).toEqual([]);
    expect(reasonOf(old)).toContain('fires up to 15 min');
  });

  test.each(['retained', 'replayed'] as const)(
    '%s messages fire nothing and count for nothing',
    (delivery) => {
      const outcome = judge(
        buildRule({ count: { times: 2, within_ms: minute, per: 'device' } }),
        buildEvent({ delivery }),
      );
      expect(outcome.decisions).toEqual([]);
      expect(outcome.writes).toEqual([]);
      expect(outcome.traces[0]?.outcome).toBe('near_miss');
    },
  );

  test('a schedule looks at when it happened, not at when it came', () => {
    const night = buildRule({
      conditions: [
        { kind: 'schedule', when: 'inside', windows: [{ days: [1], from: '10:00', to: '10:55' }] },
      ],
    });
    const event = late('access.denied', 'access', 10 * minute);
    expect(fires(night, event)).toBe(true);
    expect(fires(night, { ...event, clock_suspect: true })).toBe(false);
  });

  test('a door is not unlocked afterwards, but still locked', () => {
    const command = (name: 'lock' | 'unlock') => ({
      kind: 'command' as const,
      target: 'trigger' as const,
      name,
      args: {},
    });
    const rule = buildRule({ actions: [command('unlock'), command('lock')] });
    const outcome = judge(rule, late('access.denied', 'access', minute));
    expect(outcome.decisions[0]?.actions).toEqual([
      { kind: 'command', device_id: 'door-1', name: 'lock', args: {} },
    ]);
    expect(
      outcome.traces[0]?.steps.some((step) => step.what === 'Command unlock' && step.passed === false),
    ).toBe(true);
  });
});

describe('conditions on the armed state', () => {
  const rule = buildRule({ conditions: [{ kind: 'armed', states: ['armed'] }] });

  test('the nearest area that knows its state decides', () => {
    const armed = (id: string) =>
      id === 'warehouse' ? { state: 'armed' as const } : { state: 'unknown' as const };
    expect(fires(rule, buildEvent(), buildContext({ armed }))).toBe(true);
    const nearer = (id: string) => ({ state: id === 'dock' ? ('disarmed' as const) : ('armed' as const) });
    expect(fires(rule, buildEvent(), buildContext({ armed: nearer }))).toBe(false);
  });

  test('an unknown state is neither, and the near miss says so', () => {
    const outcome = judge(rule, buildEvent());
    expect(outcome.decisions).toEqual([]);
    expect(reasonOf(outcome)).toContain('Whether Loading dock was armed is not known');
    expect(outcome.traces[0]?.steps.find((step) => step.what.includes('armed'))?.passed).toBeNull();
    const disarmed = buildRule({ conditions: [{ kind: 'armed', states: ['disarmed'] }] });
    expect(fires(disarmed, buildEvent())).toBe(false);
    const unknown = buildRule({ conditions: [{ kind: 'armed', states: ['armed', 'unknown'] }] });
    expect(fires(unknown, buildEvent())).toBe(true);
  });

  test('a state that changed after a late event says nothing about then', () => {
    const armed = () => ({ state: 'armed' as const, changed_ms: monday - minute });
    const event = buildEvent({
      delivery: 'late',
      late_ms: 2 * minute,
      time_ms: monday - 2 * minute,
      received_ms: monday,
    });
    expect(fires(rule, event, buildContext({ armed }))).toBe(false);
    expect(fires(rule, buildEvent(), buildContext({ armed }))).toBe(true);
  });
});

describe('counts and cooldowns', () => {
  const threeTimes = buildRule({ count: { times: 3, within_ms: 10 * minute, per: 'device' } });
  const run = (rule: EngineRule, events: EngineEvent[]): Outcome[] => {
    const set = compileRules([rule]);
    const state = new MemoryState();
    return events.map((event) => {
      const outcome = evaluateEvent(set, event, buildContext({ now_ms: event.received_ms }), state);
      state.apply(outcome);
      return outcome;
    });
  };
  const atMinutes = (...minutes: number[]): EngineEvent[] =>
    minutes.map((value) => buildEvent({ time_ms: monday + value * minute }));
  const acted = (outcomes: Outcome[]): boolean[] => outcomes.map((outcome) => outcome.decisions.length > 0);

  test('fires at the third time within the window, then counts anew', () => {
    const outcomes = run(threeTimes, atMinutes(0, 5, 10, 11, 12, 13));
    expect(acted(outcomes)).toEqual([false, false, true, false, false, true]);
    expect(outcomes.slice(0, 2).map(reasonOf)).toEqual([
      'Counted 1 of 3 within 10 min',
      'Counted 2 of 3 within 10 min',
    ]);
  });

  test('what is older than the window does not count', () => {
    expect(acted(run(threeTimes, atMinutes(0, 5, 10.1, 11)))).toEqual([false, false, false, true]);
  });

  test('a late burst counts by when it happened, also between live events', () => {
    const burst = [0, 1, 2].map((value) =>
      buildEvent({
        time_ms: monday + value * minute,
        received_ms: monday + 50 * minute,
        delivery: 'late',
        late_ms: (50 - value) * minute,
      }),
    );
    const [first, second, third] = burst as [EngineEvent, EngineEvent, EngineEvent];
    const live = atMinutes(49, 50)[1] as EngineEvent;
    expect(acted(run(threeTimes, [first, live, third, second]))).toEqual([false, false, false, true]);
    const spread = burst.map((event, index) => ({ ...event, time_ms: monday + index * 20 * minute }));
    expect(acted(run(threeTimes, spread))).toEqual([false, false, false]);
  });

  test('a device with an implausible clock counts by when its events came', () => {
    const wrong = atMinutes(0, 1, 2).map((event) => ({ ...event, time_ms: 0, clock_suspect: true }));
    expect(acted(run(threeTimes, wrong))).toEqual([false, false, true]);
  });

  test.each([
    ['device', [false, false, false]],
    ['area', [false, false, true]],
    ['rule', [false, false, true]],
  ] as const)('counts per %s', (per, expected) => {
    const rule = buildRule({ count: { times: 3, within_ms: 10 * minute, per } });
    const events = atMinutes(0, 1, 2).map((event, index) => ({
      ...event,
      device: buildDevice({ id: `door-${index}` }),
    }));
    expect(acted(run(rule, events))).toEqual(expected);
  });

  test('events without a device are told apart by their source', () => {
    const twice = buildRule({ count: { times: 2, within_ms: 10 * minute, per: 'device' } });
    const events = atMinutes(0, 1, 2).map((event, index) => ({
      ...event,
      device: undefined,
      source: index === 1 ? 'panel/2' : 'panel/1',
    }));
    expect(acted(run(twice, events))).toEqual([false, false, true]);
  });

  test('the same key rests for the cooldown, another does not', () => {
    const rule = buildRule({ cooldown_ms: 5 * minute });
    const other = buildEvent({ time_ms: monday + 2 * minute, device: buildDevice({ id: 'door-2' }) });
    const [first, second, third] = atMinutes(0, 4.9, 5) as [EngineEvent, EngineEvent, EngineEvent];
    const outcomes = run(rule, [first, other, second, third]);
    expect(acted(outcomes)).toEqual([true, true, false, true]);
    expect(outcomes[2] && reasonOf(outcomes[2])).toBe('It acted already; it rests until Mon 11:05');
  });

  test('a clock set back by hours does not silence a rule for hours', () => {
    const rule = buildRule({ cooldown_ms: 5 * minute });
    expect(acted(run(rule, atMinutes(0, -120, -119)))).toEqual([true, true, false]);
  });

  test('a rule without count and cooldown keeps no state', () => {
    expect(judge(buildRule(), buildEvent()).writes).toEqual([]);
  });
});

describe('the example of docs/design/rules.md', () => {
  test('goes as its table says', () => {
    const rule = buildRule({
      conditions: [
        {
          kind: 'schedule',
          when: 'outside',
          windows: [{ days: [1, 2, 3, 4, 5], from: '07:00', to: '19:00' }],
        },
      ],
      count: { times: 3, within_ms: 10 * minute, per: 'device' },
      cooldown_ms: 15 * minute,
    });
    // Vienna is an hour ahead of UTC in winter.
    const at = (hours: number, minutes: number): number => Date.UTC(2026, 2, 2, hours - 1, minutes);
    const events = [at(14, 0), at(22, 0), at(22, 3)].map((time_ms) => buildEvent({ time_ms }));
    events.push(
      buildEvent({ time_ms: at(21, 59), received_ms: at(22, 4), delivery: 'late', late_ms: 5 * minute }),
      ...[at(22, 10), at(22, 11), at(22, 12)].map((time_ms) => buildEvent({ time_ms })),
    );
    const state = new MemoryState();
    const reasons = events.map((event) => {
      const outcome = evaluateEvent(compileRules([rule]), event, buildContext(), state);
      state.apply(outcome);
      return reasonOf(outcome);
    });
    expect(reasons).toEqual([
      "It was Mon 14:00, inside the hours; the rule asks: It is outside the rule's hours",
      'Counted 1 of 3 within 10 min',
      'Counted 2 of 3 within 10 min',
      '',
      'Counted 1 of 3 within 10 min',
      'Counted 2 of 3 within 10 min',
      'It acted already; it rests until Mon 22:19',
    ]);
  });
});

describe('what a rule does', () => {
  test('fills titles from device, area, event and data, in one line and of bounded length', () => {
    const title = '{event} at {device} in {area}: {data.zone}/{data.who.name}/{data.nothing} {other}';
    const rule = buildRule({ actions: [buildIncidentAction({ title })] });
    const data = { zone: 5, who: { name: 'a\nb' } };
    const [action] = judge(rule, buildEvent({ data })).decisions[0]?.actions ?? [];
    expect(action).toMatchObject({
      title: 'Access denied at Loading dock door in Loading dock: 5/a b/unknown {other}',
    });
    const hostile = judge(rule, buildEvent({ data: { zone: 'x'.repeat(60_000) } })).decisions[0]?.actions[0];
    expect(hostile?.kind === 'incident' && hostile.title.length).toBeLessThanOrEqual(200);
  });

  test('a panel’s zone names the place until it is mapped to a device', () => {
    const event = buildEvent({ device: undefined, data: { zone_name: 'Back window' } });
    expect(judge(buildRule(), event).decisions[0]?.actions[0]).toMatchObject({
      title: 'Access denied: Back window',
    });
  });

  test.each([
    ['device', 'device:door-1'],
    ['area', 'area:dock'],
    ['rule', 'rule'],
    ['none', null],
  ] as const)('groups incidents by %s', (group_by, expected) => {
    const rule = buildRule({ actions: [buildIncidentAction({ group_by })] });
    expect(judge(rule, buildEvent()).decisions[0]?.actions[0]).toMatchObject({ group_key: expected });
  });

  test('marks test alarms as such', () => {
    const rule = buildRule({ trigger: { kind: 'event', types: ['system.test_alarm'], scope: {} } });
    expect(judge(rule, buildEvent({ type: 'system.test_alarm', class: 'system' })).decisions[0]?.test).toBe(
      true,
    );
  });

  test('explains every condition of a near miss, and bounds how many near misses one event leaves', () => {
    const conditions: EngineRule['conditions'] = [
      { kind: 'data', path: 'zone', op: 'eq', value: 7 },
      { kind: 'data', path: 'open', op: 'eq', value: true },
    ];
    const rules = Array.from({ length: 100 }, (_, index) => buildRule({ id: `rule-${index}`, conditions }));
    const outcome = evaluateEvent(
      compileRules([...rules, buildRule({ id: 'last' })]),
      buildEvent({ data: { zone: 5 } }),
      buildContext(),
      new MemoryState(),
    );
    expect(outcome.decisions).toHaveLength(1);
    expect(outcome.traces).toHaveLength(33);
    expect(outcome.near_misses_left_off).toBe(68);
    expect(reasonOf(outcome)).toBe('data.zone is 5; the rule asks: data.zone is 7');
    expect(outcome.traces[0]?.steps.map((step) => step.passed)).toEqual([true, false, null]);
  });
});
