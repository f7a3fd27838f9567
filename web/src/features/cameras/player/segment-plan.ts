/** Which footage to fetch, and where the clock goes when there is none. Pure; all times are milliseconds of the wall. */
export type Span = { from: number; to: number };
export type PlannedSegment = Span & { id: number; mime: string; playable: boolean };

/** Pieces closer than this are one run: the recorder cuts between two frames. */
const joinMs = 1_500;

export const segmentAt = <T extends Span>(segments: readonly T[], at: number): T | undefined =>
  segments.find((one) => at >= one.from && at < one.to);

/** Runs of footage without a hole that a person would see. */
export function joinSpans(spans: readonly Span[], within = joinMs): Span[] {
  const joined: Span[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && from - last.to <= within) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** Where there is footage of at least one camera at or after a moment; undefined when there is none. */
export function nextFootage(all: readonly (readonly Span[])[], at: number): number | undefined {
  const starts = all.flatMap((spans) => {
    const run = joinSpans(spans).find((one) => one.to > at);
    return run ? [Math.max(run.from, at)] : [];
  });
  return starts.length === 0 ? undefined : Math.min(...starts);
}

/** What to have buffered around the clock: what plays now and as much beyond as the speed eats in `aheadMs`. */
export function wantedSegments<T extends PlannedSegment>(
  segments: readonly T[],
  at: number,
  rate: number,
  aheadMs: number,
): T[] {
  const until = at + aheadMs * Math.max(1, rate);
  return segments.filter((one) => one.to > at && one.from < until);
}
