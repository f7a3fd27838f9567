import { describe, expect, test } from 'vitest';
import { evaluateEvent } from './evaluate-event.ts';
import { MemoryState } from './memory-state.ts';
import { changeRule } from './rule-change.ts';
import { compileRules } from './rule-index.ts';
import { buildContext, buildEvent, buildRule, minute, monday } from './test-builders.ts';
import type { EngineRule, Outcome } from './types.ts';

const count = { times: 3, within_ms: 10 * minute, per: 'device' as const };

/** Two denials, then the change, then a third; gives the outcome of the change and of the third. */
function changeAfterTwo(before: EngineRule, after: EngineRule): { change: Outcome; third: Outcome } {
  const state = new MemoryState();
  const evaluate = (rule: EngineRule, atMinute: number): Outcome => {
    const event = buildEvent({ time_ms: monday + atMinute * minute });
    const outcome = evaluateEvent(compileRules([rule]), event, buildContext(), state);
    state.apply(outcome);
    return outcome;
  };
  evaluate(before, 0);
  evaluate(before, 1);
  const change = changeRule(compileRules([after]), after.id, state.rowsOf(after.id), monday + 2 * minute);
  state.apply(change);
  return { change, third: evaluate(after, 3) };
}

describe('a change of a counting rule', () => {
  test('a new name, threshold, window or scope goes on with what was counted', () => {
    const changes: Partial<EngineRule>[] = [
      { name: 'Other name', version: 2 },
      { count: { ...count, within_ms: 5 * minute } },
      { conditions: [{ kind: 'data', path: 'zone', op: 'absent' }] },
      { trigger: { kind: 'event', types: ['access.denied'], scope: { device_kinds: ['door'] } } },
    ];
    for (const change of changes) {
      const { change: outcome, third } = changeAfterTwo(
        buildRule({ count }),
        buildRule({ count, ...change }),
      );
      expect(outcome.writes).toEqual([]);
      expect(third.decisions).toHaveLength(1);
    }
    const lower = changeAfterTwo(buildRule({ count: { ...count, times: 9 } }), buildRule({ count }));
    expect(lower.third.decisions).toHaveLength(1);
    const higher = changeAfterTwo(buildRule({ count }), buildRule({ count: { ...count, times: 4 } }));
    expect(higher.third.traces[0]?.reason).toBe('Counted 3 of 4 within 10 min');
  });

  test('counting something else starts over, and the trace says so', () => {
    const trigger = { kind: 'event' as const, types: ['access.denied', 'door.forced'], scope: {} };
    const { change, third } = changeAfterTwo(buildRule({ count }), buildRule({ count, trigger }));
    expect(change.traces[0]).toMatchObject({ outcome: 'near_miss', key: 'device:door-1' });
    expect(change.traces[0]?.reason).toContain('what it had counted was dropped');
    expect(third.traces[0]?.reason).toBe('Counted 1 of 3 within 10 min');
  });

  test('a cooldown goes on through any change', () => {
    const cooldown_ms = 10 * minute;
    const trigger = { kind: 'event' as const, types: ['access.denied', 'door.forced'], scope: {} };
    const { change, third } = changeAfterTwo(buildRule({ cooldown_ms }), buildRule({ cooldown_ms, trigger }));
    expect(change.writes[0]?.state).toMatchObject({ phase: 'clearing', last_fired_ms: monday });
    expect(third.decisions).toEqual([]);
    expect(third.traces[0]?.reason).toContain('It acted already');
  });
});
