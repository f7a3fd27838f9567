/** Time comes in through a Clock, so that every timing rule of the agent is tested with a fake one. */
export type Clock = {
  /** UTC milliseconds, as the controller believes them. */
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
