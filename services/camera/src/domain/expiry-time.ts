/**
 * The time by which things are deleted for their age. What must stay true: a clock that is set ahead by mistake deletes
 * nothing, while it may still be set right. Time that passes is known from the monotonic clock; a wall clock that says
 * something else is believed only after it has said so for a day. Pure.
 */

const dayMs = 86_400_000;
/** Further off than this the clock jumped. Deleting a day early is no loss to speak of; a nightly restart is no jump. */
const jumpMsMin = dayMs;
/** So long somebody has to see the warning and to set the clock right, counted while the service runs. */
const waitMs = dayMs;

export type ExpiryState = {
  /** UTC milliseconds believed at the last look. */
  trustedMs: number;
  /** How far the clock was ahead of that when it jumped, less than 0 when behind; null while it is believed. */
  strayMs: number | null;
  waitedMs: number;
  /** While the clock is ahead age is told by this moment, the last one before the jump; null: by the clock. */
  heldMs: number | null;
};

export const believed = (nowMs: number): ExpiryState => ({
  trustedMs: nowMs,
  strayMs: null,
  waitedMs: 0,
  heldMs: null,
});

/** One look at the clock, `elapsedMs` of monotonic time after the last; a restart counts as no time. */
export function lookAtClock(last: ExpiryState, nowMs: number, elapsedMs: number): ExpiryState {
  const trustedMs = last.trustedMs + elapsedMs;
  const offMs = nowMs - trustedMs;
  if (Math.abs(offMs) <= jumpMsMin) return believed(nowMs);
  const isSame = last.strayMs !== null && Math.abs(offMs - last.strayMs) <= jumpMsMin;
  const waitedMs = isSame ? last.waitedMs + elapsedMs : 0;
  if (waitedMs >= waitMs) return believed(nowMs);
  return {
    trustedMs,
    strayMs: isSame ? last.strayMs : offMs,
    waitedMs,
    // A clock that is behind makes everything young: it deletes nothing.
    heldMs: offMs > 0 ? (last.heldMs ?? last.trustedMs) : null,
  };
}

/** What is past its days by this time may go. */
export const expiryTimeOf = ({ heldMs }: ExpiryState, nowMs: number): number =>
  Math.min(nowMs, heldMs ?? nowMs);

export const waitLeftMs = ({ waitedMs }: ExpiryState): number => Math.max(0, waitMs - waitedMs);
