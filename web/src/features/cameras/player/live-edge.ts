/** How a live picture stays near now: pure decisions over what is buffered. All times in seconds. */
export type EdgeView = {
  position: number;
  ranges: readonly (readonly [number, number])[];
  stalledFor: number;
};
export type EdgeAct = { seekTo?: number; rate: number; dropBefore?: number };

/** A fragment is half a second and comes whole; less behind than this would stutter. */
const restBehind = 0.7;
/** Beyond this it runs a little faster, unseen. */
const hurryBehind = 1.4;
const hurryRate = 1.1;
/** Beyond this it jumps: the tab slept, the network paused. */
const jumpBehind = 5;
/** A picture that stands this long with footage ahead of it hangs in a hole. */
const stalledMax = 1.2;
/** Past that is kept: enough for the decoder, nothing for the memory. */
const keepBehind = 12;
const dropStep = 6;

export function followEdge({ position, ranges, stalledFor }: EdgeView): EdgeAct {
  const last = ranges.at(-1);
  if (!last) return { rate: 1 };
  const behind = last[1] - position;
  const oldest = ranges[0]?.[0] ?? 0;
  const drop = position - oldest > keepBehind + dropStep ? { dropBefore: position - keepBehind } : {};
  const target = Math.max(last[0], last[1] - restBehind);
  const isOutside = !ranges.some(([from, to]) => position >= from - 0.05 && position <= to);
  if (behind > jumpBehind || behind < 0 || isOutside) return { seekTo: target, rate: 1, ...drop };
  if (stalledFor > stalledMax && behind > 0.3)
    return { seekTo: Math.max(target, position + 0.1), rate: 1, ...drop };
  return { rate: behind > hurryBehind ? hurryRate : 1, ...drop };
}
