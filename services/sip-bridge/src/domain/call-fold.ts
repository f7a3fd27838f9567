/**
 * A call out of what Kamailio reported of it. What must stay true: the same reports give the same call, in whatever order they
 * come, however often, and with gaps; `started ≤ answered ≤ ended` always.
 */
import { alarmNumber } from './alarm-number.ts';
import { outcomeOf, type Outcome } from './call-outcome.ts';
import type { CallEvent, EmergencyEvent } from './switch-event.ts';

export type Direction = 'internal' | 'inbound' | 'outbound' | 'emergency' | 'drill' | 'alarm';
/** `noted`: something about the call that is no step of it; `lost`: we looked, and it was not there any more. */
type StepState = CallEvent['state'] | 'noted' | 'lost';
export type CallStep = {
  uid: string;
  atMs: number;
  state: StepState;
  direction?: Direction | undefined;
  from?: string | undefined;
  fromName?: string | undefined;
  dialled?: string | undefined;
  to?: string | undefined;
  by?: string | undefined;
  trunk?: string | undefined;
  code?: number | undefined;
  reason?: string | undefined;
  source?: string | undefined;
  relayed?: boolean | undefined;
  fromTag?: string | undefined;
  toTag?: string | undefined;
  toSource?: string | undefined;
  fromSecure?: boolean | undefined;
  toSecure?: boolean | undefined;
};
export type CallFacts = {
  direction: Direction;
  from: string;
  fromName: string;
  dialled: string;
  to: string;
  by: string | undefined;
  trunk: string | undefined;
  /** Address that the call came from. */
  source: string | undefined;
  relayed: boolean;
  /** SIP tags of who called and of who answered: they tell whose digit a digit is. */
  fromTag: string | undefined;
  toTag: string | undefined;
  /** Address of who answered, and whether nobody but each side can send its sound. */
  toSource: string | undefined;
  fromSecure: boolean;
  toSecure: boolean;
  rang: boolean;
  startedMs: number;
  answeredMs: number | undefined;
  endedMs: number | undefined;
  state: 'ringing' | 'answered' | 'held' | 'ended';
  outcome: Outcome | undefined;
  reason: string | undefined;
};

/** A call is held and resumed; more reports than this of one call are a fault or an attack, and those in the middle can go. */
export const stepsMax = 64;

/** Reports of one moment in the order in which they happen. */
const rank: Readonly<Record<StepState, number>> = {
  dialled: 0,
  noted: 1,
  ringing: 2,
  answered: 3,
  held: 4,
  resumed: 4,
  lost: 5,
  refused: 6,
  failed: 6,
  ended: 6,
};
const compare = (a: CallStep, b: CallStep): number =>
  a.atMs - b.atMs || rank[a.state] - rank[b.state] || (a.uid < b.uid ? -1 : Number(a.uid > b.uid));

/** @returns the same list when the report is known, or when there are too many and none may go. */
export function addStep(steps: readonly CallStep[], step: CallStep): readonly CallStep[] {
  if (steps.some(({ uid }) => uid === step.uid)) return steps;
  const next = [...steps, step].sort(compare);
  if (next.length <= stepsMax) return next;
  const droppable = next.findIndex(({ state }) => rank[state] === 4 || state === 'noted' || state === 'lost');
  return droppable < 0 ? steps : next.filter((_, index) => index !== droppable);
}

/** @param steps as `addStep` made them, at least one. */
export function readCall(steps: readonly CallStep[]): CallFacts {
  const startedMs = Math.min(...steps.map(({ atMs }) => atMs));
  // Who hangs up or holds is in the `from` of that report: who called is said by those before.
  const setUp = steps.filter(({ state }) => rank[state] <= 3 || state === 'failed' || state === 'refused');
  const pick = <K extends keyof CallStep>(key: K): CallStep[K] | undefined =>
    [...setUp, ...steps].find((step) => step[key] !== undefined)?.[key];
  const last = <K extends keyof CallStep>(key: K): CallStep[K] | undefined =>
    steps.findLast((step) => step[key] !== undefined)?.[key];
  // Held or resumed: it must have been answered, though that report is missing.
  const answer = steps.find(({ state }) => state === 'answered');
  const talk = answer ?? steps.find(({ state }) => rank[state] === 4);
  const end = endOf(steps);
  const answeredMs = talk?.atMs;
  const endedMs = end && Math.max(end.atMs, answeredMs ?? startedMs);
  const direction = directionOf(steps);
  const rang = talk !== undefined || steps.some(({ state }) => state === 'ringing');
  const to = pick('to') ?? pick('dialled') ?? '';
  const ended = end && outcomeOf({ ...end, direction, rang, isAnswered: talk !== undefined });
  return {
    direction,
    from: pick('from') ?? '',
    fromName: pick('fromName') ?? '',
    dialled: pick('dialled') ?? to,
    to,
    by: answer?.by ?? (talk && pick('by')),
    trunk: answer?.trunk ?? last('trunk'),
    source: setUp.find((step) => step.source !== undefined)?.source,
    relayed: last('relayed') ?? true,
    fromTag: answer?.fromTag ?? pick('fromTag'),
    toTag: answer?.toTag,
    toSource: answer?.toSource,
    fromSecure: answer?.fromSecure ?? false,
    toSecure: answer?.toSecure ?? false,
    rang,
    startedMs,
    answeredMs,
    endedMs,
    state: end ? 'ended' : stateOf(steps, talk),
    outcome: ended?.outcome,
    reason: ended?.reason,
  };
}

/** A later sign of life undoes `lost`: after a restart Kamailio does not know calls that go on. */
function endOf(steps: readonly CallStep[]): CallStep | undefined {
  const real = steps.find(({ state }) => rank[state] === 6);
  if (real) return real;
  const newest = steps.at(-1);
  return newest?.state === 'lost' ? newest : undefined;
}

function stateOf(steps: readonly CallStep[], talk: CallStep | undefined): CallFacts['state'] {
  if (!talk) return 'ringing';
  return steps.findLast(({ state }) => rank[state] === 4)?.state === 'held' ? 'held' : 'answered';
}

function directionOf(steps: readonly CallStep[]): Direction {
  const told = steps.flatMap(({ direction }) => direction ?? []);
  return told.find((one) => one === 'emergency' || one === 'drill') ?? told[0] ?? 'internal';
}

export function stepOfCall(event: CallEvent): CallStep {
  return {
    uid: event.uid,
    atMs: event.at_ms,
    state: event.state,
    // Kamailio knows the box as one more caller of the house.
    direction: event.from === alarmNumber ? 'alarm' : event.direction,
    from: event.from,
    fromName: event.from_name,
    dialled: event.dialled,
    to: event.to,
    by: event.by,
    trunk: event.trunk,
    code: event.code,
    reason: event.reason,
    source: event.source,
    relayed: event.relayed,
    fromTag: event.from_tag,
    toTag: event.to_tag,
    toSource: event.to_source,
    fromSecure: event.from_secure,
    toSecure: event.to_secure,
  };
}

/** 933 is a call to help's number too; a drill is shown as what it is. */
export function stepOfEmergency(event: EmergencyEvent): CallStep {
  const isNote = event.state === 'sent' || event.state === 'trunk_failed';
  return {
    uid: event.uid,
    atMs: event.at_ms,
    state: isNote ? 'noted' : (event.state as Exclude<EmergencyEvent['state'], 'sent' | 'trunk_failed'>),
    direction: event.mode === 'drill' ? 'drill' : 'emergency',
    from: event.from ?? event.source,
    dialled: event.dialled,
    to: event.number,
    trunk: event.trunk,
    code: event.state === 'trunk_failed' ? undefined : event.code,
    reason: event.state === 'trunk_failed' ? undefined : event.reason,
    source: event.source,
  };
}
