/**
 * What is wrong with a dispatchable location, in its surroundings: other locations, areas, trunks. Pure. Errors stand in the
 * way of saving it; warnings are shown with it until they are gone.
 */
import type { EmergencyLocationInput, InternalArea, TrunkInput } from '@siphera/contract';
import { civicFindings, saysWhereInside, streetAddress, type Finding } from './civic-address.ts';
import type { Neighbours } from './location-neighbours.ts';
import { isEverywhere } from './location-networks.ts';
import { pidfBytesMax, pidfLo } from './pidf-lo.ts';

export type LocationSurroundings = {
  /** The locations of the organisation. */
  neighbours: Neighbours;
  siteIds: ReadonlySet<string>;
  areas: ReadonlyMap<string, Pick<InternalArea, 'site_id' | 'name'>>;
  trunks: readonly Pick<TrunkInput, 'name' | 'enabled' | 'uses' | 'location_style' | 'numbers'>[];
  isExtension(number: string): boolean;
};

/** One that is not kept yet has no id. */
export type Judged = EmergencyLocationInput & {
  id?: string | undefined;
  validated_ms?: number | null;
};
type Add = (level: Finding['level'], field: string, message: string) => void;

export function locationFindings(location: Judged, around: LocationSurroundings): Finding[] {
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
function placeFindings(location: Judged, around: LocationSurroundings, add: Add): void {
  const { neighbours } = around;
  if (!around.siteIds.has(location.site_id)) add('error', 'site_id', 'there is no such site');
  for (const areaId of location.area_ids) {
    const area = around.areas.get(areaId);
    if (area?.site_id !== location.site_id)
      add('error', 'area_ids', `${area ? `"${area.name}"` : 'an area'} is not of this site`);
    const taken = neighbours.inArea(areaId, location.id);
    if (taken) add('error', 'area_ids', `"${area?.name ?? areaId}" is in "${taken.label}" already`);
  }
  for (const network of location.networks) {
    if (isEverywhere(network)) add('error', 'networks', `${network} is every address there is`);
    const met = neighbours.meeting(network, location.id);
    if (met) add('error', 'networks', `${network} meets ${met.network} of "${met.location.label}"`);
  }
  if (neighbours.labelled(location.site_id, location.label, location.id))
    add('error', 'label', 'another location of this site is called so');
  if (!location.is_default && !neighbours.defaultOf(location.site_id, location.id))
    add('warning', 'is_default', 'no location of this site is its default: some callers have no place');
}

/** In a building of many floors the street address alone sends help to the front door. */
function insideFindings(
  { id, civic, site_id: site }: Judged,
  { neighbours }: LocationSurroundings,
  add: Add,
): void {
  if (saysWhereInside(civic)) return;
  if (neighbours.withFloor(site, id) ?? neighbours.atStreet(site, streetAddress(civic), id))
    add('warning', 'civic.FLR', 'neither floor nor room: this site has several places to tell apart');
}

/** What the trunks that take emergency calls need of it. */
function trunkFindings(location: Judged, around: LocationSurroundings, add: Add): void {
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
  const shared = around.neighbours.withCallback(callback, location.id);
  if (elin && shared)
    add(
      'warning',
      'callback_number',
      `"${shared.label}" has it too: the trunk "${elin.name}" cannot tell them apart`,
    );
}
