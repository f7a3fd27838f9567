import { eventClasses, eventTypes, RuleInput } from '@siphera/contract';
import { describe, expect, test } from 'vitest';
import { evaluateEvent } from './evaluate-event.ts';
import { MemoryState } from './memory-state.ts';
import { readyRules } from './ready-rules.ts';
import { compileRules } from './rule-index.ts';
import { buildContext, buildEvent } from './test-builders.ts';

const set = compileRules(
  readyRules.map(({ builtin, rule }) => ({
    ...rule,
    id: builtin,
    org_id: 'org',
    site_id: 'site',
    version: 1,
  })),
);

describe('ready rules', () => {
  test('each fits the contract as it stands and has steps for the guard', () => {
    for (const { rule, procedure } of readyRules) {
      expect(RuleInput.parse(rule)).toEqual(rule);
      expect(procedure.steps.length).toBeGreaterThan(0);
      for (const type of rule.trigger.types) expect(eventTypes).toHaveProperty([type]);
    }
    expect(new Set(readyRules.map(({ builtin }) => builtin)).size).toBe(readyRules.length);
  });

  test('every event type of an alarm class that is an alarm itself opens exactly one incident', () => {
    const alarms = Object.entries(eventTypes).filter(
      ([type, { class: klass, nature }]) =>
        eventClasses[klass].alarm &&
        nature === 'edge' &&
        type !== 'panel.event' &&
        // Emergency calls open theirs without a rule, which somebody could switch off.
        !type.startsWith('emergency.'),
    );
    expect(alarms.length).toBeGreaterThan(10);
    for (const [type, definition] of alarms) {
      const event = buildEvent({ type, class: definition.class, title: definition.title });
      const { decisions } = evaluateEvent(set, event, buildContext(), new MemoryState());
      expect([type, decisions.length]).toEqual([type, 1]);
    }
  });

  test('panic, duress and fire are critical', () => {
    for (const type of [
      'panic.pressed',
      'duress.pressed',
      'panel.panic',
      'panel.duress',
      'smoke.alarm',
      'panel.fire',
    ]) {
      const event = buildEvent({ type, class: eventTypes[type]?.class ?? 'system' });
      const [decision] = evaluateEvent(set, event, buildContext(), new MemoryState()).decisions;
      expect(decision?.actions[0]).toMatchObject({ kind: 'incident', severity: 'critical' });
    }
  });

  test('a test alarm is an incident of its own each time', () => {
    const event = buildEvent({ type: 'system.test_alarm', class: 'system', data: { channel: 'mqtt' } });
    const [decision] = evaluateEvent(set, event, buildContext(), new MemoryState()).decisions;
    expect(decision).toMatchObject({ rule_id: 'test_alarm', test: true });
    expect(decision?.actions[0]).toMatchObject({
      title: 'Test alarm by mqtt',
      severity: 'info',
      group_key: null,
    });
  });
});
