/**
 * An emergency call out of what Kamailio reported of it: whatever came twice, late or in another order, the same reports make the same
 * call. Pure.
 */
import type { EmergencyCall } from '@siphera/contract';
import type { z } from 'zod';
import type { CallbackEvent, EmergencyEvent } from './switch-event.ts';

export type EmergencyReport = EmergencyEvent | z.infer<typeof CallbackEvent>;

/** Kamailio keeps the way back to the caller this long after the call began. */
export const callbackMs = 2 * 3_600_000;

export type FoldedCall = {
  kind: EmergencyCall['kind'];
  number: string;
  dialled: string;
  from: string | null;
  address: string;
  verified: boolean;
  locationId: string | null;
  locationBy: EmergencyCall['location_by'];
  callback: string | null;
  /** The trunk that it went out on last. */
  trunkId: string | null;
  style: string | null;
  state: EmergencyCall['state'];
  startedMs: number;
  sentMs: number | null;
  answeredMs: number | null;
  endedMs: number | null;
  attempts: { trunkId: string | null; code: number | null; reason: string }[];
  callbacks: { atMs: number; from: string; reached: boolean }[];
};

/** Of one moment, what has to come first. */
const order: Record<EmergencyEvent['state'], number> = {
  dialled: 0,
  sent: 1,
  trunk_failed: 2,
  ringing: 3,
  answered: 4,
  failed: 5,
  ended: 6,
};

/** @returns undefined when nothing but calls back was reported: the call itself is not known. */
export function foldCall(reports: readonly EmergencyReport[]): FoldedCall | undefined {
  const steps = reports
    .filter((report) => report.kind === 'emergency')
    .toSorted((a, b) => a.at_ms - b.at_ms || order[a.state] - order[b.state]);
  const [first] = steps;
  if (!first) return undefined;
  const told = <K extends keyof EmergencyEvent>(field: K): EmergencyEvent[K] | undefined =>
    steps.find((step) => step[field] !== undefined)?.[field];
  const at = (state: EmergencyEvent['state']): number | null =>
    steps.find((step) => step.state === state)?.at_ms ?? null;
  const out = steps.findLast(({ state }) => state === 'answered' || state === 'sent');
  const failedMs = at('failed');
  return {
    kind: first.mode,
    number: told('number') ?? told('dialled') ?? '',
    dialled: told('dialled') ?? '',
    from: told('from') ?? null,
    address: told('source') ?? '',
    verified: told('verified') ?? false,
    locationId: told('location') ?? null,
    locationBy: told('location_by') ?? 'none',
    callback: told('callback') ?? null,
    trunkId: out?.trunk ?? null,
    style: out?.style ?? steps.findLast(({ style }) => style !== undefined)?.style ?? null,
    state: stateOf(new Set(steps.map(({ state }) => state))),
    startedMs: first.at_ms,
    sentMs: at('sent'),
    answeredMs: at('answered'),
    endedMs: at('ended') ?? failedMs,
    attempts: steps
      .filter(({ state }) => state === 'trunk_failed')
      .map(({ trunk, code, reason }) => ({
        trunkId: trunk ?? null,
        code: code ?? null,
        reason: reason ?? '',
      })),
    callbacks: reports
      .filter((report) => report.kind === 'callback')
      .toSorted((a, b) => a.at_ms - b.at_ms)
      .map(({ at_ms: atMs, from, reached }) => ({ atMs, from, reached })),
  };
}

function stateOf(seen: ReadonlySet<EmergencyEvent['state']>): EmergencyCall['state'] {
  if (seen.has('failed')) return 'failed';
  if (seen.has('ended')) return 'ended';
  if (seen.has('answered')) return 'answered';
  if (seen.has('ringing')) return 'ringing';
  return 'dialling';
}
