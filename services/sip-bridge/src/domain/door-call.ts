/**
 * Door stations: what is a visit, who was missed, whose digit may open. What must stay true: the side of the door never opens it,
 * nor does anybody outside the house; one visit is missed once.
 */
import type { PlanBook } from '../plan.part.ts';
import type { CallFacts } from './call-fold.ts';

/** Who rings again within this is the same visitor. */
const visitMs = 60_000;

/** The last visit at a door. */
export type Visit = { lastMs: number; missed: boolean };
export type VisitStep = 'rings' | 'answered' | 'unanswered';

/** @returns the visit after that step, and whether somebody was missed whom nobody was told of. */
export function visitAfter(
  before: Visit | undefined,
  step: VisitStep,
  atMs: number,
): { visit: Visit; isMissed: boolean } {
  const isSame = before !== undefined && Math.abs(atMs - before.lastMs) <= visitMs;
  const wasMissed = isSame && before.missed;
  const lastMs = isSame ? Math.max(before.lastMs, atMs) : atMs;
  if (step !== 'unanswered') return { visit: { lastMs, missed: wasMissed }, isMissed: false };
  return { visit: { lastMs, missed: true }, isMissed: !wasMissed };
}

type Progress = Pick<CallFacts, 'rang' | 'answeredMs' | 'endedMs' | 'outcome'>;

/**
 * What a report changed for the visitor, in order. A call that Kamailio refused is no visit, unless it was for the number that
 * the button rings: then somebody stands there in vain.
 */
export function visitSteps(before: Progress | undefined, after: Progress, isForButton: boolean): VisitStep[] {
  const isOver = after.endedMs !== undefined && before?.endedMs === undefined;
  const isUnanswered = isOver && after.outcome !== 'answered';
  const counts = after.outcome !== 'refused' || after.rang || isForButton;
  const rings = (known: Progress | undefined): boolean =>
    known !== undefined && (known.rang || known.endedMs !== undefined);
  const steps: VisitStep[] = [];
  if (counts && rings(after) && !rings(before)) steps.push('rings');
  if (after.answeredMs !== undefined && before?.answeredMs === undefined) steps.push('answered');
  if (isUnanswered && counts) steps.push('unanswered');
  return steps;
}

export type Side = 'caller' | 'callee';

/** A digit as it was heard: the tag and address of who sent it. `rtp`: from a media relay, which knows the tag by itself. */
export type HeardDigit = { via: 'rtp' | 'info'; tag: string | undefined; address: string | undefined };
type Sides = Pick<CallFacts, 'fromTag' | 'toTag' | 'source' | 'toSource' | 'fromSecure' | 'toSecure'>;

/**
 * Which side pressed it; undefined when that is not sure. It must come from the address of that side: with SIP INFO the tag is the
 * word of who sends, and plain sound can be sent to the port of a relay by anybody. Encrypted sound cannot.
 */
export function sideOf(call: Sides, { via, tag, address }: HeardDigit): Side | undefined {
  const { fromTag, toTag, source, toSource } = call;
  if (tag === undefined || fromTag === undefined || toTag === undefined || fromTag === toTag)
    return undefined;
  if (tag !== fromTag && tag !== toTag) return undefined;
  const side = tag === fromTag ? 'caller' : 'callee';
  if (via === 'rtp' && (side === 'caller' ? call.fromSecure : call.toSecure)) return side;
  const expected = side === 'caller' ? source : toSource;
  if (address === undefined || address !== expected) return undefined;
  // Both behind one address: a forged tag cannot be told from a good one. Programs of this machine are not of outside.
  const isTold = via === 'rtp' || source !== toSource || isThisMachine(address);
  return isTold ? side : undefined;
}

const isThisMachine = (address: string): boolean => address === '127.0.0.1' || address === '::1';

/** Kamailio goes on with the fallback of a number that nobody answers so often (`ring.cfg`). */
const fallbacksMax = 3;

/** Numbers that ring when the button of a station is pressed: what it rings, members of a group, and what the call falls back to. */
export function rungBy(
  rings: string | null,
  book: Pick<PlanBook, 'extension' | 'membersOf'>,
): ReadonlySet<string> {
  const rung = new Set<string>();
  let next = rings;
  for (let step = 0; step <= fallbacksMax && next !== null; step += 1) {
    const extension = book.extension(next);
    if (!extension) break;
    const numbers = extension.kind === 'group' ? book.membersOf(extension) : [extension.number];
    for (const number of numbers) rung.add(number);
    next = extension.fallback;
  }
  return rung;
}
