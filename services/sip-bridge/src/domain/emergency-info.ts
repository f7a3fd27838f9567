/** What a page may know with nobody signed in: numbers to dial and the labels of places, nothing else. Pure. */
import type { EmergencyInfo, NumberPlan, TrunkInput } from '@siphera/contract';
import type { Location } from './location-row.ts';
import { emergencyForms } from './number-plan.ts';

export function emergencyInfo(given: {
  domain: string;
  plan: Pick<NumberPlan, 'country' | 'emergency_numbers'>;
  locations: readonly Location[];
  defaultLocation: Location | undefined;
  trunks: readonly Pick<TrunkInput, 'enabled' | 'uses'>[];
}): EmergencyInfo {
  const ready = given.trunks.some(({ enabled, uses }) => enabled && uses.includes('emergency'));
  const forms = emergencyForms({ ...given.plan, outside_prefixes: [] });
  const own = new Set(given.plan.emergency_numbers.map(({ dialled }) => dialled));
  return {
    domain: given.domain,
    numbers: [...forms]
      // Numbers of other countries work too, but nobody has to be shown them.
      .filter(([dialled, { to, mode }]) => mode !== 'drill' && (dialled === to || own.has(dialled)))
      .map(([dialled, { to, mode }]) => ({
        number: dialled,
        label: mode === 'test' ? 'Test call' : dialled === to ? 'Emergency' : `Emergency (${to})`,
        test: mode === 'test',
      })),
    locations: given.locations.map(({ id, label, nearest_phone: phone }) => ({
      id,
      label,
      nearest_phone: phone,
    })),
    default_location_id: given.defaultLocation?.id ?? null,
    ready,
    notes: ready ? '' : 'No trunk takes emergency calls. Use a mobile phone.',
  };
}
