/** What Kamailio gets of locations: see docs/design/phones.md, tables `location`, `pidf`, `setting` and addresses. Pure. */
import type { NumberPlan, TrunkInput } from '@siphera/contract';
import type { Location } from './location-row.ts';
import { pidfLo } from './pidf-lo.ts';
import { outsideNumbersOf } from './trunk.ts';
import { addressGroups, fields, fieldText, type SwitchTables } from './switch-tables.ts';

/** Kamailio tells so many numbers of a call. */
const noticeMax = 20;

export type LocationContribution = {
  locations: readonly Location[];
  defaultLocation: Location | undefined;
  callback: string | undefined;
  notice: readonly string[];
};

export function locationTables({
  locations,
  defaultLocation,
  callback,
  notice,
}: LocationContribution): Partial<SwitchTables> {
  return {
    tables: {
      location: Object.fromEntries(
        locations.map((location) => [
          location.id,
          fields({
            label: fieldText(location.label),
            callback: location.callback_number ?? '',
            provider: fieldText(location.provider_id),
            phone: location.nearest_phone ?? '',
            site: location.site_id,
          }),
        ]),
      ),
      pidf: Object.fromEntries(locations.map((location) => [location.id, pidfLo(location.civic)])),
      setting: {
        ...(defaultLocation ? { default_location: defaultLocation.id } : {}),
        ...(callback === undefined ? {} : { callback }),
        ...(notice.length === 0 ? {} : { notice: notice.join(' ') }),
      },
    },
    addresses: locations.flatMap(({ id, networks }) =>
      networks.map((network) => ({ group: addressGroups.location, network, tag: id })),
    ),
  };
}

/** Who calls back when neither the caller nor his location has a number: what rings the desk. */
export const callbackOfBox = (
  defaultLocation: Location | undefined,
  plan: Pick<NumberPlan, 'outside_number'>,
  trunks: readonly Pick<TrunkInput, 'enabled' | 'uses' | 'numbers'>[],
): string | undefined =>
  defaultLocation?.callback_number ??
  (plan.outside_number !== null && outsideNumbersOf(trunks).has(plan.outside_number)
    ? plan.outside_number
    : undefined) ??
  trunks.find(({ enabled, uses, numbers }) => enabled && uses.includes('emergency') && numbers.length > 0)
    ?.numbers[0]?.number;

export type Notified = { number: string; onDuty: boolean; registered: boolean };

/**
 * Numbers told of an emergency call: the desk, and everybody on duty who may see phones; with nobody on duty, everybody who
 * may. Who is registered comes first, so that the bound cuts off those who would not hear it anyway.
 */
export function noticeNumbers(desk: readonly string[], people: readonly Notified[]): string[] {
  const onDuty = people.filter((one) => one.onDuty);
  const wanted = onDuty.length > 0 ? onDuty : people;
  const sorted = wanted.toSorted(
    (a, b) => Number(b.registered) - Number(a.registered) || (a.number < b.number ? -1 : 1),
  );
  return [...new Set([...desk, ...sorted.map(({ number }) => number)])].slice(0, noticeMax);
}
