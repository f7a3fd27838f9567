/**
 * What a saved, switched or removed rule does to the state that is already there. Running timers and counts go on; what
 * no longer means the same is dropped, and the trace says so.
 */
import { absencePrefix, heldByCooldown, isAbsenceRule, timerId } from './absence.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { emptyDraft, type Draft } from './draft.ts';
import type { RuleSet } from './rule-index.ts';
import type { ConditionState, Outcome, TraceStep } from './types.ts';

export type StateRow = { key: string; state: ConditionState };

/** Run with the set *after* the change, and all rows of the rule; for a removed rule everything is cleared. */
export function changeRule(set: RuleSet, ruleId: string, rows: Iterable<StateRow>, nowMs: number): Outcome {
  const draft = emptyDraft();
  const one = set.rules.get(ruleId);
  for (const row of rows) {
    if (row.key.startsWith(absencePrefix)) changeAbsence(draft, one, ruleId, row, nowMs);
    else if (!one) draft.writes.push({ rule_id: ruleId, key: row.key, state: null });
    else if (row.state.meaning !== one.meaning) dropCounts(draft, one, row, nowMs);
  }
  return draft;
}

function changeAbsence(
  draft: Draft,
  one: CompiledRule | undefined,
  ruleId: string,
  { key, state }: StateRow,
  nowMs: number,
): void {
  const id = timerId(ruleId, key);
  // A rule that is off hears nothing, so a timer that ran on would report devices lost that were there all the time.
  if (!one?.rule.enabled || !isAbsenceRule(one.rule) || state.meaning !== one.meaning) {
    draft.writes.push({ rule_id: ruleId, key, state: null });
    draft.timers.push({ op: 'clear', id });
    if (one) trace(draft, one, key, nowMs, absenceDropped);
    return;
  }
  if (state.phase !== 'pending' || state.heard_ms === undefined) return;
  // What a condition holds back is looked at again within the minute anyhow.
  if (state.held !== undefined && state.held !== heldByCooldown) return;
  const silentMs = state.heard_ms + one.rule.trigger.for_ms;
  const restedMs = (state.last_fired_ms ?? 0) + one.rule.cooldown_ms;
  const due = state.held === undefined ? silentMs : Math.max(silentMs, restedMs);
  draft.timers.push({ op: 'set', id, rule_id: ruleId, key, due_ms: due });
}

function dropCounts(draft: Draft, one: CompiledRule, { key, state }: StateRow, nowMs: number): void {
  const last = state.last_fired_ms;
  const cooling = last !== undefined && one.rule.cooldown_ms > 0;
  const kept: ConditionState | null = cooling
    ? {
        phase: 'clearing',
        meaning: one.meaning,
        last_fired_ms: last,
        expires_ms: last + one.rule.cooldown_ms,
      }
    : null;
  draft.writes.push({ rule_id: one.rule.id, key, state: kept });
  if (state.times?.length) trace(draft, one, key, nowMs, countsDropped);
}

const absenceDropped: TraceStep = {
  what: 'Listening goes on',
  passed: null,
  detail: 'The rule was switched off or listens for something else; it starts over with the next arrival',
};
const countsDropped: TraceStep = {
  what: 'Earlier counts',
  passed: null,
  detail: 'The rule was changed to count something else; what it had counted was dropped',
};

function trace(draft: Draft, one: CompiledRule, key: string, nowMs: number, step: TraceStep): void {
  draft.traces.push({
    rule_id: one.rule.id,
    rule_name: one.rule.name,
    rule_version: one.rule.version,
    at_ms: nowMs,
    outcome: 'near_miss',
    reason: step.detail,
    event_seq: undefined,
    key,
    steps: [step],
  });
}
