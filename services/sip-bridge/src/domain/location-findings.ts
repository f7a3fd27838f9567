/**
 * What is wrong with a dispatchable location, in its surroundings: other locations, areas, trunks. Pure. Errors stand in the
 * way of saving it; warnings are shown with it until they are gone.
 */
import type { EmergencyLocationInput, InternalArea, TrunkInput } from '@siphera/contract';
import { civicFindings, saysWhereInside, streetAddress, type Finding } from './civic-address.ts';
import { isEverywhere, rangesMeet } from './location-networks.ts';
import type { Location } from './location-row.ts';
import { pidfBytesMax, pidfLo } from './pidf-lo.ts';

export type LocationSurroundings = {
  /** The other locations of the organisation. */
  others: readonly Location[];
  siteIds: ReadonlySet<string>;
  areas: ReadonlyMap<string, Pick<InternalArea, 'site_id' | 'name'>>;
  trunks: readonly Pick<TrunkInput, 'name' | 'enabled' | 'uses' | 'location_style' | 'numbers'>[];
  isExtension(number: string): boolean;
};

type Add = (level: Finding['level'], field: string, message: string) => void;

export function locationFindings(
  location: EmergencyLocationInput & Partial<Pick<Location, 'validated_ms'>>,
  around: LocationSurroundings,
): Finding[] {
  const findings = civicFindings(location.civic);
  const add: Add = (level, field, message) => void findings.push({ level, field, message });
  if (Buffer.byteLength(pidfLo(location.civic)) > pidfBytesMax)
    add('error', 'civic.LOC', 'the whole address is too long for a SIP request: shorten its texts');
  placeFindings(location, around, add);
  insideFindings(location, around, add);
  trunkFindings(location, around, add);
  if (location.nearest_phone !== null && !around.isExtension(location.nearest_phone))
    add('warning', 'nearest_phone', `there is no number ${location.nearest_phone}`);
  if (location.validated_ms === null)
    add('warning', 'validated_at', 'not confirmed with the provider of the emergency trunk');
  return findings;
}

export const errorsOf = (findings: readonly Finding[]): Finding[] =>
  findings.filter(({ level }) => level === 'error');

/** Where it stands in the house, and that no other location has the same. */
function placeFindings(location: EmergencyLocationInput, around: LocationSurroundings, add: Add): void {
  if (!around.siteIds.has(location.site_id)) add('error', 'site_id', 'there is no such site');
  for (const areaId of location.area_ids) {
    const area = around.areas.get(areaId);
    if (area?.site_id !== location.site_id)
      add('error', 'area_ids', `${area ? `"${area.name}"` : 'an area'} is not of this site`);
    const taken = around.others.find((other) => other.area_ids.includes(areaId));
    if (taken) add('error', 'area_ids', `"${area?.name ?? areaId}" is in "${taken.label}" already`);
  }
  for (const network of location.networks) {
    if (isEverywhere(network)) add('error', 'networks', `${network} is every address there is`);
    for (const other of around.others) {
      const met = other.networks.find((theirs) => rangesMeet(network, theirs));
      if (met !== undefined) add('error', 'networks', `${network} meets ${met} of "${other.label}"`);
    }
  }
  const sameLabel = around.others.find(
    ({ site_id: siteId, label }) =>
      siteId === location.site_id && label.toLowerCase() === location.label.toLowerCase(),
  );
  if (sameLabel) add('error', 'label', 'another location of this site is called so');
  const hasDefault =
    location.is_default ||
    around.others.some((other) => other.site_id === location.site_id && other.is_default);
  if (!hasDefault)
    add('warning', 'is_default', 'no location of this site is its default: some callers have no place');
}

/** In a building of many floors the street address alone sends help to the front door. */
function insideFindings(
  { civic, site_id }: EmergencyLocationInput,
  around: LocationSurroundings,
  add: Add,
): void {
  if (saysWhereInside(civic)) return;
  const siblings = around.others.filter((other) => other.site_id === site_id);
  const hasFloors = siblings.some((other) => other.civic.FLR.trim() !== '');
  const isShared = siblings.some((other) => streetAddress(other.civic) === streetAddress(civic));
  if (hasFloors || isShared)
    add('warning', 'civic.FLR', 'neither floor nor room: this site has several places to tell apart');
}

/** What the trunks that take emergency calls need of it. */
function trunkFindings(location: EmergencyLocationInput, around: LocationSurroundings, add: Add): void {
  if (/[;="<>\s]/.test(location.provider_id))
    add('error', 'provider_id', 'must not hold spaces, quotes, ;, =, < or >');
  const emergency = around.trunks.filter(({ enabled, uses }) => enabled && uses.includes('emergency'));
  const byStyle = (style: TrunkInput['location_style']) =>
    emergency.find(({ location_style: own }) => own === style);
  const provider = byStyle('provider-id');
  if (provider && location.provider_id === '')
    add('warning', 'provider_id', `the trunk "${provider.name}" tells places by the id of its provider`);
  const elin = byStyle('elin');
  const { callback_number: callback } = location;
  if (callback === null) {
    const why = elin
      ? `the trunk "${elin.name}" tells this place by its call-back number alone`
      : 'no call-back number of its own: who calls back reaches the desk';
    add('warning', 'callback_number', why);
    return;
  }
  const rings = around.trunks.some(
    ({ enabled, numbers }) => enabled && numbers.some(({ number }) => number === callback),
  );
  if (!rings)
    add('warning', 'callback_number', `${callback} is not a number of a trunk: it does not ring here`);
  const shared = around.others.find((other) => other.callback_number === callback);
  if (elin && shared)
    add(
      'warning',
      'callback_number',
      `"${shared.label}" has it too: the trunk "${elin.name}" cannot tell them apart`,
    );
}
