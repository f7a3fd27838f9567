/** A dispatchable location as it is kept, and how it is shown. */
import type { EmergencyLocation, EmergencyLocationInput } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import { civicOrder, type Finding } from './civic-address.ts';

export type Location = EmergencyLocationInput & {
  id: string;
  org_id: string;
  revision: number;
  /** When somebody confirmed the address with the provider. */
  validated_ms: number | null;
  validated_by: string | null;
};

export const toLocationView = (
  location: Location,
  findings: Finding[],
  lastDrill: { atMs: number; passed: boolean } | undefined,
): EmergencyLocation => {
  const { validated_ms: validatedMs, ...rest } = location;
  return {
    ...rest,
    findings,
    validated_at: validatedMs === null ? null : toRfc3339(validatedMs),
    last_drill: lastDrill ? { at: toRfc3339(lastDrill.atMs), passed: lastDrill.passed } : null,
  };
};

/** What a change leaves of the provider's confirmation: it was given for this address and these ids alone. */
export function keptConfirmation(
  before: Location,
  after: EmergencyLocationInput,
): Pick<Location, 'validated_ms' | 'validated_by'> {
  const told = ({ civic, callback_number, provider_id }: EmergencyLocationInput): string =>
    JSON.stringify([civicOrder.map((name) => civic[name]), callback_number, provider_id]);
  return told(before) === told(after)
    ? { validated_ms: before.validated_ms, validated_by: before.validated_by }
    : { validated_ms: null, validated_by: null };
}
