/**
 * The digits that open a door out of a call. What must stay true: after five wrong ones nothing opens in that call any more, after ten
 * within an hour nothing by that phone at that station, and one press that is heard twice (RFC 4733 and SIP INFO) counts once.
 */

export type DigitWay = 'rtp' | 'info';
export type DigitState = {
  /** So many of the code are pressed. */
  matched: number;
  wrong: number;
  last: { digit: string; via: DigitWay; atMs: number } | undefined;
};
/** `shut`: the last wrong one that a call has; `ignored`: those after it, and doubles. */
export type DigitVerdict = 'open' | 'more' | 'wrong' | 'shut' | 'ignored';

export const wrongMax = 5;
/** A pause this long begins the code anew. */
const pauseMsMax = 5_000;
/** Some phones send each key both ways; the two come within this. */
const doubleMsMax = 1_000;

export const noDigits: DigitState = { matched: 0, wrong: 0, last: undefined };

export function pressDigit(
  before: DigitState,
  press: { digit: string; via: DigitWay; atMs: number },
  code: string,
): { state: DigitState; verdict: DigitVerdict } {
  const { last, wrong } = before;
  const isDouble =
    last?.digit === press.digit && last.via !== press.via && press.atMs - last.atMs <= doubleMsMax;
  // The first way stays the one that is compared with: of a second press the second way is a double too.
  if (isDouble || wrong >= wrongMax) return { state: before, verdict: 'ignored' };
  const isFresh = last === undefined || press.atMs - last.atMs > pauseMsMax;
  const expected = isFresh ? 0 : before.matched;
  const kept = { wrong, last: press };
  if (press.digit === code[expected]) {
    const isWhole = expected + 1 === code.length;
    return {
      state: { ...kept, matched: isWhole ? 0 : expected + 1 },
      verdict: isWhole ? 'open' : 'more',
    };
  }
  const matched = press.digit === code[0] ? 1 : 0;
  const state = { ...kept, matched, wrong: wrong + 1 };
  return { state, verdict: state.wrong >= wrongMax ? 'shut' : 'wrong' };
}

/** Wrong keys of one phone at one station, over all its calls: a code of four digits takes weeks to guess so. */
export const wrongOverallMax = 10;
const wrongOverallMs = 3_600_000;

/** @returns those that still count. @param wrongs when they were pressed, in order */
export const recentWrongs = (wrongs: readonly number[], nowMs: number): number[] =>
  wrongs.filter((atMs) => nowMs - atMs < wrongOverallMs).slice(-wrongOverallMax);

/** Events of RFC 4733 §3.2: 0–9, star, pound, A–D. */
export const digitOfEvent = (event: number): string | undefined => '0123456789*#ABCD'[event];
