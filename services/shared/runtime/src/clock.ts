/** Time comes into code through a Clock, so that every timing rule is tested with a fake one. */
export type Clock = {
  /** UTC milliseconds. */
  now(): number;
  /** Milliseconds that never go back, for durations. */
  monotonic(): number;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** RFC 3339 with milliseconds, in UTC. */
export const toRfc3339 = (ms: number): string => new Date(ms).toISOString();

/** UTC milliseconds of an RFC 3339 text; undefined when it is not one. */
export function fromRfc3339(text: string): number | undefined {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
