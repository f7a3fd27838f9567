import { describe, expect, it } from 'vitest';
import { areaWithin } from '#features/places/area-tree.ts';
import { fits, parseTags, troubleStatus, type DeviceFilter } from './device-filter.ts';
import type { Device } from './devices.store.ts';

const device = (more: Partial<Device> = {}): Device => ({
  id: 'd',
  org_id: 'o',
  site_id: 's',
  area_id: 'dock',
  area_name: 'Loading dock',
  parent_id: null,
  kind: 'door',
  name: 'Loading dock door',
  external_id: 'D-17',
  tags: ['perimeter'],
  place: null,
  status: 'online',
  conditions: [],
  state: 'locked',
  enrolled: false,
  created_at: '2026-11-22T06:00:00Z',
  revision: 1,
  ...more,
});
const all: DeviceFilter = { q: '', kind: '', status: '', areaIds: undefined };

describe('the filter of devices', () => {
  it('counts as in need of attention what is away or reports a condition', () => {
    const trouble = { ...all, status: troubleStatus };
    expect(fits(device(), trouble)).toBe(false);
    expect(fits(device({ status: 'unavailable' }), trouble)).toBe(true);
    expect(fits(device({ conditions: ['low_battery'] }), trouble)).toBe(true);
  });

  it('finds a device by serial and by tag', () => {
    expect(fits(device(), { ...all, q: 'd-17' })).toBe(true);
    expect(fits(device(), { ...all, q: 'perimeter' })).toBe(true);
    expect(fits(device(), { ...all, q: 'archive' })).toBe(false);
  });

  it('holds what lies in the chosen area, and ends on a loop in the data', () => {
    const areas = [
      { id: 'ground', parent_id: null, name: 'Ground' },
      { id: 'dock', parent_id: 'ground', name: 'Dock' },
      { id: 'a', parent_id: 'b', name: 'A' },
      { id: 'b', parent_id: 'a', name: 'B' },
    ];
    expect(fits(device(), { ...all, areaIds: areaWithin(areas, 'ground') })).toBe(true);
    expect([...areaWithin(areas, 'a')]).toEqual(['a', 'b']);
  });

  it('reads tags as a person types them', () => {
    expect(parseTags(' Lab, perimeter;lab  ')).toEqual(['lab', 'perimeter']);
  });
});
