import { describe, expect, it } from 'vitest';
import { location, siteId } from '../testing/location-kit.ts';
import { coverageOf, type CoverageInput } from './location-coverage.ts';
import { placeIndex } from './location-place.ts';

const areas = [
  { id: 'floor', site_id: siteId, parent_id: null, name: 'Floor' },
  { id: 'room', site_id: siteId, parent_id: 'floor', name: 'Room' },
  { id: 'yard', site_id: siteId, parent_id: null, name: 'Yard' },
  { id: 'far', site_id: 'other', parent_id: null, name: 'Far' },
];
const locations = [
  location('a', { is_default: true, provider_id: 'p', callback_number: '+1303' }),
  location('b', { area_ids: ['floor'], callback_number: '+1303' }),
  location('c'),
];
const extension = (number: string, change: Partial<CoverageInput['extensions'][number]> = {}) => ({
  number,
  name: `Phone ${number}`,
  kind: 'phone' as const,
  location_id: null,
  area_id: null,
  user_id: null,
  outside_number: null,
  siteIds: [],
  ...change,
});
const trunk = (style: CoverageInput['trunks'][number]['location_style']) => ({
  id: style,
  name: style,
  enabled: true,
  uses: ['emergency' as const],
  location_style: style,
});
const coverage = coverageOf({
  index: placeIndex(locations, areas),
  locations,
  areas,
  extensions: [
    extension('2001', { location_id: 'c' }),
    extension('2002', { area_id: 'room', outside_number: '+1999' }),
    extension('2003', { area_id: 'yard' }),
    extension('2004', { area_id: 'far' }),
    extension('2100', { kind: 'group' }),
  ],
  trunks: [
    trunk('pidf-lo'),
    trunk('provider-id'),
    trunk('elin'),
    trunk('none'),
    { ...trunk('none'), enabled: false },
    { ...trunk('none'), uses: ['calls'] },
  ],
  callbackOfBox: '+1000',
});

describe('the coverage of a house', () => {
  it('says of each area by what it has a place', () => {
    expect(coverage.areas.map((area) => [area.area_id, area.location_id, area.by, area.phones])).toEqual([
      ['floor', 'b', 'area', 0],
      ['room', 'b', 'parent', 1],
      ['yard', 'a', 'site', 1],
      ['far', null, 'none', 1],
    ]);
  });

  it('says of each phone where help would go and which number rings back', () => {
    expect(coverage.extensions.map((one) => [one.number, one.location_id, one.by, one.callback])).toEqual([
      ['2001', 'c', 'phone', '+1000'],
      ['2002', 'b', 'area', '+1999'],
      ['2003', 'a', 'site', '+1303'],
      ['2004', null, 'none', '+1000'],
    ]);
  });

  it('says what locations lack for each trunk that takes emergency calls', () => {
    expect(coverage.trunks.map(({ style, missing }) => [style, missing])).toEqual([
      ['pidf-lo', []],
      ['provider-id', ['"Location b" has no id of the provider', '"Location c" has no id of the provider']],
      [
        'elin',
        ['"Location c" has no call-back number', '+1303 is the call-back of "Location a", "Location b"'],
      ],
      ['none', ['It carries no place: the PSAP sees the address the provider has for our number']],
    ]);
  });
});
