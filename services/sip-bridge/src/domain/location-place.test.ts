import { describe, expect, it } from 'vitest';
import { location, siteId } from '../testing/location-kit.ts';
import { isStale, locationOfArea, placeIndex, placeOf } from './location-place.ts';

const areas = [
  { id: 'building', site_id: siteId, parent_id: null },
  { id: 'floor', site_id: siteId, parent_id: 'building' },
  { id: 'room', site_id: siteId, parent_id: 'floor' },
  { id: 'yard', site_id: siteId, parent_id: null },
  { id: 'far', site_id: 'other-site', parent_id: null },
  { id: 'ring', site_id: siteId, parent_id: 'ring' },
];
const index = placeIndex(
  [
    location('c', { area_ids: ['building'] }),
    location('d', { area_ids: ['room'] }),
    location('a', { is_default: true }),
    location('e', { is_default: true, site_id: 'third-site' }),
  ],
  areas,
);
const phone = (change: Partial<Parameters<typeof placeOf>[1]> = {}) => ({
  location_id: null,
  area_id: null,
  user_id: null,
  ...change,
});
const said = { locationId: 'c', saidMs: 1 };

describe('where a number is', () => {
  it('is the location of the phone before that of its area, before what its user said, before the site', () => {
    expect(placeOf(index, phone({ location_id: 'd', area_id: 'floor' }), said)).toEqual({
      loc: 'd',
      by: 'phone',
    });
    expect(placeOf(index, phone({ area_id: 'floor' }), { ...said, locationId: 'd' })).toEqual({
      loc: 'c',
      by: 'area',
    });
    expect(placeOf(index, phone({ area_id: 'yard' }), said)).toEqual({ loc: 'c', by: 'last_known' });
    expect(placeOf(index, phone({ area_id: 'yard' }), undefined)).toEqual({ loc: 'a', by: 'site' });
  });

  it('passes over a location that is gone', () => {
    expect(placeOf(index, phone({ location_id: 'gone', area_id: 'room' }), undefined)).toEqual({
      loc: 'd',
      by: 'area',
    });
    expect(placeOf(index, phone(), { ...said, locationId: 'gone' })).toEqual({ loc: 'a', by: 'site' });
  });

  it('never is the default of another site', () => {
    expect(placeOf(index, phone({ area_id: 'far' }), undefined)).toBeUndefined();
    expect(placeOf(index, phone(), undefined, ['other-site'])).toBeUndefined();
    expect(placeOf(index, phone(), undefined, ['third-site'])).toEqual({ loc: 'e', by: 'site' });
    expect(placeOf(index, phone(), undefined, [siteId, 'third-site'])).toEqual({ loc: 'a', by: 'site' });
  });

  it('is the nearest area above, also where areas lie in a ring', () => {
    expect(locationOfArea(index, 'room')?.by).toBe('area');
    expect(locationOfArea(index, 'floor')?.by).toBe('parent');
    expect(locationOfArea(index, 'yard')).toBeUndefined();
    expect(locationOfArea(index, 'ring')).toBeUndefined();
  });

  it('is stale after half a day, or when duty began after it was said', () => {
    const hour = 3_600_000;
    const spoken = { locationId: 'c', saidMs: hour };
    expect(isStale(spoken, 13 * hour, undefined)).toBe(false);
    expect(isStale(spoken, 13 * hour + 1, undefined)).toBe(true);
    expect(isStale(spoken, 2 * hour, hour - 1)).toBe(false);
    expect(isStale(spoken, 2 * hour, hour + 1)).toBe(true);
  });
});
