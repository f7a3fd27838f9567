/**
 * The rules engine as a pure library: compile, evaluate, trace. No I/O, no clock, no chance; the caller persists what an
 * evaluation asks for in the transaction of the event.
 */
export { evaluateTimer, timerId } from './absence.ts';
export { nearMissTracesMax } from './draft.ts';
export { evaluateEvent } from './evaluate-event.ts';
export { MemoryState } from './memory-state.ts';
export { readyRules, type ReadyRule } from './ready-rules.ts';
export { changeRule, type StateRow } from './rule-change.ts';
export { compileRules, withoutRule, withRule, type RuleSet } from './rule-index.ts';
export { compileWindows } from './schedule.ts';
export type * from './types.ts';
export { minuteOfWeek } from './wall-clock.ts';
