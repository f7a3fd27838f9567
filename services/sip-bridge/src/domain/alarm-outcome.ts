/** How a call of the box went, from what SIP said of it. */
export type CallOutcome = {
  outcome: 'answered' | 'no_answer' | 'busy' | 'declined' | 'failed';
  /** Of SIP; undefined: no answer came. */
  code: number | undefined;
  reason: string;
  /** From dialling to the answer. */
  answeredMs: number | undefined;
  /** All keys that were pressed. */
  digits: string;
};
type CallEnd = {
  answered: boolean;
  code: number | undefined;
  reason: string;
  /** We took it back. */
  leftWhileRinging: boolean;
  answeredMs: number | undefined;
  digits: string;
};

export function outcomeOfCall({ leftWhileRinging, code, reason, answeredMs, digits }: CallEnd): CallOutcome {
  const rest = { code, reason, answeredMs, digits };
  if (answeredMs !== undefined) return { outcome: 'answered', ...rest };
  if (code !== undefined && code < 300)
    return { ...rest, outcome: 'failed', reason: 'It takes no sound of ours' };
  if (code === undefined) return { outcome: 'failed', ...rest };
  if (leftWhileRinging) return { outcome: 'no_answer', ...rest };
  if (code === 486 || code === 600) return { outcome: 'busy', ...rest };
  if (code === 603 || code === 607) return { outcome: 'declined', ...rest };
  // Request timeout, temporarily unavailable, taken back.
  if (code === 408 || code === 480 || code === 487) return { outcome: 'no_answer', ...rest };
  return { outcome: 'failed', ...rest };
}
