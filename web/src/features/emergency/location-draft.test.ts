import { describe, expect, it } from 'vitest';
import type { Location } from '#features/emergency/emergency-types.ts';
import { toBody, toDraft } from '#features/emergency/location-draft.ts';

const id = '01939f3c-0000-7000-8000-000000000001';
const lobby: Location = {
  id,
  org_id: id,
  revision: 1,
  label: 'Lobby',
  site_id: id,
  area_ids: [id],
  networks: ['10.1.0.0/24'],
  civic: {
    country: 'US', A1: 'NY', A2: '', A3: 'New York', RD: 'Broadway', STS: '', PRD: '', POD: '', HNO: '350', HNS: '',
    PC: '10013', BLD: '', FLR: '1', UNIT: '', ROOM: 'Lobby', LMK: '', LOC: '', NAM: 'Harbour Logistics',
  }, // prettier-ignore
  callback_number: '+15550100',
  provider_id: '',
  is_default: true,
  nearest_phone: '2001',
  findings: [],
  validated_at: null,
  validated_by: null,
  last_drill: null,
};

describe('a place in its form', () => {
  it('comes out as it went in', () => {
    const { label, site_id, area_ids, networks, civic, callback_number } = lobby;
    expect(toBody(toDraft(lobby))).toMatchObject({
      label,
      site_id,
      area_ids,
      networks,
      civic,
      callback_number,
    });
  });

  it('begins a further place with the address of the house, and without the floor and room of the other', () => {
    const draft = toDraft(undefined, lobby);
    expect(draft.civic).toMatchObject({ RD: 'Broadway', HNO: '350', PC: '10013', FLR: '', ROOM: '' });
    expect(draft).toMatchObject({ label: '', is_default: false, callback_number: '', area_ids: [] });
  });
});
