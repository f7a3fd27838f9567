/**
 * What a device wrote into a conversation is counted by it (`n`, from 1 without a gap). Here is the other side: what is there,
 * what is missing, what came twice. State is plain JSON, so that it is kept with the message in one write.
 */
import { z } from 'zod';

/** Ranges that are remembered as missing; a device that skips about more often is wrong, and the oldest are given up. */
const gapsMax = 50;
/** A jump larger than this is no lost message: somebody counts wrong, or wants memory filled. It is taken as a new start. */
const jumpMax = 100_000;

/** Highest number seen, and ranges below it that have not come: [first, last], ascending. */
export const SequenceState = z.object({
  top: z.int().nonnegative(),
  missing: z.array(z.tuple([z.int(), z.int()])).max(gapsMax),
  /** Numbers whose range was given up: reported as lost once, they stay counted. */
  lost: z.int().nonnegative(),
});
export type SequenceState = z.infer<typeof SequenceState>;

export type SequenceVerdict =
  /** The next one. */
  | 'next'
  /** Came, but others before it have not. */
  | 'gap'
  /** One that was missing. */
  | 'late'
  /** Was there before, under this or another id. */
  | 'duplicate'
  /** Not counted (0), or not a number that can be. */
  | 'uncounted';

/**
 * Nothing seen yet. @param joinedAt number of the first message that this device could see, when it came later: what was before is
 * not missing.
 */
export const emptySequence = (joinedAt = 1): SequenceState => ({
  top: Math.max(0, joinedAt - 1),
  missing: [],
  lost: 0,
});

/** How many are missing now. */
export const missingCount = (state: SequenceState): number =>
  state.lost + state.missing.reduce((sum, [first, last]) => sum + last - first + 1, 0);

/** The state after `n` came. The one given is not changed. */
export function arrive(state: SequenceState, n: number): { state: SequenceState; verdict: SequenceVerdict } {
  if (!Number.isSafeInteger(n) || n <= 0) return { state, verdict: 'uncounted' };
  if (n === state.top + 1) return { state: { ...state, top: n }, verdict: 'next' };
  if (n > state.top) return { state: jumped(state, n), verdict: 'gap' };
  const at = state.missing.findIndex(([first, last]) => first <= n && n <= last);
  if (at < 0) return { state, verdict: 'duplicate' };
  return { state: filled(state, at, n), verdict: 'late' };
}

/** The state once it is known that nothing more comes of these numbers, both ends with them. The state given is not changed. */
export function closeGap(state: SequenceState, from: number, upto: number): SequenceState {
  const missing = state.missing.flatMap(([first, last]): [number, number][] => {
    if (last < from || first > upto) return [[first, last]];
    const rest: [number, number][] = [];
    if (first < from) rest.push([first, from - 1]);
    if (last > upto) rest.push([upto + 1, last]);
    return rest;
  });
  const reaches = upto > state.top && from <= state.top + 1;
  return bounded({ ...state, top: reaches ? upto : state.top, missing });
}

function jumped(state: SequenceState, n: number): SequenceState {
  const skipped = n - state.top - 1;
  if (skipped > jumpMax) return { ...state, top: n, lost: state.lost + skipped };
  return bounded({ ...state, top: n, missing: [...state.missing, [state.top + 1, n - 1]] });
}

function filled(state: SequenceState, at: number, n: number): SequenceState {
  const [first, last] = state.missing[at] as [number, number];
  const rest: [number, number][] = [];
  if (first < n) rest.push([first, n - 1]);
  if (n < last) rest.push([n + 1, last]);
  return bounded({ ...state, missing: state.missing.toSpliced(at, 1, ...rest) });
}

function bounded(state: SequenceState): SequenceState {
  const extra = state.missing.length - gapsMax;
  if (extra <= 0) return state;
  const given = state.missing.slice(0, extra).reduce((sum, [first, last]) => sum + last - first + 1, 0);
  return { ...state, missing: state.missing.slice(extra), lost: state.lost + given };
}
