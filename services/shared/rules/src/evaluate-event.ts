/**
 * An event against all rules. Retained and replayed messages never fire; late ones fire up to the age their class
 * allows; absence rules only take note that something was heard.
 */
import { eventClasses } from '@siphera/contract/base';
import { noteArrival } from './absence.ts';
import { act } from './act.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { emptyDraft, failedWords, leftOff, missed, type Draft } from './draft.ts';
import { keyOf, occurrenceOf, type Occurrence } from './occurrence.ts';
import { visitMatches, type RuleSet } from './rule-index.ts';
import type { EngineContext, EngineEvent, Outcome, StateReader, TraceStep } from './types.ts';
import { durationWords } from './words.ts';

/** Judges one event. Writes nothing: the caller applies the outcome in the event's own transaction. */
export function evaluateEvent(
  set: RuleSet,
  event: EngineEvent,
  context: EngineContext,
  state: StateReader,
): Outcome {
  const draft = emptyDraft();
  const occurrence = occurrenceOf(event);
  const barrier = barrierOf(event);
  visitMatches(set, event, (one) => {
    if (one.rule.trigger.kind === 'absence') {
      noteArrival(one, event, occurrence, state, draft);
    } else {
      judge(one, occurrence, barrier, state, context, draft);
    }
  });
  return draft;
}

function judge(
  one: CompiledRule,
  occurrence: Occurrence,
  barrier: TraceStep | undefined,
  state: StateReader,
  context: EngineContext,
  draft: Draft,
): void {
  if (barrier) {
    if (leftOff(draft)) return;
    const key = keyOf(one.keyKind, occurrence);
    missed(draft, one, occurrence, key, () => ({ reason: barrier.detail, steps: [barrier] }));
    return;
  }
  const { conditions } = one;
  if (conditions.data(occurrence.data) && (!conditions.hasWorld || conditions.world(occurrence, context))) {
    act(one, occurrence, state, context, draft);
    return;
  }
  if (leftOff(draft)) return;
  const key = keyOf(one.keyKind, occurrence);
  missed(draft, one, occurrence, key, () => failedWords(conditions.explain(occurrence, context)));
}

/** Why this event fires no rule at all, if so. */
function barrierOf(event: EngineEvent): TraceStep | undefined {
  const what = 'It is news';
  if (event.delivery === 'retained') {
    const detail = 'The message was kept by the broker: it tells a state, not something that happens now';
    return { what, passed: false, detail };
  }
  if (event.delivery === 'replayed') {
    return { what, passed: false, detail: 'The event was seen before; a replay fires nothing' };
  }
  const maxMs = eventClasses[event.class].late_ms_max;
  if (event.delivery !== 'late' || maxMs === null || event.late_ms <= maxMs) return undefined;
  const detail = `It came ${durationWords(event.late_ms)} late; “${event.title}” fires up to ${durationWords(maxMs)}, later it is only recorded`;
  return { what: 'It came in time', passed: false, detail };
}
