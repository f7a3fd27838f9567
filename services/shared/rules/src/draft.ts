/** The outcome while it is being put together, and the traces that go into it. */
import type { CompiledRule } from './compiled-rule.ts';
import type { Occurrence } from './occurrence.ts';
import type { EngineContext, Outcome, TraceStep } from './types.ts';
import { durationWords, shorten } from './words.ts';

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
  key: string,
  words: () => { reason: string; steps: TraceStep[] },
): void {
  if (leftOff(draft)) return;
  const { reason, steps } = words();
  draft.traces.push({
    ...head(one, occurrence),
    outcome: 'near_miss',
    reason,
    key,
    steps: [triggerStep(occurrence), ...steps],
  });
}

/** Counts a near miss for which there is no room. Asked first on the path that thousands of rules take. */
export function leftOff(draft: Draft): boolean {
  // Acts are never bounded here, so only near misses are counted against the limit.
  if (draft.traces.length - draft.decisions.length < nearMissTracesMax) return false;
  draft.near_misses_left_off += 1;
  return true;
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
  draft.traces.push({
    ...head(one, occurrence),
    outcome: 'fired',
    reason: '',
    key,
    steps: [triggerStep(occurrence), ...one.conditions.explain(occurrence, context), ...steps],
  });
}

/** The reason out of the steps: the first condition that is false or not known. */
export function failedWords(steps: TraceStep[]): { reason: string; steps: TraceStep[]; failed: string } {
  const failed = steps.find((step) => step.passed !== true);
  const reason = failed ? `${failed.detail}; the rule asks: ${failed.what}` : '';
  return { reason, steps, failed: failed?.what ?? '' };
}

/** What set the rule off, and how late. */
function triggerStep({ title, source, device, area, late_ms }: Occurrence): TraceStep {
  const where = area ? `${device?.name ?? source}, ${area.name}` : (device?.name ?? source);
  const late = late_ms > 0 ? `, late by ${durationWords(late_ms)}` : '';
  return { what: 'Trigger', passed: true, detail: shorten(`${title}: ${where}${late}`, triggerCharsMax) };
}

/** Room for the names of an event type, a device and an area. */
const triggerCharsMax = 300;

function head(one: CompiledRule, occurrence: Occurrence) {
  return {
    rule_id: one.rule.id,
    rule_name: one.rule.name,
    rule_version: one.rule.version,
    at_ms: occurrence.received_ms,
    event_seq: occurrence.seq,
  };
}
