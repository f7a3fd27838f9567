/**
 * The conditions of a rule as one conjunction. The fast path answers only yes or no; which condition it was, and whether
 * it was false or not known, is worked out again for a trace.
 */
import { compileData, compileWords } from './data-condition.ts';
import type { DataTest, EventData, Verdict } from './data-path.ts';
import type { Occurrence } from './occurrence.ts';
import { compileWindows } from './schedule.ts';
import type { ArmedState, EngineContext, RuleCondition, TraceStep } from './types.ts';
import { minuteOfWeek, weekMinuteText } from './wall-clock.ts';
import { shorten } from './words.ts';

export type CompiledConditions = {
  /** True when every data condition is true. */
  data(data: EventData): boolean;
  /** True when every schedule and armed condition is true too. */
  world(occurrence: Occurrence, context: EngineContext): boolean;
  explain(occurrence: Occurrence, context: EngineContext): TraceStep[];
  /** Whether something outside the event takes part, so that the answer may change while the event stays the same. */
  hasWorld: boolean;
};

export function compileConditions(conditions: readonly RuleCondition[], siteId: string): CompiledConditions {
  const dataTests = conditions
    .filter((one) => one.kind === 'data')
    .toSorted((a, b) => costRank(a) - costRank(b))
    .map((one) => compileData(one));
  const worldTests = conditions.filter((one) => one.kind !== 'data').map((one) => compileWorld(one, siteId));
  const explainers = conditions.map((one) => compileExplainer(one, siteId));
  return {
    data: conjunction(dataTests),
    world: (occurrence, context) => worldTests.every((test) => test(occurrence, context).passed === true),
    explain: (occurrence, context) => explainers.map((explain) => explain(occurrence, context)),
    hasWorld: worldTests.length > 0,
  };
}

/** True when every test says true; unknown counts as no. Unrolled, because this runs for each rule of each event. */
function conjunction(tests: readonly DataTest[]): (data: EventData) => boolean {
  const [a, b, c, d, e, ...rest] = tests;
  if (!a) return () => true;
  if (!b) return (data) => a(data) === true;
  if (!c) return (data) => a(data) === true && b(data) === true;
  if (!d) return (data) => a(data) === true && b(data) === true && c(data) === true;
  if (!e) return (data) => a(data) === true && b(data) === true && c(data) === true && d(data) === true;
  const first = (data: EventData): boolean =>
    a(data) === true && b(data) === true && c(data) === true && d(data) === true && e(data) === true;
  if (rest.length === 0) return first;
  const others = conjunction(rest);
  return (data) => first(data) && others(data);
}

/** Equality with a text or number says no most often and costs least, so it is asked first; the order changes no verdict. */
function costRank({ op, value }: Extract<RuleCondition, { kind: 'data' }>): number {
  if (op === 'eq') return typeof value === 'string' || typeof value === 'number' ? 0 : 1;
  return op === 'contains' ? 3 : 2;
}

type WorldAnswer = { passed: Verdict; detail: string };
type WorldTest = (occurrence: Occurrence, context: EngineContext) => WorldAnswer;
type Explainer = (occurrence: Occurrence, context: EngineContext) => TraceStep;

function compileWorld(condition: Exclude<RuleCondition, { kind: 'data' }>, siteId: string): WorldTest {
  return condition.kind === 'schedule' ? compileSchedule(condition, siteId) : compileArmed(condition.states);
}

function compileExplainer(condition: RuleCondition, siteId: string): Explainer {
  if (condition.kind === 'data') {
    const test = compileData(condition);
    const { what, detail } = compileWords(condition);
    return ({ data }) => ({ what, passed: test(data), detail: detail(data) });
  }
  const test = compileWorld(condition, siteId);
  const what =
    condition.kind === 'schedule'
      ? `It is ${condition.when} the rule's hours`
      : `The area is ${condition.states.map((state) => armedWords[state]).join(' or ')}`;
  return (occurrence, context) => ({ what, ...test(occurrence, context) });
}

function compileSchedule(condition: Extract<RuleCondition, { kind: 'schedule' }>, siteId: string): WorldTest {
  const isInside = compileWindows(condition.windows);
  const wanted = condition.when === 'inside';
  return (occurrence, context) => {
    const zone = context.timeZone(siteId);
    const minute = zone === undefined ? undefined : minuteOfWeek(zone, occurrence.occurred_ms);
    if (minute === undefined) return { passed: null, detail: 'The time at the site is not known' };
    const inside = isInside(minute);
    const place = inside ? 'inside' : 'outside';
    return { passed: inside === wanted, detail: `It was ${weekMinuteText(minute)}, ${place} the hours` };
  };
}

const armedWords: Record<ArmedState, string> = {
  armed: 'armed',
  disarmed: 'disarmed',
  partial: 'partly armed',
  unknown: 'in an unknown state',
};

function compileArmed(states: readonly ArmedState[]): WorldTest {
  return (occurrence, context) => {
    const area = occurrence.area;
    if (!area) {
      return { passed: states.includes('unknown') ? true : null, detail: 'The event belongs to no area' };
    }
    const found = armedAt(area.path, occurrence.occurred_ms, context);
    if (found === 'unknown') {
      const detail = `Whether ${shorten(area.name)} was armed is not known`;
      return { passed: states.includes('unknown') ? true : null, detail };
    }
    return { passed: states.includes(found), detail: `${shorten(area.name)} is ${armedWords[found]}` };
  };
}

/** The nearest area on the way up that knows. A state that changed after the event says nothing about then. */
function armedAt(path: readonly string[], occurredMs: number, context: EngineContext): ArmedState {
  for (const id of path) {
    const armed = context.armed(id);
    if (!armed || armed.state === 'unknown') continue;
    return armed.changed_ms !== undefined && armed.changed_ms > occurredMs ? 'unknown' : armed.state;
  }
  return 'unknown';
}
