/** Which areas, phones and trunks have what an emergency call needs. Pure. */
import type { ExtensionInput, InternalArea, LocationCoverage, TrunkView } from '@siphera/contract';
import type { z } from 'zod';
import { locationOfArea, placeOf, type KnownArea, type PlaceIndex } from './location-place.ts';
import type { Location } from './location-row.ts';

export type CoverageInput = {
  index: PlaceIndex;
  locations: readonly Location[];
  areas: readonly (KnownArea & Pick<InternalArea, 'name'>)[];
  extensions: readonly (Pick<
    ExtensionInput,
    'number' | 'name' | 'kind' | 'location_id' | 'area_id' | 'user_id' | 'outside_number'
  > & { siteIds: readonly string[] })[];
  trunks: readonly Pick<TrunkView, 'id' | 'name' | 'enabled' | 'uses' | 'location_style'>[];
  callbackOfBox: string | undefined;
};
type Coverage = z.infer<typeof LocationCoverage>;

export function coverageOf(input: CoverageInput): Coverage {
  const { index, extensions, trunks, locations } = input;
  return {
    areas: input.areas.map((area) => {
      const own = locationOfArea(index, area.id);
      const site = index.defaults.get(area.site_id);
      return {
        area_id: area.id,
        area_name: area.name,
        location_id: (own?.location ?? site)?.id ?? null,
        by: own?.by ?? (site ? 'site' : 'none'),
        phones: extensions.filter(({ area_id: areaId }) => areaId === area.id).length,
      };
    }),
    // A group is no phone: whoever of it calls is at his own place.
    extensions: extensions
      .filter(({ kind }) => kind !== 'group')
      .map((extension) => {
        // What people said today covers nobody tomorrow: it does not count here.
        const placed = placeOf(index, extension, undefined, extension.siteIds);
        const location = placed && index.byId.get(placed.loc);
        return {
          number: extension.number,
          name: extension.name,
          location_id: location?.id ?? null,
          by: placed === undefined || placed.by === 'last_known' ? 'none' : placed.by,
          callback: extension.outside_number ?? location?.callback_number ?? input.callbackOfBox ?? null,
        };
      }),
    trunks: trunks
      .filter(({ enabled, uses }) => enabled && uses.includes('emergency'))
      .map(({ id, name, location_style: style }) => ({
        trunk_id: id,
        name,
        style,
        missing: missingFor(style, locations),
      })),
  };
}

function missingFor(style: TrunkView['location_style'], locations: readonly Location[]): string[] {
  switch (style) {
    case 'pidf-lo':
      return [];
    case 'provider-id':
      return locations
        .filter(({ provider_id: id }) => id === '')
        .map(({ label }) => `"${label}" has no id of the provider`);
    case 'elin':
      return [
        ...locations
          .filter(({ callback_number: callback }) => callback === null)
          .map(({ label }) => `"${label}" has no call-back number`),
        ...shared(locations),
      ];
    case 'none':
      return ['It carries no place: the PSAP sees the address the provider has for our number'];
  }
}

/** With ELIN a number that two locations have tells neither. */
function shared(locations: readonly Location[]): string[] {
  const groups = Map.groupBy(
    locations.filter(({ callback_number: callback }) => callback !== null),
    ({ callback_number: callback }) => callback ?? '',
  );
  return [...groups]
    .filter(([, of]) => of.length > 1)
    .map(
      ([callback, of]) => `${callback} is the call-back of ${of.map(({ label }) => `"${label}"`).join(', ')}`,
    );
}
