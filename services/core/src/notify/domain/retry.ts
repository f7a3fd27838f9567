/** When to try again. Pure. */

const firstMs = 5_000;
const longestMs = 15 * 60_000;
/** What is not critical is of no use to anybody after a day. */
const giveUpMs = 24 * 3_600_000;

/** @param fraction in [0, 1): spreads retries, so that a target that comes back is not met by all at once. */
export function nextAttempt(input: {
  attempts: number;
  createdMs: number;
  nowMs: number;
  critical: boolean;
  fraction: number;
}): { at: number } | 'give_up' {
  if (!input.critical && input.nowMs - input.createdMs > giveUpMs) return 'give_up';
  const wait = Math.min(firstMs * 2 ** Math.min(input.attempts, 12), longestMs);
  return { at: input.nowMs + Math.round(wait * (0.75 + 0.5 * input.fraction)) };
}
