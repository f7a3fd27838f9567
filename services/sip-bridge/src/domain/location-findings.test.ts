import { TrunkInput } from '@siphera/contract';
import { describe, expect, it } from 'vitest';
import { civic, location, locationInput, siteId, surroundings } from '../testing/location-kit.ts';
import type { Finding } from './civic-address.ts';
import { errorsOf, locationFindings } from './location-findings.ts';
import { neighboursOf } from './location-neighbours.ts';

const trunk = (change: Record<string, unknown> = {}) =>
  TrunkInput.parse({ name: 'Main', host: 'sip.test', kind: 'address', uses: ['emergency'], ...change });
const fieldsOf = (findings: Finding[], level: Finding['level']): string[] =>
  findings.filter((one) => one.level === level).map(({ field }) => field);
const good = { is_default: true, callback_number: '+13035550100' };
const around = surroundings({
  trunks: [trunk({ numbers: [{ number: '+13035550100', extension: '2001' }] })],
});

describe('findings on a dispatchable location', () => {
  it('has none for a whole address with a call-back that rings here', () => {
    expect(locationFindings(locationInput(good), around)).toEqual([]);
  });

  it.each([
    ['US', ['A1', 'A3', 'RD', 'HNO', 'PC']],
    ['CA', ['A1', 'A3', 'RD', 'HNO', 'PC']],
    ['AT', ['A3', 'RD', 'HNO', 'PC']],
    ['KE', ['A3', 'RD']],
  ])('names each element that is required in %s', (country, elements) => {
    const empty = civic({ country, A1: '', A3: '', RD: '', HNO: '', PC: '' });
    const findings = locationFindings(locationInput({ ...good, civic: empty }), around);
    expect(fieldsOf(findings, 'error')).toEqual(elements.map((name) => `civic.${name}`));
    for (const { message } of findings) expect(message).toMatch(/missing/);
  });

  it.each([
    ['A1', { A1: 'Colorado' }],
    ['A1', { A1: 'XX' }],
    ['PC', { PC: '8020' }],
    ['A1', { country: 'CA', PC: 'K1A 0B1' }],
    ['PC', { country: 'CA', A1: 'ON' }],
    ['country', { country: 'XQ' }],
    ['LOC', { LOC: 'one\ntwo' }],
    ['ROOM', { ROOM: 'half a pair \uD800' }],
  ])('takes no wrong %s: %j', (element, change) => {
    const findings = locationFindings(locationInput({ ...good, civic: civic(change) }), around);
    expect(fieldsOf(findings, 'error')).toContain(`civic.${element}`);
  });

  it('warns of a place that is not told apart from others in its building', () => {
    const lobby = locationInput({ ...good, civic: civic({ FLR: '', ROOM: '' }) });
    expect(locationFindings(lobby, around)).toEqual([]);
    const second = { ...around, neighbours: neighboursOf([location('b')]) };
    expect(fieldsOf(locationFindings(lobby, second), 'warning')).toEqual(['civic.FLR']);
  });

  it('warns of a call-back that is missing, that no trunk has, or that two places share by ELIN', () => {
    const warnings = (change: Record<string, unknown>, trunks: TrunkInput[]): string[] =>
      fieldsOf(locationFindings(locationInput({ ...good, ...change }), { ...around, trunks }), 'warning');
    expect(warnings({ callback_number: null }, [])).toEqual(['callback_number']);
    expect(warnings({ callback_number: '+13035550199' }, [...around.trunks] as TrunkInput[])).toEqual([
      'callback_number',
    ]);
    const elin = trunk({ location_style: 'elin', numbers: [{ number: '+13035550100', extension: '2001' }] });
    const neighbours = neighboursOf([location('b', { callback_number: '+13035550100' })]);
    const shared = locationFindings(locationInput(good), { ...around, trunks: [elin], neighbours });
    expect(shared.map(({ message }) => message).join()).toContain('cannot tell them apart');
  });

  it('warns of a missing provider id only while a trunk for emergency calls needs one', () => {
    const needing = trunk({ location_style: 'provider-id' });
    const warnings = (trunks: TrunkInput[]): string[] =>
      fieldsOf(locationFindings(locationInput(good), { ...around, trunks }), 'warning');
    expect(warnings([needing])).toContain('provider_id');
    expect(warnings([{ ...needing, enabled: false }])).not.toContain('provider_id');
    expect(warnings([{ ...needing, uses: ['calls'] }])).not.toContain('provider_id');
  });

  it('warns of an address that nobody confirmed, of a nearest phone that is not there, and of a site without default', () => {
    const made = location('a', { ...good, validated_ms: null, nearest_phone: '2009', is_default: false });
    const findings = locationFindings(made, { ...around, isExtension: () => false });
    expect(fieldsOf(findings, 'warning')).toEqual(['is_default', 'nearest_phone', 'validated_at']);
    expect(errorsOf(findings)).toEqual([]);
  });

  it('takes no area of another site, no area twice, no network that meets another one, no label twice', () => {
    const areas = new Map([
      ['here', { site_id: siteId, name: 'Here' }],
      ['there', { site_id: 'other', name: 'There' }],
    ]);
    const neighbours = neighboursOf([
      location('b', { area_ids: ['here'], networks: ['10.1.0.0/16', 'fd00::/64'], label: 'LOBBY' }),
    ]);
    const made = {
      ...locationInput(good),
      area_ids: ['here', 'there', 'nowhere'],
      networks: ['10.1.2.3', '10.2.0.0/16', 'fd00::12', '0.0.0.0/0'],
    };
    const findings = errorsOf(locationFindings(made, { ...around, areas, neighbours }));
    expect(findings.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'area_ids: "Here" is in "LOBBY" already',
      'area_ids: "There" is not of this site',
      'area_ids: an area is not of this site',
      'networks: 10.1.2.3 meets 10.1.0.0/16 of "LOBBY"',
      'networks: fd00::12 meets fd00::/64 of "LOBBY"',
      'networks: 0.0.0.0/0 is every address there is',
      'networks: 0.0.0.0/0 meets 10.1.0.0/16 of "LOBBY"',
      'label: another location of this site is called so',
    ]);
  });

  it('takes no provider id that could be read as another field of Kamailio', () => {
    expect(
      fieldsOf(locationFindings(locationInput({ ...good, provider_id: 'a=b' }), around), 'error'),
    ).toEqual(['provider_id']);
  });
});
