/**
 * What rings, how loud and how often. Pure. What must stay true: any unacknowledged incident rings until somebody takes it,
 * the tone grows with severity and with waiting, and a mute ends by itself (at once when a new critical alarm comes).
 */
import type { Severity } from '@siphera/contract';

export type Unacknowledged = { id: string; severity: Severity; openedAtMs: number };
export type Mute = { untilMs: number; known: ReadonlySet<string> };
/** Stage 0 when it opens; 1 and 2 after nobody answered. */
export type Stage = 0 | 1 | 2;
export type AlarmPlan =
  { kind: 'silent' } | { kind: 'ring'; severity: Severity; stage: Stage; periodMs: number; gain: number };

export const severityOrder: readonly Severity[] = ['info', 'low', 'medium', 'high', 'critical'];
export const severityRank = (severity: Severity): number => severityOrder.indexOf(severity);

/** Longest mute: a guard may need a minute on the phone, not a silent shift. */
export const muteChoicesMs = [60_000, 300_000, 900_000] as const;

/** Time between two tones, per stage. */
const periodMs: Record<Severity, readonly [number, number, number]> = {
  critical: [2_400, 1_800, 1_200],
  high: [5_000, 3_500, 2_500],
  medium: [12_000, 8_000, 5_000],
  low: [30_000, 20_000, 12_000],
  info: [60_000, 45_000, 30_000],
};
/** Age at which stages 1 and 2 begin. */
const stageAtMs: Record<Severity, readonly [number, number]> = {
  critical: [15_000, 45_000],
  high: [30_000, 90_000],
  medium: [60_000, 180_000],
  low: [60_000, 180_000],
  info: [60_000, 180_000],
};
const gains = [0.45, 0.7, 1] as const;

function stageOf(severity: Severity, ageMs: number): Stage {
  const [first, second] = stageAtMs[severity];
  if (ageMs >= second) return 2;
  return ageMs >= first ? 1 : 0;
}

/** True while the mute holds: not over, and no critical alarm that it did not know. */
export function muteHolds(
  mute: Mute | undefined,
  waiting: readonly Unacknowledged[],
  nowMs: number,
): boolean {
  if (!mute || nowMs >= mute.untilMs) return false;
  return !waiting.some((incident) => incident.severity === 'critical' && !mute.known.has(incident.id));
}

/** The worst waiting incident decides; among equals the one that waits longest. */
export function planAlarm(
  waiting: readonly Unacknowledged[],
  mute: Mute | undefined,
  nowMs: number,
): AlarmPlan {
  if (waiting.length === 0 || muteHolds(mute, waiting, nowMs)) return { kind: 'silent' };
  const rank = Math.max(...waiting.map((incident) => severityRank(incident.severity)));
  const severity = severityOrder[rank] ?? 'info';
  const oldest = Math.min(
    ...waiting.filter((incident) => incident.severity === severity).map((incident) => incident.openedAtMs),
  );
  const stage = stageOf(severity, nowMs - oldest);
  return { kind: 'ring', severity, stage, periodMs: periodMs[severity][stage], gain: gains[stage] };
}

export const samePlan = (a: AlarmPlan, b: AlarmPlan): boolean =>
  a.kind === 'ring' && b.kind === 'ring'
    ? a.severity === b.severity && a.stage === b.stage
    : a.kind === b.kind;
