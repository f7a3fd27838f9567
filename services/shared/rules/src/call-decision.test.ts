import { describe, expect, test } from 'vitest';
import { evaluateEvent } from './evaluate-event.ts';
import { MemoryState } from './memory-state.ts';
import { compileRules } from './rule-index.ts';
import { buildContext, buildEvent, buildIncidentAction, buildRule, minute } from './test-builders.ts';
import type { EngineEvent, EngineRule, Outcome } from './types.ts';

const judge = (rule: EngineRule, event: EngineEvent): Outcome =>
  evaluateEvent(compileRules([rule]), event, buildContext(), new MemoryState());

describe('calls by phone', () => {
  const call = {
    kind: 'call' as const,
    user_ids: ['anna'],
    group_ids: ['night'],
    numbers: ['201'],
    say: '{event} at {device}, {data.reason}',
    rounds: 2,
    ring_s: 30,
  };
  const rule = buildRule({ actions: [buildIncidentAction(), call] });

  test('are decided with the text as it is spoken', () => {
    const [decision] = judge(rule, buildEvent({ data: { reason: 'expired' } })).decisions;
    const say = 'Access denied at Loading dock door, expired';
    expect(decision?.actions[1]).toEqual({ ...call, say });
  });

  test('say how late they are', () => {
    const [decision] = judge(rule, buildEvent({ delivery: 'late', late_ms: 5 * minute })).decisions;
    expect(decision?.actions[1]).toMatchObject({
      say: 'Reported 5 min late: Access denied at Loading dock door, unknown',
    });
  });

  test('ring nobody for a test alarm, and the trace says so', () => {
    const test = buildRule({
      trigger: { kind: 'event', types: ['system.test_alarm'], scope: {} },
      actions: [buildIncidentAction(), call],
    });
    const { decisions, traces } = judge(test, buildEvent({ type: 'system.test_alarm', class: 'system' }));
    expect(decisions[0]?.actions.map(({ kind }) => kind)).toEqual(['incident']);
    expect(traces[0]?.steps).toContainEqual({
      what: 'Call by phone',
      passed: false,
      detail: 'Nobody is called: this was a test',
    });
  });
});
