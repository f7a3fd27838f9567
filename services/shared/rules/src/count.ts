/**
 * n times within t over occurrence times. Times stay in order of arrival, because an agent that comes back delivers its
 * old events among live ones of other devices, and both must count.
 */

/** Arrivals of other streams that may come between the events of one late burst before its first is forgotten. */
export const interleavedMax = 16;

/** Adds a time and forgets what can no longer matter: too far back for any late event, or beyond the bound. */
export function addTime(
  times: readonly number[],
  time: number,
  limits: { times: number; within_ms: number; look_back_ms: number; received_ms: number },
): number[] {
  const oldest = limits.received_ms - limits.look_back_ms - limits.within_ms;
  const kept = times.filter((known) => known >= oldest);
  kept.push(time);
  const bound = limits.times + interleavedMax;
  return kept.length > bound ? kept.slice(kept.length - bound) : kept;
}

/** The most of the times that lie within one span of `withinMs` that holds `time` (ends included). */
export function mostWithin(times: readonly number[], time: number, withinMs: number): number {
  const near = times.filter((known) => Math.abs(known - time) <= withinMs).toSorted((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (let last = 0; last < near.length; last += 1) {
    while ((near[last] ?? 0) - (near[first] ?? 0) > withinMs) first += 1;
    // Spans that end before the new time were judged when their own events came.
    if ((near[last] ?? 0) >= time && (near[first] ?? 0) <= time) most = Math.max(most, last - first + 1);
  }
  return most;
}
