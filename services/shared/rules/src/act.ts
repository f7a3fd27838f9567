/**
 * From "the trigger and the conditions hold" to acting or not: count, cooldown, then the decision. Every way out that is
 * not an act leaves a near miss that says why.
 */
import { addTime, mostWithin } from './count.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { decide } from './decide.ts';
import { keyOf, type Occurrence } from './occurrence.ts';
import { fired, missed, type Draft } from './draft.ts';
import type { ConditionState, EngineContext, EngineRule, StateReader, TraceStep } from './types.ts';
import { wallClock } from './wall-clock.ts';
import { durationWords } from './words.ts';

export type ActResult =
  { outcome: 'acted' | 'counting' } | { outcome: 'cooling'; last_fired_ms: number; until_ms: number };

/** Runs count, cooldown and actions. */
export function act(
  one: CompiledRule,
  occurrence: Occurrence,
  state: StateReader,
  context: EngineContext,
  draft: Draft,
): ActResult {
  const key = keyOf(one.keyKind, occurrence);
  const steps: TraceStep[] = [];
  const stored = one.stateful ? state.get(one.rule.id, key) : undefined;
  const old = adopt(stored, one, steps);
  const times = one.rule.count ? countUp(one, one.rule.count, old, occurrence, steps) : undefined;
  const held = times && { rule_id: one.rule.id, key, state: keep(one, occurrence, times.list, old) };
  if (held && !times.reached) {
    draft.writes.push(held);
    missed(draft, one, occurrence, key, () => {
      const explained = one.conditions.explain(occurrence, context);
      return { reason: lastDetail(steps), steps: [...explained, ...steps] };
    });
    return { outcome: 'counting' };
  }
  if (isCooling(one.rule, old, occurrence)) {
    const last = old?.last_fired_ms ?? 0;
    const until = last + one.rule.cooldown_ms;
    if (held) draft.writes.push(held);
    missed(draft, one, occurrence, key, () => {
      const explained = one.conditions.explain(occurrence, context);
      const detail = `It acted already; it rests until ${momentText(one.rule, until, context)}`;
      return {
        reason: detail,
        steps: [...explained, ...steps, { what: 'Cooldown is over', passed: false, detail }],
      };
    });
    return { outcome: 'cooling', last_fired_ms: last, until_ms: until };
  }
  if (one.rule.cooldown_ms > 0) {
    steps.push({ what: 'Cooldown is over', passed: true, detail: 'It does not rest' });
    const last = { last_fired_ms: occurrence.received_ms };
    draft.writes.push({ rule_id: one.rule.id, key, state: keep(one, occurrence, undefined, last) });
  } else if (stored) {
    draft.writes.push({ rule_id: one.rule.id, key, state: null });
  }
  draft.decisions.push(decide(one.rule, occurrence, key, steps));
  fired(draft, one, occurrence, context, key, steps);
  return { outcome: 'acted' };
}

/** State of an earlier version goes on when it still means the same; the cooldown goes on in any case. */
function adopt(
  stored: ConditionState | undefined,
  one: CompiledRule,
  steps: TraceStep[],
): Partial<ConditionState> | undefined {
  if (!stored || stored.meaning === one.meaning) return stored;
  const detail = 'The rule was changed to count something else; what it had counted was dropped';
  if (stored.times?.length) steps.push({ what: 'Earlier counts', passed: null, detail });
  return stored.last_fired_ms === undefined ? undefined : { last_fired_ms: stored.last_fired_ms };
}

function countUp(
  one: CompiledRule,
  count: NonNullable<EngineRule['count']>,
  old: Partial<ConditionState> | undefined,
  occurrence: Occurrence,
  steps: TraceStep[],
): { list: number[]; reached: boolean } {
  const { occurred_ms, received_ms } = occurrence;
  const limits = { ...count, look_back_ms: one.lookBackMs, received_ms };
  const list = addTime(old?.times ?? [], occurred_ms, limits);
  const counted = mostWithin(list, occurred_ms, count.within_ms);
  const reached = counted >= count.times;
  steps.push({
    what: `${count.times} times within ${durationWords(count.within_ms)}`,
    passed: reached,
    detail: `Counted ${counted} of ${count.times} within ${durationWords(count.within_ms)}`,
  });
  return { list, reached };
}

/** A clock that was set back by more than the cooldown must not silence the rule until it catches up. */
function isCooling(
  rule: EngineRule,
  old: Partial<ConditionState> | undefined,
  occurrence: Occurrence,
): boolean {
  if (rule.cooldown_ms === 0 || old?.last_fired_ms === undefined) return false;
  return Math.abs(occurrence.received_ms - old.last_fired_ms) < rule.cooldown_ms;
}

function keep(
  one: CompiledRule,
  occurrence: Occurrence,
  times: number[] | undefined,
  old: Partial<ConditionState> | undefined,
): ConditionState {
  const last = old?.last_fired_ms;
  const cooledMs = last === undefined ? 0 : last + one.rule.cooldown_ms;
  const within = one.rule.count?.within_ms ?? 0;
  const countedMs = times ? Math.max(...times) + within + one.lookBackMs : 0;
  return {
    phase: last !== undefined && cooledMs > occurrence.received_ms ? 'clearing' : 'pending',
    meaning: one.meaning,
    ...(times && { times }),
    ...(last !== undefined && { last_fired_ms: last }),
    expires_ms: Math.max(cooledMs, countedMs),
  };
}

function momentText(rule: EngineRule, atMs: number, context: EngineContext): string {
  const zone = context.timeZone(rule.site_id);
  return (
    (zone === undefined ? undefined : wallClock(zone, atMs)?.text) ??
    `${durationWords(rule.cooldown_ms)} later`
  );
}

function lastDetail(steps: readonly TraceStep[]): string {
  return steps.at(-1)?.detail ?? '';
}
