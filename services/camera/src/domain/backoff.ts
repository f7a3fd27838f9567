/** How long to wait before a stream is connected again. Fast at first: most losses are a cable or a reboot, and every second is footage. */
import type { StreamProblem } from './relay-problem.ts';

/** A camera that answers again is back within this and the time of one try: below ten seconds. */
const unreachableMs = [500, 1_000, 2_000, 3_000, 4_000] as const;
/** Cameras lock accounts after a few wrong passwords, so these tries are rare. */
const unauthorisedMs = [5_000, 15_000, 30_000, 60_000] as const;
const streamMs = [1_000, 2_000, 5_000, 10_000, 20_000, 30_000] as const;
/** So that 64 cameras behind one switch do not come back at once. */
const jitterShare = 0.25;

const tables: Readonly<Record<StreamProblem['kind'], readonly number[]>> = {
  unreachable: unreachableMs,
  unauthorised: unauthorisedMs,
  stream: streamMs,
  other: streamMs,
};

/** `failures`: tries that failed one after the other, from 1. `fraction`: chance in [0, 1). */
export function backoffMs(kind: StreamProblem['kind'], failures: number, fraction: number): number {
  const table = tables[kind];
  const base = table[Math.min(Math.max(failures, 1), table.length) - 1] ?? 1_000;
  return Math.round(base * (1 - jitterShare + 2 * jitterShare * fraction));
}
