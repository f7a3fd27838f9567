/**
 * Every route of phones and emergency calls × who may call it, driven from the contract's table of routes: a new route fails here until
 * it has a request. No call goes anywhere: Kamailio is made up.
 */
import {
  permissions as allPermissions,
  phoneRoutes,
  rolePermissions,
  type Permission,
  type Role,
  type Route,
} from '@siphera/contract';
import { systemClock, systemRandom } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createParts } from './part-list.ts';
import {
  office,
  startBridgeRig,
  testOrg,
  testSite,
  yard,
  type Asked,
  type BridgeRig,
} from './testing/bridge-rig.ts';
import { civic } from './testing/location-kit.ts';

const table: Record<string, Route> = phoneRoutes;
const elsewhere = systemRandom.uuid();
const phonePermissions = allPermissions.filter(
  (name) => name.startsWith('phone.') || name === 'device.command' || name === 'incident.act',
);

let rig: BridgeRig;
const world = {
  extension: '',
  trunk: '',
  location: '',
  call: '',
  drill: systemRandom.uuid(),
  alarm: systemRandom.uuid(),
};
const revisions = { extension: 0, trunk: 0, location: 0, plan: {} as object };
type Ask = { id?: string; query?: Record<string, string>; body?: unknown };

const extensionBody = { number: '301', kind: 'phone', name: 'Gate', area_id: yard };
const trunkBody = { name: 'Main', host: '127.0.0.1', port: 9, kind: 'address', uses: ['calls'] };
const locationBody = {
  label: 'Gate house',
  site_id: testSite,
  area_ids: [yard],
  civic: civic(),
};

/** What removes things comes last. */
const requests: Record<string, () => Ask> = {
  listExtensions: () => ({}),
  createExtension: () => ({ body: { ...extensionBody, number: '302' } }),
  updateExtension: () => ({ id: world.extension, body: { ...extensionBody, revision: revisions.extension } }),
  renewExtensionSecret: () => ({ id: world.extension }),
  listTrunks: () => ({}),
  createTrunk: () => ({ body: { ...trunkBody, name: 'Spare' } }),
  updateTrunk: () => ({ id: world.trunk, body: { ...trunkBody, revision: revisions.trunk } }),
  testTrunk: () => ({ id: world.trunk }),
  getNumberPlan: () => ({}),
  getNumberPlanDefaults: () => ({ query: { country: 'AT' } }),
  putNumberPlan: () => ({ body: revisions.plan }),
  explainDialled: () => ({ body: { dialled: '911', from: '301' } }),
  getPhoneHealth: () => ({}),
  unbanAddress: () => ({ body: { address: '10.0.0.66' } }),
  getSoftphone: () => ({}),
  listPhoneBook: () => ({}),
  listPhoneCalls: () => ({ query: { of: 'all' } }),
  listLiveCalls: () => ({}),
  endPhoneCall: () => ({ id: world.call }),
  openDoorOfCall: () => ({ id: world.call }),
  listAlarmCalls: () => ({}),
  stopAlarmCall: () => ({ id: world.alarm }),
  getEmergencyInfo: () => ({}),
  listEmergencyLocations: () => ({}),
  createEmergencyLocation: () => ({ body: { ...locationBody, label: 'Office', area_ids: [office] } }),
  updateEmergencyLocation: () => ({
    id: world.location,
    body: { ...locationBody, revision: revisions.location },
  }),
  checkEmergencyLocation: () => ({ body: locationBody }),
  confirmEmergencyLocation: () => ({ id: world.location }),
  previewLocationImport: () => ({ body: { csv: 'label\n', site_id: testSite } }),
  importLocations: () => ({ body: { csv: 'label\n', site_id: testSite } }),
  getLocationCoverage: () => ({}),
  getMyLocation: () => ({}),
  putMyLocation: () => ({ body: { location_id: world.location } }),
  listEmergencyCalls: () => ({}),
  listDrills: () => ({}),
  startDrill: () => ({ body: { name: 'Drill', site_id: testSite, location_ids: [world.location] } }),
  getDrill: () => ({ id: world.drill }),
  stopDrill: () => ({ id: world.drill }),
  deleteEmergencyLocation: () => ({ id: world.location }),
  deleteTrunk: () => ({ id: world.trunk }),
  deleteExtension: () => ({ id: world.extension }),
};
const names = Object.keys(requests);
const guarded = names.filter((name) => table[name]?.access !== 'public');

beforeAll(async () => {
  rig = await startBridgeRig({ parts: createParts });
  const made = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
    const answer = await rig.rest('POST', path, body);
    expect({ path, answer }).toMatchObject({ path, answer: { status: 201 } });
    return answer.body as Record<string, unknown>;
  };
  const { extension } = await made('/sip/extensions', extensionBody);
  const trunk = await made('/sip/trunks', trunkBody);
  const location = await made('/sip/emergency/locations', locationBody);
  Object.assign(world, {
    extension: (extension as { id: string }).id,
    trunk: trunk['id'],
    location: location['id'],
  });
  Object.assign(revisions, { extension: 1, trunk: 1, location: location['revision'] });
  // What all parts say goes together.
  await rig.published();
  revisions.plan = (await rig.rest('GET', '/sip/plan')).body as object;
  rig.kamailio.report({
    kind: 'call',
    at_ms: systemClock.now(),
    call: 'matrix',
    state: 'dialled',
    direction: 'internal',
    from: '301',
    to: '301',
  });
  await waitFor('the call is there', () => {
    world.call = rig.bridge.ground.db.prepare<[], string>('SELECT id FROM calls').pluck().get() ?? '';
    return world.call !== '';
  });
  const { db } = rig.bridge.ground;
  db.prepare(
    `INSERT INTO drills (id, org_id, site_id, name, location_ids, state, started_ms, started_by, ended_ms)
     VALUES (?, ?, ?, 'Before', '[]', 'done', 1, 'Ada', 2)`,
  ).run(world.drill, testOrg, testSite);
  db.prepare(
    `INSERT INTO alarm_calls (id, org_id, incident_id, say, targets, rounds, ring_s, scopes, state, started_ms, ended_ms)
     VALUES (?, ?, ?, 'Fire', '[]', 1, 20, ?, 'stopped', 1, 2)`,
  ).run(
    world.alarm,
    testOrg,
    systemRandom.uuid(),
    JSON.stringify([`area:${yard}`, `site:${testSite}`, `org:${testOrg}`]),
  );
});
afterAll(() => rig.stop());

async function ask(name: string, asked: Asked | undefined): Promise<{ code: string; text: string }> {
  const route = table[name];
  const { id = '', query, body } = requests[name]?.() ?? {};
  const path = (route?.path ?? '').replace('{id}', id);
  const search = query ? `?${new URLSearchParams(query).toString()}` : '';
  const answer = await fetch(`${rig.url}/api/v1${path}${search}`, {
    method: (route?.method ?? 'get').toUpperCase(),
    headers: {
      ...(asked === undefined ? {} : { authorization: `Bearer ${rig.token(asked)}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { code: answer.ok ? 'ok' : (JSON.parse(text) as { code: string }).code, text };
}
const having = (permissions: readonly Permission[], scope = `org:${testOrg}`, org = testOrg): Asked => ({
  as: [{ permissions: [...permissions], scope }],
  org,
});
/** Runs through routes. @returns those that answered otherwise. */
async function wrong(
  who: (name: string) => Asked | undefined,
  fits: (name: string, code: string, text: string) => boolean,
  which: readonly string[] = guarded,
): Promise<string[]> {
  const found: string[] = [];
  for (const name of which) {
    const { code, text } = await ask(name, who(name));
    if (!fits(name, code, text)) found.push(`${name}: ${code}`);
  }
  return found;
}
const isChange = (name: string): boolean =>
  table[name]?.method !== 'get' && !['checkEmergencyLocation', 'explainDialled'].includes(name);
const namesThings = (name: string): boolean => {
  const text = JSON.stringify(requests[name]?.());
  return [...Object.values(world), yard, office, testSite].some((id) => text.includes(id));
};
const shows = (text: string): boolean => Object.values(world).some((id) => text.includes(id));

describe('every route of phones', () => {
  it('has a request in this test', () => {
    expect(Object.keys(table).filter((name) => !(name in requests))).toEqual([]);
  });

  it('refuses who has not signed in, unless it is public', async () => {
    expect(
      await wrong(
        () => undefined,
        (_name, code) => code === 'unauthenticated',
      ),
    ).toEqual([]);
    expect((await ask('getEmergencyInfo', undefined)).code).toBe('ok');
  });

  it('refuses who holds every permission but the one it names', async () => {
    const but = (name: string): Asked =>
      having(allPermissions.filter((permission) => permission !== table[name]?.access));
    expect(await wrong(but, (_name, code) => code === 'forbidden')).toEqual([]);
  });

  it('refuses each role that does not hold its permission', async () => {
    for (const role of Object.keys(rolePermissions) as Role[]) {
      const lacking = guarded.filter(
        (name) => !(rolePermissions[role] as readonly string[]).includes(table[name]?.access ?? ''),
      );
      expect({
        role,
        wrong: await wrong(
          () => ({ as: role }),
          (_name, code) => code === 'forbidden',
          lacking,
        ),
      }).toEqual({
        role,
        wrong: [],
      });
    }
  });

  it('lets the plan be changed by who manages phones on the whole organisation alone', async () => {
    const managing = guarded.filter((name) => table[name]?.access === 'phone.manage');
    const ofSite = having(phonePermissions, `site:${testSite}`);
    expect(
      await wrong(
        () => ofSite,
        (name, code) => ['forbidden', 'not_found'].includes(code) || isOfSite(name),
        managing,
      ),
    ).toEqual([]);
  });

  it('keeps the things of another organisation out of reach', async () => {
    const stranger = having(phonePermissions, `org:${elsewhere}`, elsewhere);
    const refusals = [
      'not_found',
      'forbidden',
      'unprocessable',
      'conflict',
      'validation_failed',
      'unavailable',
      'duplicate',
    ];
    expect(
      await wrong(
        () => stranger,
        (name, code, text) => refusals.includes(code) || (code === 'ok' && !shows(text) && !isChange(name)),
        guarded.filter(namesThings),
      ),
    ).toEqual([]);
    const lists = guarded.filter((name) => table[name]?.method === 'get' && !table[name].path.includes('{'));
    expect(
      await wrong(
        () => stranger,
        (_name, _code, text) => !shows(text),
        lists,
      ),
    ).toEqual([]);
  });

  it('keeps calls, alarm calls and drills of one area out of reach of who may do everything in another', async () => {
    const neighbour = having(phonePermissions, `area:${office}`);
    // Who opens a door is judged by core, by the door's own place.
    const ofYard = ['endPhoneCall', 'stopAlarmCall', 'getDrill', 'stopDrill'];
    expect(
      await wrong(
        () => neighbour,
        (_name, code) => ['not_found', 'forbidden'].includes(code),
        ofYard,
      ),
    ).toEqual([]);
    const shown = await wrong(
      () => neighbour,
      (_name, _code, text) => ![world.call, world.alarm, world.drill].some((id) => text.includes(id)),
      ['listPhoneCalls', 'listLiveCalls', 'listAlarmCalls', 'listDrills'],
    );
    expect(shown).toEqual([]);
  });

  it('does what an admin asks', async () => {
    const admin = rig.core.directory.addPerson(testOrg, 'Ada', 'admin');
    await waitFor('she is known', () => rig.bridge.ground.people.get(admin.id), 30_000);
    const asAdmin: Asked = { as: 'admin', sub: admin.id };
    // There is no door, no call that Kamailio knows, no trunk for drills, no drill that runs, and nothing to import.
    const cannot = [
      'endPhoneCall',
      'openDoorOfCall',
      'startDrill',
      'stopDrill',
      'stopAlarmCall',
      'previewLocationImport',
      'importLocations',
    ];
    const done = await wrong(
      () => asAdmin,
      (_name, code) => code === 'ok',
      names.filter((name) => !cannot.includes(name)),
    );
    expect(done).toEqual([]);
    expect(
      await wrong(
        () => asAdmin,
        (_name, code) => !['forbidden', 'unauthenticated', 'internal'].includes(code),
        cannot,
      ),
    ).toEqual([]);
  });
});

/** Changes that are of a site: who manages phones there may make them. */
const isOfSite = (name: string): boolean => ['checkEmergencyLocation', 'endPhoneCall'].includes(name);
