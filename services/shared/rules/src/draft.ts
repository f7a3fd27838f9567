/** The outcome while it is being put together, and the traces that go into it. */
import type { CompiledRule } from './compiled-rule.ts';
import type { Occurrence } from './occurrence.ts';
import type { EngineContext, Outcome, TraceStep } from './types.ts';
import { durationWords } from './words.ts';

export type Draft = Outcome;

/** Near misses of one event that get a trace. A rule set of thousands must not fill the trace ring with one event. */
export const nearMissTracesMax = 32;

export function emptyDraft(): Draft {
  return { decisions: [], writes: [], timers: [], traces: [], near_misses_left_off: 0 };
}

/** Records why a rule whose trigger matched did not act. The words are only made when there is room for them. */
export function missed(
  draft: Draft,
  one: CompiledRule,
  occurrence: Occurrence,
  context: EngineContext,
  key: string,
  words: () => { reason: string; steps: TraceStep[] },
): void {
  // Acts are never bounded here, so only near misses are counted against the limit.
  if (draft.traces.length - draft.decisions.length >= nearMissTracesMax) {
    draft.near_misses_left_off += 1;
    return;
  }
  const { reason, steps } = words();
  draft.traces.push({
    ...head(one, occurrence),
    outcome: 'near_miss',
    reason,
    key,
    steps: [...one.conditions.explain(occurrence, context), ...steps],
  });
}

/** Records an act with everything that led to it. */
export function fired(
  draft: Draft,
  one: CompiledRule,
  occurrence: Occurrence,
  context: EngineContext,
  key: string,
  steps: TraceStep[],
): void {
  const late = {
    what: 'Arrived in time',
    passed: true,
    detail: `Late by ${durationWords(occurrence.late_ms)}`,
  };
  draft.traces.push({
    ...head(one, occurrence),
    outcome: 'fired',
    reason: '',
    key,
    steps: [
      ...(occurrence.late_ms > 0 ? [late] : []),
      ...one.conditions.explain(occurrence, context),
      ...steps,
    ],
  });
}

function head(one: CompiledRule, occurrence: Occurrence) {
  return {
    rule_id: one.rule.id,
    rule_name: one.rule.name,
    rule_version: one.rule.version,
    at_ms: occurrence.received_ms,
    event_seq: occurrence.seq,
  };
}
