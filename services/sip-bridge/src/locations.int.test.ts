/** Dispatchable locations over REST, what Kamailio gets of them, and where people are. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  EmergencyInfo,
  EmergencyLocation,
  ImportReport,
  LocationCoverage,
  MyLocation as MyLocationView,
  type Role,
} from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import { fakeClock, waitFor } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { office, testOrg, testSite } from './testing/bridge-rig.ts';
import { startEmergencyRig, type EmergencyRig } from './testing/emergency-kit.ts';
import { civic } from './testing/location-kit.ts';

const otherSite = '0192f000-0000-7000-8000-000000000003';
const gil = '0192f000-0000-7000-8000-0000000000b1';
const clock = fakeClock();
/** The wall clock alone: on the other one hang timeouts of connections. */
const advance = (ms: number): void => clock.set(clock.now() + ms);
let rig: EmergencyRig;
let trunk = '';

beforeAll(async () => {
  rig = await startEmergencyRig({
    clock,
    before: (core) => {
      core.directory.addSite({ id: otherSite, org_id: testOrg, name: 'Depot', time_zone: 'America/Denver' });
      core.directory.addPerson(testOrg, 'Gil Guard', 'guard', { id: gil, site_ids: [testSite] });
    },
    fill: (book) => {
      trunk = book.addTrunk({
        location_style: 'pidf-lo',
        numbers: [{ number: '+13035550100', extension: '2001' }],
      }).id;
      book.add('2000', { name: 'Desk' });
      book.add('2001', { kind: 'user', name: 'Gil', user_id: gil });
      book.add('2002', { name: 'Office phone', area_id: office });
      book.numberPlan = { ...book.numberPlan, desk: '2000' };
    },
  });
}, 60_000);
afterAll(() => rig.stop());

const input = (label: string, change: Record<string, unknown> = {}) => ({
  label,
  site_id: testSite,
  civic: civic(),
  ...change,
});
async function add(label: string, change: Record<string, unknown> = {}): Promise<EmergencyLocation> {
  const { status, body } = await rig.rest('POST', '/sip/emergency/locations', input(label, change));
  expect(body).toMatchObject({ label });
  expect(status).toBe(201);
  return EmergencyLocation.parse(body);
}
const list = async (as: Role = 'admin'): Promise<EmergencyLocation[]> => {
  const { body } = await rig.rest('GET', '/sip/emergency/locations', undefined, { as });
  return z.object({ items: z.array(EmergencyLocation) }).parse(body).items;
};
const info = (): unknown =>
  JSON.parse(readFileSync(join(rig.directory, 'sip', 'public', 'emergency.json'), 'utf8'));
const setting = async (): Promise<Record<string, string>> => {
  await rig.published();
  return rig.table('setting');
};

describe('locations', () => {
  it('are added, changed with the revision that was read, and confirmed until their address changes', async () => {
    const lobby = await add('Lobby', { is_default: true, networks: ['10.1.0.0/16'], area_ids: [office] });
    expect(lobby).toMatchObject({ revision: 1, validated_at: null, org_id: testOrg, last_drill: null });
    expect(lobby.findings.map(({ field }) => field)).toEqual(['callback_number', 'validated_at']);
    const path = `/sip/emergency/locations/${lobby.id}`;
    const confirmed = await rig.rest('POST', `${path}/confirm`);
    expect(confirmed.body).toMatchObject({ validated_by: 'Ada Admin', revision: 2 });

    const body = input('Lobby', { is_default: true, area_ids: [office], callback_number: '+13035550100' });
    const stale = await rig.rest('PUT', path, { ...body, revision: 1 });
    expect(stale).toMatchObject({ status: 409, body: { code: 'conflict' } });
    const changed = await rig.rest('PUT', path, { ...body, revision: 2 });
    expect(changed.body).toMatchObject({ revision: 3, validated_at: null, callback_number: '+13035550100' });
    expect(rig.core.audits.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['emergency_location.create']),
    );
  });

  it('are refused with the field that is wrong', async () => {
    const wrong = input('Wrong', { civic: civic({ A1: 'Colorado', HNO: '' }), area_ids: [office] });
    const { status, body } = await rig.rest('POST', '/sip/emergency/locations', wrong);
    expect(status).toBe(400);
    const { errors } = z.object({ errors: z.array(z.object({ path: z.string() })) }).parse(body);
    expect(errors.map(({ path }) => path)).toEqual(['body.civic.HNO', 'body.civic.A1', 'body.area_ids']);
    expect((await list()).map(({ label }) => label)).toEqual(['Lobby']);
  });

  it('are checked without being kept, the one that is being changed not against itself', async () => {
    const [lobby] = await list();
    const check = async (body: unknown) =>
      z
        .object({
          findings: z.array(z.object({ field: z.string(), level: z.string() })),
          pidf_lo: z.string(),
        })
        .parse((await rig.rest('POST', '/sip/emergency/locations/check', body)).body);
    const again = { ...input('LOBBY', { area_ids: [office] }) };
    const errors = (found: Awaited<ReturnType<typeof check>>) =>
      found.findings.filter(({ level }) => level === 'error').map(({ field }) => field);
    expect(errors(await check(again))).toEqual(['area_ids', 'label']);
    expect(errors(await check({ ...again, id: lobby?.id }))).toEqual([]);
    expect((await check(again)).pidf_lo).toContain('<ca:A3>Denver</ca:A3>');
  });

  it('reach Kamailio with their PIDF-LO, ranges and settings, and everybody by labels alone', async () => {
    const [lobby] = await list();
    const id = lobby?.id ?? '';
    expect(await setting()).toEqual({ default_location: id, callback: '+13035550100', notice: '2000 2001' });
    expect(rig.table('location')[id]).toBe(`label=Lobby;callback=+13035550100;site=${testSite}`);
    expect(rig.table('pidf')[id]).toContain('<ca:HNO>1400</ca:HNO>');
    expect(info()).toMatchObject({
      domain: 'box.test',
      ready: true,
      default_location_id: id,
      locations: [{ id, label: 'Lobby', nearest_phone: null }],
    });
    const path = join(rig.directory, 'sip', 'public', 'emergency.json');
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(existsSync(`${path}.tmp`)).toBe(false);
    const open = await fetch(`${rig.url}/api/v1/sip/emergency/info`);
    expect(EmergencyInfo.parse(await open.json())).toEqual(info());
  });

  it('are seen by guards, and changed by admins alone', async () => {
    expect((await list('guard')).map(({ label }) => label)).toEqual(['Lobby']);
    const refused = await rig.rest('POST', '/sip/emergency/locations', input('New'), { as: 'guard' });
    expect(refused.status).toBe(403);
    const elsewhere = [
      { permissions: ['phone.read' as const, 'phone.manage' as const], scope: `site:${otherSite}` },
    ];
    const seen = await rig.rest('GET', '/sip/emergency/locations', undefined, { as: elsewhere });
    expect(seen.body).toEqual({ items: [] });
    const made = await rig.rest('POST', '/sip/emergency/locations', input('New'), { as: elsewhere });
    expect(made.status).toBe(403);
  });

  it('give the default of the site on, and go only when no phone would lose its place', async () => {
    const [lobby] = await list();
    const spare = await add('Spare', { is_default: true });
    expect((await list()).filter((one) => one.is_default).map(({ label }) => label)).toEqual(['Spare']);
    const refused = await rig.rest('DELETE', `/sip/emergency/locations/${spare.id}`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'in_use' } });
    const back = await rig.rest('PUT', `/sip/emergency/locations/${lobby?.id}`, {
      ...input('Lobby', { is_default: true, area_ids: [office], callback_number: '+13035550100' }),
      networks: ['10.1.0.0/16'],
      revision: 4,
    });
    expect(back.body).toMatchObject({ is_default: true });
    const named = rig.book.add('2005', { location_id: spare.id });
    const still = await rig.rest('DELETE', `/sip/emergency/locations/${spare.id}`);
    expect(still.body).toMatchObject({ detail: expect.stringContaining('2005') });
    rig.book.numbers.splice(rig.book.numbers.indexOf(named), 1);
    rig.book.changed();
    expect((await rig.rest('DELETE', `/sip/emergency/locations/${spare.id}`)).status).toBe(204);
    await rig.published();
    expect(Object.keys(rig.table('location'))).toEqual([lobby?.id]);
    expect(rig.planRows('SELECT ip_addr, mask, tag FROM address WHERE grp = 2')).toEqual([
      { ip_addr: '10.1.0.0', mask: 16, tag: lobby?.id },
    ]);
  });

  it('come from a CSV: all rows or none, each bad cell named', async () => {
    const csv = (rows: string): { csv: string; site_id: string } => ({
      csv: `label,areas,A1,A3,RD,HNO,PC,FLR\n${rows}`,
      site_id: testSite,
    });
    const good = 'Yard gate,Yard,CO,Denver,Larimer Street,1402,80202,1\n';
    const bad = `${good}Roof,Nowhere,CO,Denver,,1402,80202,9\n`;
    const report = async (path: string, body: unknown) =>
      ImportReport.parse((await rig.rest('POST', `/sip/emergency/locations/import${path}`, body)).body);
    const refused = await report('', csv(bad));
    expect(refused).toMatchObject({ applied: false, ok: 1, bad: 1 });
    expect(refused.rows[1]?.errors.map(({ column }) => column)).toEqual(['areas', 'rd']);
    expect(await list()).toHaveLength(1);
    expect(await report('/preview', csv(good))).toMatchObject({ applied: false, ok: 1, bad: 0 });
    expect(await list()).toHaveLength(1);
    expect(await report('', csv(good))).toMatchObject({ applied: true, rows: [{ action: 'create' }] });
    expect((await list()).map(({ label }) => label)).toEqual(['Lobby', 'Yard gate']);
    expect(await report('', csv(good))).toMatchObject({ applied: true, rows: [{ action: 'unchanged' }] });
  });

  it('cover areas, phones and trunks, or say what is missing', async () => {
    const { body } = await rig.rest('GET', '/sip/emergency/coverage', undefined, { as: 'guard' });
    const coverage = LocationCoverage.parse(body);
    expect(coverage.areas.map(({ area_name: name, by }) => [name, by])).toEqual([
      ['Yard', 'area'],
      ['Office', 'area'],
    ]);
    expect(coverage.extensions.map(({ number, by, callback }) => [number, by, callback])).toEqual([
      ['2000', 'site', '+13035550100'],
      ['2001', 'site', '+13035550100'],
      ['2002', 'area', '+13035550100'],
    ]);
    expect(rig.book.numbers.map((one) => rig.book.locate(one))).toEqual([
      undefined,
      undefined,
      { loc: expect.any(String), by: 'area', label: 'Lobby' },
    ]);
    expect(coverage.trunks).toEqual([{ trunk_id: trunk, name: 'Main', style: 'pidf-lo', missing: [] }]);
  });
});

type MyLocation = z.infer<typeof MyLocationView>;

describe('where I am', () => {
  const mine = async (): Promise<MyLocation> =>
    MyLocationView.parse(
      (await rig.rest('GET', '/sip/my-location', undefined, { as: 'guard', sub: gil })).body,
    );

  it('is what I said, until half a day has gone or my duty begins anew', async () => {
    const [, gate] = await list();
    expect(await mine()).toMatchObject({ by: 'site', label: 'Lobby', stale: true });
    const said = await rig.rest(
      'PUT',
      '/sip/my-location',
      { location_id: gate?.id },
      { as: 'guard', sub: gil },
    );
    expect(said.body).toEqual({
      location_id: gate?.id,
      label: 'Yard gate',
      by: 'said',
      at: toRfc3339(clock.now()),
      stale: false,
    });
    advance(13 * 3_600_000);
    expect(await mine()).toMatchObject({ label: 'Yard gate', stale: true });

    await rig.rest('PUT', '/sip/my-location', { location_id: gate?.id }, { as: 'guard', sub: gil });
    expect(await mine()).toMatchObject({ stale: false });
    advance(60_000);
    rig.core.directory.changePerson(gil, { on_duty: true });
    await waitFor('the duty began after it was said', async () => (await mine()).stale);
  });

  it('is said by people, about places of their own organisation', async () => {
    const key = await rig.rest('PUT', '/sip/my-location', { location_id: gil }, { kind: 'api_key' });
    expect(key.status).toBe(403);
    const nowhere = await rig.rest(
      'PUT',
      '/sip/my-location',
      { location_id: gil },
      { as: 'guard', sub: gil },
    );
    expect(nowhere.status).toBe(404);
  });

  it('tells Kamailio who on duty is to hear of a call', async () => {
    const guest = rig.core.directory.addPerson(testOrg, 'Vera Viewer', 'viewer', { on_duty: true });
    rig.book.add('2003', { kind: 'user', user_id: guest.id });
    rig.book.add('2004', { kind: 'user', user_id: rig.core.directory.addPerson(testOrg, 'Off', 'guard').id });
    await waitFor('the bridge knows them', () => rig.bridge.ground.people.get(guest.id));
    await waitFor('the notice goes to the desk and the guard on duty', async () => {
      return (await setting())['notice'] === '2000 2001';
    });
  });
});
