/**
 * When an incident rings phones, and what of a person's phones. Pure. The chain for a person: the page has it (he has a console
 * open) → nobody acknowledged within the page's grace → push to his phones → nothing shown in time → core goes on by e-mail.
 */
import type { IncidentState, PushPreferences, Severity } from '@siphera/contract';
import { defaultPreferences, takesAlarm } from './quiet-hours.ts';
import { atLeast, isAbove } from './severity.ts';

/** Who sees the alarm on an open console has this long to acknowledge it before the phones ring. */
export const pageGraceMs = 10_000;
/** From the push on: no phone has shown it by then, so it did not arrive. Phones that sleep are woken within seconds. */
export const shownWaitMs = 60_000;

export type IncidentFacts = { state: IncidentState; severity: Severity; level: number };

/** @returns why phones ring now; undefined when they do not. Whoever acknowledged has it: what is not `new` rings nobody. */
export function waveOf(
  before: IncidentFacts | undefined,
  now: IncidentFacts,
): 'opened' | 'raised' | 'escalated' | undefined {
  if (now.state !== 'new') return undefined;
  // One that is new again was opened again.
  if (before?.state !== 'new') return 'opened';
  if (now.level > before.level) return 'escalated';
  return isAbove(now.severity, before.severity) ? 'raised' : undefined;
}

export type PersonPlan = {
  /** Of the phones to be rung up. */
  phoneIds: readonly string[];
  dueMs: number;
  /** Core is told when nothing was shown by then. */
  deadlineMs: number;
};

/**
 * @param person `phones`: those that can be rung up; `online`: has a console open.
 * @returns undefined when the person is left alone: his phones were told not to ring for this, or, when he has none, it is
 * below what a phone rings for unless told otherwise.
 */
export function planFor(
  person: { online: boolean; phones: readonly { id: string; preferences: PushPreferences }[] },
  severity: Severity,
  nowMs: number,
): PersonPlan | undefined {
  const { online, phones } = person;
  const dueMs = nowMs + (online ? pageGraceMs : 0);
  if (phones.length === 0) {
    const { alarms_from } = defaultPreferences;
    if (alarms_from === null || !atLeast(severity, alarms_from)) return undefined;
    // Nothing can be pushed. At a console he has as long as a phone would have; else there is nothing to wait for.
    return { phoneIds: [], dueMs, deadlineMs: online ? dueMs + shownWaitMs : nowMs };
  }
  const phoneIds = phones
    .filter(({ preferences }) => takesAlarm(preferences, severity, nowMs))
    .map(({ id }) => id);
  return phoneIds.length === 0 ? undefined : { phoneIds, dueMs, deadlineMs: dueMs + shownWaitMs };
}
