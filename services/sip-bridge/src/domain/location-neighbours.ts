/**
 * The locations of an organisation, found by what each has to have alone, or shares with others. Pure. Hundreds are held against
 * hundreds (a list, a CSV) on the thread that emergency calls are heard on, so nothing here looks through all of them.
 */
import { streetAddress } from './civic-address.ts';
import { rangeOf, type Range } from './location-networks.ts';
import type { Location } from './location-row.ts';

/** `exceptId`: the one that asks, which is no neighbour of itself. */
export type Neighbours = {
  inArea: (areaId: string, exceptId: string | undefined) => Location | undefined;
  labelled: (siteId: string, label: string, exceptId: string | undefined) => Location | undefined;
  defaultOf: (siteId: string, exceptId: string | undefined) => Location | undefined;
  withFloor: (siteId: string, exceptId: string | undefined) => Location | undefined;
  atStreet: (siteId: string, street: string, exceptId: string | undefined) => Location | undefined;
  withCallback: (callback: string, exceptId: string | undefined) => Location | undefined;
  meeting: (
    network: string,
    exceptId: string | undefined,
  ) => { network: string; location: Location } | undefined;
};

export function neighboursOf(locations: readonly Location[]): Neighbours {
  const areas = index(locations, ({ area_ids: ids }) => ids);
  const labels = index(locations, ({ site_id: site, label }) => [`${site} ${label.toLowerCase()}`]);
  const defaults = index(locations, ({ site_id: site, is_default: isDefault }) => (isDefault ? [site] : []));
  const floors = index(locations, ({ site_id: site, civic }) => (civic.FLR.trim() === '' ? [] : [site]));
  const streets = index(locations, ({ site_id: site, civic }) => [`${site} ${streetAddress(civic)}`]);
  const callbacks = index(locations, ({ callback_number: callback }) =>
    callback === null ? [] : [callback],
  );
  const networks = { 4: rangesOf(locations, 4), 6: rangesOf(locations, 6) };
  return {
    inArea: (areaId, exceptId) => other(areas, areaId, exceptId),
    labelled: (siteId, label, exceptId) => other(labels, `${siteId} ${label.toLowerCase()}`, exceptId),
    defaultOf: (siteId, exceptId) => other(defaults, siteId, exceptId),
    withFloor: (siteId, exceptId) => other(floors, siteId, exceptId),
    atStreet: (siteId, street, exceptId) => other(streets, `${siteId} ${street}`, exceptId),
    withCallback: (callback, exceptId) => other(callbacks, callback, exceptId),
    meeting: (network, exceptId) => {
      const range = rangeOf(network);
      return range && meeting(networks[range.family], range, exceptId);
    },
  };
}

type Index = ReadonlyMap<string, Location[]>;

function index(locations: readonly Location[], keysOf: (location: Location) => readonly string[]): Index {
  const found = new Map<string, Location[]>();
  for (const location of locations)
    for (const key of keysOf(location)) {
      const same = found.get(key);
      if (same) same.push(location);
      else found.set(key, [location]);
    }
  return found;
}

const other = (found: Index, key: string, exceptId: string | undefined): Location | undefined =>
  found.get(key)?.find(({ id }) => id !== exceptId);

/** By where they begin; `reach`: the last address of this one and all before it. */
type Placed = { range: Range; network: string; location: Location; reach: bigint };

function rangesOf(locations: readonly Location[], family: Range['family']): Placed[] {
  const all = locations.flatMap((location) =>
    location.networks.flatMap((network) => {
      const range = rangeOf(network);
      return range?.family === family ? [{ range, network, location, reach: range.last }] : [];
    }),
  );
  all.sort((a, b) => (a.range.first < b.range.first ? -1 : a.range.first > b.range.first ? 1 : 0));
  for (const [at, one] of all.entries()) {
    const before = all[at - 1]?.reach ?? one.reach;
    if (before > one.reach) one.reach = before;
  }
  return all;
}

/** From the last that begins before the end of this range backwards, as long as any could reach into it. */
function meeting(all: readonly Placed[], range: Range, exceptId: string | undefined): Placed | undefined {
  for (let at = beginningBefore(all, range.last) - 1; at >= 0; at -= 1) {
    const one = all[at];
    if (!one || one.reach < range.first) return undefined;
    if (one.range.last >= range.first && one.location.id !== exceptId) return one;
  }
  return undefined;
}

/** How many begin at this address or before it. */
function beginningBefore(all: readonly Placed[], address: bigint): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((all[middle]?.range.first ?? 0n) <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}
