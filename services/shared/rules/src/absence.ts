/**
 * Absence: nothing was heard from a device for a time. It asks what the box *heard*, so only the box's clock counts: a
 * device with a wrong clock is not lost. It needs one arrival first, acts once, and starts over when something is heard.
 */
import { act } from './act.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { emptyDraft, failedWords, missed, type Draft } from './draft.ts';
import { keyOf, type Occurrence } from './occurrence.ts';
import type { RuleSet } from './rule-index.ts';
import type {
  ConditionState,
  EngineContext,
  EngineEvent,
  EngineRule,
  Outcome,
  StateReader,
  Timer,
} from './types.ts';
import { durationWords } from './words.ts';

/** Prefix of the keys of absence rows, so that counts and cooldowns of the same device have rows of their own. */
export const absencePrefix = 'absence:';

/** While only the hours or the armed state keep a silent device quiet, it is looked at again this often. */
export const recheckMs = 60_000;

/** `held` of a silence that waits for the end of the cooldown. */
export const heldByCooldown = 'cooldown';

export const timerId = (ruleId: string, key: string): string => `${ruleId}|${key}`;

export const isAbsenceRule = (rule: EngineRule): rule is AbsenceRule => rule.trigger.kind === 'absence';

/** Notes that something was heard. The timer is set once and reads the newest arrival when it comes due. */
export function noteArrival(
  one: CompiledRule,
  event: EngineEvent,
  occurrence: Occurrence,
  state: StateReader,
  draft: Draft,
): void {
  // What the broker kept or an admin replays does not show that the device is alive now.
  if (event.delivery === 'retained' || event.delivery === 'replayed' || !isAbsenceRule(one.rule)) return;
  const key = absencePrefix + keyOf('device', occurrence);
  const old = state.get(one.rule.id, key);
  const listening = old?.meaning === one.meaning && old.phase === 'pending' && old.held === undefined;
  if (listening && old.heard_ms === event.received_ms) return;
  draft.writes.push({ rule_id: one.rule.id, key, state: pendingState(one, event.received_ms) });
  if (!listening) setTimer(draft, one.rule, key, event.received_ms + one.rule.trigger.for_ms);
}

/** Judges a timer that came due. Its row is spent by this: the outcome sets it again where it must go on. */
export function evaluateTimer(
  set: RuleSet,
  timer: Timer,
  context: EngineContext,
  state: StateReader,
): Outcome {
  const draft = emptyDraft();
  const one = set.rules.get(timer.rule_id);
  const old = state.get(timer.rule_id, timer.key);
  if (!one?.rule.enabled || !isAbsenceRule(one.rule) || old?.meaning !== one.meaning) {
    if (old) draft.writes.push({ rule_id: timer.rule_id, key: timer.key, state: null });
    draft.timers.push({ op: 'clear', id: timer.id });
    return draft;
  }
  if (old.phase !== 'pending' || old.heard_ms === undefined) {
    draft.timers.push({ op: 'clear', id: timer.id });
    return draft;
  }
  const deaf = context.deafMs?.(old.heard_ms, context.now_ms) ?? 0;
  const due = old.heard_ms + one.rule.trigger.for_ms + deaf;
  if (due > context.now_ms) setTimer(draft, one.rule, timer.key, due);
  else judgeSilence({ one, rule: one.rule, old, timer, context, state, draft }, due);
  return draft;
}

type AbsenceRule = EngineRule & { trigger: Extract<EngineRule['trigger'], { kind: 'absence' }> };
type Silence = {
  one: CompiledRule;
  rule: AbsenceRule;
  old: ConditionState;
  timer: Timer;
  context: EngineContext;
  state: StateReader;
  draft: Draft;
};

function judgeSilence(silence: Silence, dueMs: number): void {
  const { one, rule, old, timer, context, state, draft } = silence;
  const occurrence = occurrenceOfSilence(silence, dueMs);
  if (!one.wholeScope(occurrence.device, occurrence.area)) {
    draft.writes.push({ rule_id: rule.id, key: timer.key, state: null });
    draft.timers.push({ op: 'clear', id: timer.id });
    const detail = 'The device is gone, or the rule no longer looks at it';
    const steps = [{ what: 'The rule looks at the device', passed: false, detail }];
    missed(draft, one, occurrence, timer.key, () => ({ reason: detail, steps }));
    return;
  }
  const words = failedWords(one.conditions.explain(occurrence, context));
  if (words.failed !== '') {
    if (old.held !== words.failed) missed(draft, one, occurrence, timer.key, () => words);
    // Data never changes while nothing is heard; hours and armed states do.
    const mayChange = one.conditions.data(occurrence.data);
    if (mayChange) holdBack(silence, context.now_ms + recheckMs, { held: words.failed });
    else settle(silence);
    return;
  }
  const result = act(one, occurrence, state, context, draft);
  // A counted silence is used up by its count; asking again after the cooldown would count it twice.
  if (result.outcome !== 'cooling' || rule.count) settle(silence);
  else holdBack(silence, result.until_ms, { held: heldByCooldown, last_fired_ms: result.last_fired_ms });
}

/** This silence is dealt with; only the next arrival starts another. */
function settle({ one, rule, old, timer, draft }: Silence): void {
  const state = { ...pendingState(one, old.heard_ms ?? 0), phase: 'active' as const };
  draft.writes.push({ rule_id: rule.id, key: timer.key, state });
  draft.timers.push({ op: 'clear', id: timer.id });
}

/** The silence waits for another look. */
function holdBack(
  { one, rule, old, timer, draft }: Silence,
  againMs: number,
  why: Partial<ConditionState>,
): void {
  const state = { ...pendingState(one, old.heard_ms ?? 0), ...why };
  draft.writes.push({ rule_id: rule.id, key: timer.key, state });
  setTimer(draft, rule, timer.key, againMs);
}

function occurrenceOfSilence({ rule, old, timer, context }: Silence, dueMs: number): Occurrence {
  const [, kind, ...rest] = timer.key.split(':');
  const name = rest.join(':');
  const device = kind === 'device' ? context.device(name) : undefined;
  return {
    seq: undefined,
    title: `Nothing heard for ${durationWords(rule.trigger.for_ms)}`,
    source: name,
    data: {},
    occurred_ms: old.held === undefined ? dueMs : context.now_ms,
    received_ms: context.now_ms,
    late_ms: 0,
    device,
    area: device?.area,
    test: false,
  };
}

function pendingState(one: CompiledRule, heardMs: number): ConditionState {
  return { phase: 'pending', meaning: one.meaning, heard_ms: heardMs, expires_ms: null };
}

function setTimer(draft: Draft, rule: EngineRule, key: string, dueMs: number): void {
  draft.timers.push({ op: 'set', id: timerId(rule.id, key), rule_id: rule.id, key, due_ms: dueMs });
}
