/** Milliseconds as a number and the largest unit that says it without a fraction. */
export type DurationUnit = 's' | 'min' | 'h' | 'd';

const unitMs: Readonly<Record<DurationUnit, number>> = {
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export function splitDuration(
  ms: number,
  units: readonly DurationUnit[],
): { amount: number; unit: DurationUnit } {
  const largestFirst = [...units].sort((a, b) => unitMs[b] - unitMs[a]);
  const unit =
    largestFirst.find((name) => ms >= unitMs[name] && ms % unitMs[name] === 0) ?? largestFirst.at(-1) ?? 's';
  return { amount: ms / unitMs[unit], unit };
}

export const joinDuration = (amount: number, unit: DurationUnit): number =>
  Number.isFinite(amount) ? Math.round(amount * unitMs[unit]) : 0;
