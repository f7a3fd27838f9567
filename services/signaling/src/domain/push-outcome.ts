/** What a push service's answer means for the push, and when to try again. Pure. */

export type PushOutcome =
  | { kind: 'taken' }
  /** The subscription is no more: it was ended in the browser, or has expired. */
  | { kind: 'gone'; why: string }
  /** Later it may go. `network`: nobody answered at all. */
  | { kind: 'later'; why: string; network: boolean; afterMs: number | undefined }
  /** Sending the same again would be refused again. */
  | { kind: 'refused'; why: string };

/** A service that asks for more is asked after that all the same: an alarm is of no use hours later. */
const retryAfterMsMax = 10 * 60_000;
const firstMs = 2_000;
const longestMs = 2 * 60_000;
/** Above this the wait does not grow any more. */
const doublingsMax = 10;

/** @param retryAfter the header: seconds, or a date (RFC 9110 §10.2.3). */
export function readAnswer(status: number, retryAfter: string | undefined, nowMs: number): PushOutcome {
  const why = `The push service answered ${status}`;
  if (status >= 200 && status < 300) return { kind: 'taken' };
  if (status === 404 || status === 410)
    return { kind: 'gone', why: 'The browser has ended this subscription, or it has expired' };
  if (status >= 300 && status < 400)
    return { kind: 'refused', why: `${why}: another address, which is not followed` };
  if (status === 408 || status === 429 || status >= 500)
    return { kind: 'later', why, network: false, afterMs: readRetryAfter(retryAfter, nowMs) };
  return { kind: 'refused', why };
}

function readRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), retryAfterMsMax);
}

/**
 * @param input `attempts` that failed so far, from 1; `fraction` in [0, 1) spreads retries.
 * @returns UTC milliseconds, or undefined when its life is over by then.
 */
export function nextTry(input: {
  attempts: number;
  afterMs: number | undefined;
  nowMs: number;
  endsMs: number;
  fraction: number;
}): number | undefined {
  const backoff = Math.min(firstMs * 2 ** Math.min(input.attempts - 1, doublingsMax), longestMs);
  const wait = Math.max(Math.round(backoff * (0.75 + 0.5 * input.fraction)), input.afterMs ?? 0);
  const at = input.nowMs + wait;
  return at < input.endsMs ? at : undefined;
}
