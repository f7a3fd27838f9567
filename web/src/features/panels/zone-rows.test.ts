import { describe, expect, it } from 'vitest';
import { repeatedZones, toZoneDrafts, toZoneRows } from './zone-rows.ts';
import { makeKey, toDraft, toSettings } from './account-draft.ts';

describe('the zone map as a table', () => {
  it('comes out as it went in', () => {
    const rows = [
      { partition: '01', zone: '005', name: 'Loading dock door', device_id: null, area_id: null },
      { partition: '01', zone: null, name: 'Ground floor', device_id: null, area_id: 'a' },
    ];
    expect(toZoneRows(toZoneDrafts(rows))).toEqual(rows);
  });

  it('points at the later row of two that name the same zone', () => {
    const row = { partition: '01', zone: '005', name: 'x', device_id: '', area_id: '' };
    expect([...repeatedZones([row, { ...row, zone: '006' }, { ...row, zone: ' 005 ' }])]).toEqual([2]);
  });
});

describe('settings of an account', () => {
  it('sends no key when none was typed, so that the old one stays', () => {
    expect(toSettings({ ...toDraft(undefined), name: 'Panel', site_id: 's' })).not.toHaveProperty('key_hex');
  });

  it('takes a key with spaces as people read it out', () => {
    const draft = { ...toDraft(undefined), key_hex: '0011 2233 4455 6677 8899 AABB CCDD EEFF' };
    expect(toSettings(draft)).toMatchObject({ key_hex: '00112233445566778899AABBCCDDEEFF' });
  });

  it('switches supervision off as null', () => {
    expect(toSettings({ ...toDraft(undefined), supervised: false }).supervision_ms).toBeNull();
  });

  it('makes a fresh AES-128 key each time', () => {
    expect(makeKey()).toMatch(/^[0-9A-F]{32}$/);
    expect(makeKey()).not.toBe(makeKey());
  });
});
