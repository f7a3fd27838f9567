/**
 * Which dispatchable location a number of the box is at. Pure. In this order: named for the phone → its area, or the nearest
 * area above it that has one → where its user last said he is, unless that is stale → the default of the site.
 */
import type { ExtensionInput, InternalArea } from '@siphera/contract';
import type { Location } from './location-row.ts';

/** A shift: what somebody said on an earlier one tells nothing about now. */
const staleMs = 12 * 3_600_000;

export type SaidPlace = { locationId: string; saidMs: number };
export type KnownArea = Pick<InternalArea, 'id' | 'site_id'> & { parent_id: string | null };
export type Placed = { loc: string; by: 'phone' | 'area' | 'last_known' | 'site' };
/** What a number may be placed by. */
export type PlacedExtension = Pick<ExtensionInput, 'location_id' | 'area_id' | 'user_id'>;

export type PlaceIndex = {
  byId: ReadonlyMap<string, Location>;
  /** Area → location, as set. */
  byArea: ReadonlyMap<string, Location>;
  areas: ReadonlyMap<string, KnownArea>;
  /** Site → its default. */
  defaults: ReadonlyMap<string, Location>;
  /** Of the whole box: for who comes from nowhere known. */
  boxDefault: Location | undefined;
};

export function placeIndex(locations: readonly Location[], areas: readonly KnownArea[]): PlaceIndex {
  const defaults = locations.filter(({ is_default: isDefault }) => isDefault);
  return {
    byId: new Map(locations.map((location) => [location.id, location])),
    byArea: new Map(locations.flatMap((location) => location.area_ids.map((area) => [area, location]))),
    areas: new Map(areas.map((area) => [area.id, area])),
    defaults: new Map(defaults.map((location) => [location.site_id, location])),
    // Ids sort by time: the first default that was made, whatever order they are read in.
    boxDefault: defaults.toSorted((a, b) => (a.id < b.id ? -1 : 1))[0],
  };
}

/** Deep enough for any building; a ring of parents must not hold us. */
const depthMax = 50;

/** @returns the location of an area, or of the nearest above it. */
export function locationOfArea(
  index: PlaceIndex,
  areaId: string,
): { location: Location; by: 'area' | 'parent' } | undefined {
  let current: string | null = areaId;
  for (let depth = 0; current !== null && depth < depthMax; depth += 1) {
    const location = index.byArea.get(current);
    if (location) return { location, by: depth === 0 ? 'area' : 'parent' };
    current = index.areas.get(current)?.parent_id ?? null;
  }
  return undefined;
}

/** `dutySinceMs`: when the duty he is on began, as far as it was seen. */
export const isStale = (said: SaidPlace, nowMs: number, dutySinceMs: number | undefined): boolean =>
  nowMs - said.saidMs > staleMs || (dutySinceMs !== undefined && dutySinceMs > said.saidMs);

/** `said`: what its user said, if that is not stale; `siteIds`: sites that his roles reach. */
export function placeOf(
  index: PlaceIndex,
  extension: PlacedExtension,
  said: SaidPlace | undefined,
  siteIds: readonly string[] = [],
): Placed | undefined {
  const named = extension.location_id === null ? undefined : index.byId.get(extension.location_id);
  if (named) return { loc: named.id, by: 'phone' };
  const ofArea = extension.area_id === null ? undefined : locationOfArea(index, extension.area_id);
  if (ofArea) return { loc: ofArea.location.id, by: 'area' };
  const known = said === undefined ? undefined : index.byId.get(said.locationId);
  if (known) return { loc: known.id, by: 'last_known' };
  const site = siteDefault(index, extension, siteIds);
  return site && { loc: site.id, by: 'site' };
}

/**
 * The default of its area's site, or of the only site its user works at; where neither is known, of the box. The default of
 * another site would send help to the wrong house.
 */
function siteDefault(
  index: PlaceIndex,
  { area_id: areaId }: PlacedExtension,
  siteIds: readonly string[],
): Location | undefined {
  const site = areaId === null ? undefined : index.areas.get(areaId)?.site_id;
  const [only, ...more] = siteIds;
  const own = site ?? (more.length === 0 ? only : undefined);
  return own === undefined ? index.boxDefault : index.defaults.get(own);
}
