/** What is kept: the decision of the recording mode on a segment, and when its retention is over. Pure. */
import type { RecordingPolicy } from '@siphera/contract';
import { overlaps, type Span } from './spans.ts';

export type Judgement = 'delete' | 'kept' | 'kept_event';

/**
 * Reports of a camera come late by its own delay and ours. A segment is judged only when nothing that could keep it can
 * still come.
 */
export const reportsLateMs = 60_000;

/** When a segment that ends at `toMs` may be judged: what happens within the pre-roll after it still keeps it. */
export const judgeableFromMs = (toMs: number, policy: Pick<RecordingPolicy, 'pre_roll_ms'>): number =>
  toMs + policy.pre_roll_ms + reportsLateMs;

export type Happenings = {
  motion: readonly Span[];
  events: readonly Span[];
  /** Asked for by rules and people. */
  keeps: readonly Span[];
};

/** Whether a moment lies inside the policy's windows on the site's clock. */
export type InWindow = (atMs: number) => boolean;

type Rolls = Pick<RecordingPolicy, 'pre_roll_ms' | 'post_roll_ms'>;

/** Mode `off` keeps what was written before it was switched off. */
export function judge(
  segment: Span,
  policy: Rolls & Pick<RecordingPolicy, 'mode'>,
  happenings: Happenings,
  inWindow: InWindow,
): Judgement {
  const isNear = (span: Span): boolean =>
    touches(segment, { fromMs: span.fromMs - policy.pre_roll_ms, toMs: span.toMs + policy.post_roll_ms });
  const moved = happenings.motion.some(isNear);
  const happened = moved || happenings.events.some(isNear);
  const asked = happenings.keeps.some((span) => touches(segment, span));
  if (asked) return 'kept_event';
  const kept = isKeptBy(policy, { moved, happened }, () => isScheduled(segment, policy, inWindow));
  if (!kept) return 'delete';
  return happened ? 'kept_event' : 'kept';
}

function isKeptBy(
  policy: Pick<RecordingPolicy, 'mode'>,
  { moved, happened }: { moved: boolean; happened: boolean },
  scheduled: () => boolean,
): boolean {
  switch (policy.mode) {
    case 'continuous':
    case 'off':
      return true;
    case 'motion':
      return moved;
    case 'events':
      return happened;
    case 'schedule':
      return scheduled();
  }
}

/** Windows begin and end on whole minutes, so a look every half minute misses none. */
const lookMs = 30_000;

function isScheduled(segment: Span, rolls: Rolls, inWindow: InWindow): boolean {
  const toMs = segment.toMs + rolls.pre_roll_ms;
  for (let atMs = segment.fromMs - rolls.post_roll_ms; atMs < toMs; atMs += lookMs)
    if (inWindow(atMs)) return true;
  return inWindow(toMs);
}

/** Moments count too: an event has no length. */
const touches = (segment: Span, span: Span): boolean => overlaps(segment, { ...span, toMs: span.toMs + 1 });

const dayMs = 86_400_000;

/** When retention of a segment by days is over; undefined: as long as there is room. */
export function keptUntilMs(
  segment: { toMs: number; judged: 0 | 1 | 2 },
  policy: Pick<RecordingPolicy, 'keep_days' | 'keep_event_days'>,
): number | undefined {
  if (policy.keep_days === null) return undefined;
  const days =
    segment.judged === 2 ? Math.max(policy.keep_days, policy.keep_event_days ?? 0) : policy.keep_days;
  return segment.toMs + days * dayMs;
}

/** The oldest that together free at least `bytes`; `candidates` oldest first, none of them locked. */
export function oldestFreeing<T extends { bytes: number }>(candidates: readonly T[], bytes: number): T[] {
  const chosen: T[] = [];
  let freed = 0;
  for (const candidate of candidates) {
    if (freed >= bytes) break;
    chosen.push(candidate);
    freed += candidate.bytes;
  }
  return chosen;
}
