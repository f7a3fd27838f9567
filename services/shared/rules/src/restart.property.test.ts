/**
 * The engine keeps nothing between calls: whatever the caller does between two of them (restart, prune, recompile, look
 * at the timers more often) changes neither what is done nor what is traced.
 */
import { eventTypes, type Delivery } from '@siphera/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluateTimer } from './absence.ts';
import { evaluateEvent } from './evaluate-event.ts';
import { MemoryState } from './memory-state.ts';
import { changeRule } from './rule-change.ts';
import { compileRules, withRule, type RuleSet } from './rule-index.ts';
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

type Between = (
  box: { set: RuleSet; state: MemoryState; nowMs: number },
  step: number,
) => {
  set: RuleSet;
  state: MemoryState;
};

function play(
  rules: EngineRule[],
  events: EngineEvent[],
  between: Between,
  wakeUps: number[] = [],
): Outcome[] {
  let box = { set: compileRules(rules), state: new MemoryState() };
  const outcomes: Outcome[] = [];
  let step = 0;
  const take = (outcome: Outcome, nowMs: number): void => {
    box.state.apply(outcome);
    outcomes.push(outcome);
    box = between({ ...box, nowMs }, step);
    step += 1;
  };
  const pass = (untilMs: number): void => {
    for (let timer = box.state.nextDue(untilMs); timer; timer = box.state.nextDue(untilMs)) {
      const { due_ms } = timer;
      take(evaluateTimer(box.set, timer, contextAt(due_ms), box.state), due_ms);
    }
  };
  for (const event of events) {
    for (const wakeUp of wakeUps) if (wakeUp < event.received_ms) pass(wakeUp);
    pass(event.received_ms);
    take(evaluateEvent(box.set, event, contextAt(event.received_ms), box.state), event.received_ms);
  }
  pass(monday + 6 * hour);
  return outcomes;
}

function contextAt(nowMs: number): EngineContext {
  const armedStates = ['armed', 'disarmed', 'unknown'] as const;
  return buildContext({
    now_ms: nowMs,
    armed: () => ({ state: armedStates[Math.floor(nowMs / (20 * minute)) % 3] ?? 'unknown' }),
    device: (id) => buildDevice({ id }),
  });
}

const anyType = fc.constantFrom('access.denied', 'device.heartbeat', 'motion.started', 'panic.pressed');
const anyTrigger = fc.oneof(
  fc.record({
    kind: fc.constant('event' as const),
    types: fc.uniqueArray(anyType, { minLength: 1 }),
    scope: fc.constant({}),
  }),
  fc.record({
    kind: fc.constant('absence' as const),
    types: fc.uniqueArray(anyType, { minLength: 1 }),
    scope: fc.constantFrom<EngineRule['trigger']['scope']>(
      {},
      { area_ids: ['warehouse'] },
      { device_ids: ['door-1'] },
    ),
    for_ms: fc.integer({ min: 1_000, max: 30 * minute }),
  }),
);
const anyCondition = fc.constantFrom<EngineRule['conditions'][number]>(
  { kind: 'data', path: 'zone', op: 'gte', value: 2 },
  { kind: 'data', path: 'zone', op: 'absent' },
  { kind: 'armed', states: ['armed'] },
  { kind: 'schedule', when: 'outside', windows: [{ days: [1], from: '11:30', to: '12:00' }] },
);
const anyRule = fc.record({
  trigger: anyTrigger,
  conditions: fc.array(anyCondition, { maxLength: 2 }),
  count: fc.option(
    fc.record({
      times: fc.integer({ min: 2, max: 4 }),
      within_ms: fc.integer({ min: 1_000, max: hour }),
      per: fc.constantFrom('device' as const, 'area' as const, 'rule' as const),
    }),
  ),
  cooldown_ms: fc.constantFrom(0, minute, 30 * minute),
  group_by: fc.constantFrom('device' as const, 'area' as const, 'rule' as const, 'none' as const),
});
const anyRules = fc
  .array(anyRule, { minLength: 1, maxLength: 4 })
  .map((list) =>
    list.map(({ group_by, ...rule }, index) =>
      buildRule({ id: `rule-${index}`, ...rule, actions: [buildIncidentAction({ group_by })] }),
    ),
  );
const anyEvent = fc.record({
  gap: fc.integer({ min: 0, max: 15 * minute }),
  type: anyType,
  device: fc.constantFrom('door-1', 'door-2', undefined),
  delivery: fc.constantFrom<Delivery>('live', 'live', 'live', 'late', 'retained', 'replayed'),
  lateMs: fc.integer({ min: 1_000, max: 2 * hour }),
  zone: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
});
const anyEvents = fc.array(anyEvent, { maxLength: 25 }).map((list) => {
  let at = monday;
  return list.map(({ gap, type, device, delivery, lateMs, zone }, index) => {
    at += gap;
    const late = delivery === 'late' ? lateMs : 0;
    return buildEvent({
      seq: index + 1,
      type,
      class: eventTypes[type]?.class ?? 'system',
      delivery,
      late_ms: late,
      time_ms: at - late,
      received_ms: at,
      device: device === undefined ? undefined : buildDevice({ id: device }),
      data: zone === undefined ? {} : { zone },
    });
  });
});

const unchanged: Between = ({ set, state }) => ({ set, state });

test('a restart after any step changes no outcome', () => {
  const restarts = fc.array(fc.boolean(), { minLength: 60, maxLength: 60 });
  fc.assert(
    fc.property(anyRules, anyEvents, restarts, (rules, events, restart) => {
      const restarted = play(rules, events, ({ set, state }, step) => {
        if (!restart[step % restart.length]) return { set, state };
        return { set: compileRules(rules), state: MemoryState.restore(state.serialise()) };
      });
      expect(restarted).toEqual(play(rules, events, unchanged));
    }),
    { numRuns: 300 },
  );
});

test('forgetting rows that have expired changes no outcome', () => {
  fc.assert(
    fc.property(anyRules, anyEvents, (rules, events) => {
      const pruned = play(rules, events, ({ set, state, nowMs }) => {
        state.prune(nowMs);
        return { set, state };
      });
      const visible = (outcomes: Outcome[]) =>
        outcomes.map(({ decisions, traces }) => ({ decisions, traces }));
      expect(visible(pruned)).toEqual(visible(play(rules, events, unchanged)));
    }),
    { numRuns: 300 },
  );
});

test('looking at the timers more often, and building the set rule by rule, changes no outcome', () => {
  const wakeUps = fc
    .array(fc.integer({ min: monday, max: monday + 5 * hour }), { maxLength: 20 })
    .map((list) => list.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(anyRules, anyEvents, wakeUps, (rules, events, times) => {
      const oneByOne = rules.reduce((set, rule) => withRule(set, rule), compileRules([]));
      const split = play(rules, events, ({ state }) => ({ set: oneByOne, state }), times);
      expect(split).toEqual(play(rules, events, unchanged));
    }),
    { numRuns: 300 },
  );
});

test('saving a rule under a new name, at any step, changes nothing that is done', () => {
  const anyEdits = fc.array(fc.boolean(), { minLength: 60, maxLength: 60 });
  fc.assert(
    fc.property(anyRules, anyEvents, anyEdits, (rules, events, edits) => {
      const edited = play(rules, events, ({ set, state, nowMs }, step) => {
        if (!edits[step % edits.length]) return { set, state };
        let next = set;
        for (const rule of rules) {
          next = withRule(next, { ...rule, name: `Saved at ${step}` });
          state.apply(changeRule(next, rule.id, state.rowsOf(rule.id), nowMs));
        }
        return { set: next, state };
      });
      const done = (outcomes: Outcome[]): unknown[] =>
        outcomes.flatMap(({ decisions }) => decisions.map((one) => ({ ...one, rule_name: '' })));
      expect(done(edited)).toEqual(done(play(rules, events, unchanged)));
    }),
    { numRuns: 300 },
  );
});
