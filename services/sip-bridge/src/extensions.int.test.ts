/** Numbers of the house over REST, down to what Kamailio is given of them. */
import type { ExtensionView } from '@siphera/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemRandom } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { ha1Of } from './domain/extensions.ts';
import { office, sipDomain, startBridgeRig, testOrg, type BridgeRig } from './testing/bridge-rig.ts';

let rig: BridgeRig;
beforeAll(async () => {
  rig = await startBridgeRig();
});
afterAll(() => rig.stop());

const path = '/sip/extensions';
type Made = { extension: ExtensionView; secret: string | null };

async function add(body: Record<string, unknown>): Promise<Made> {
  const { status, body: made } = await rig.rest('POST', path, { name: 'Phone', kind: 'phone', ...body });
  expect({ status, made }).toMatchObject({ status: 201 });
  return made as Made;
}
const fieldsOf = (value: string | undefined): Record<string, string> =>
  Object.fromEntries((value ?? '').split(';').map((field) => field.split('=') as [string, string]));
const detailOf = (body: unknown): string => (body as { detail: string }).detail;

describe('numbers of the house', () => {
  it('give a phone its secret once, and Kamailio the HA1 of it alone', async () => {
    const { extension, secret } = await add({ number: '201', name: 'Gate; "north"', area_id: office });
    expect(extension).toMatchObject({ number: '201', has_secret: true, contacts: [], location_label: null });
    await rig.published();
    const account = fieldsOf(rig.table('account')[extension.auth_username]);
    expect(account).toEqual({
      number: '201',
      kind: 'phone',
      ha1: ha1Of(extension.auth_username, sipDomain, secret ?? ''),
    });
    expect(fieldsOf(rig.table('number')['201'])).toEqual({
      kind: 'phone',
      name: 'Gate north',
      classes: 'internal',
      cap: '100',
      ring: '30',
    });
    const { body } = await rig.rest('GET', path);
    expect(JSON.stringify(body)).not.toContain(secret);
    expect(JSON.stringify(rig.log)).not.toContain(secret);
    const rows = rig.bridge.ground.db.prepare('SELECT * FROM extensions').all();
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  it('take a new secret, and the old one ends at once', async () => {
    const { extension } = await add({ number: '202' });
    await rig.published();
    const before = rig.table('account')[extension.auth_username];
    const { body } = await rig.rest('POST', `${path}/${extension.id}/secret`);
    await rig.published();
    const { secret } = body as { secret: string };
    const now = rig.table('account')[extension.auth_username];
    expect(now).not.toBe(before);
    expect(fieldsOf(now)['ha1']).toBe(ha1Of(extension.auth_username, sipDomain, secret));
  });

  it('are refused where they would hide an emergency number, with the reason', async () => {
    for (const number of ['911', '9911', '112', '91']) {
      const { status, body } = await rig.rest('POST', path, { number, name: 'Bad', kind: 'phone' });
      expect({ number, status }).toEqual({ number, status: 422 });
      expect(detailOf(body)).toMatch(/is dialled for help/);
    }
  });

  it('are there once, and refer to what is there', async () => {
    await add({ number: '203' });
    const again = await rig.rest('POST', path, { number: '203', name: 'Again', kind: 'phone' });
    expect(again.status).toBe(409);
    const group = { number: '604', name: 'Group', kind: 'group', members: ['203', '999'] };
    expect(detailOf((await rig.rest('POST', path, group)).body)).toMatch(/nobody in the house has 999/);
    const nowhere = { number: '205', name: 'A', kind: 'phone', area_id: testOrg };
    expect(detailOf((await rig.rest('POST', path, nowhere)).body)).toMatch(/no such area/);
    const shown = { number: '205', name: 'A', kind: 'phone', outside_number: '+15550199' };
    expect(detailOf((await rig.rest('POST', path, shown)).body)).toMatch(/no number of a trunk/);
  });

  it('are given to somebody of whom core has not told yet, and to nobody whom core does not know', async () => {
    const { directory } = rig.core;
    const known = directory.addPerson(testOrg, 'Ada', 'guard');
    // Written, and not on the feed yet.
    const made = { ...known, id: systemRandom.uuid(), name: 'Ben' };
    await waitFor('she is known', () => rig.bridge.ground.people.get(known.id), 30_000);
    directory.people.set(made.id, made);
    expect(rig.bridge.ground.people.get(made.id)).toBeUndefined();
    const { extension } = await add({ number: '2102', name: 'Ben', kind: 'user', user_id: made.id });
    expect(extension.user_id).toBe(made.id);
    const nobody = { number: '2103', name: 'Nobody', kind: 'user', user_id: systemRandom.uuid() };
    expect(detailOf((await rig.rest('POST', path, nobody)).body)).toMatch(/there is no such person/);
  });

  it('stay while something rings them, and say what', async () => {
    const { extension } = await add({ number: '206' });
    await add({ number: '606', name: 'Crew', kind: 'group', members: ['206'] });
    const refused = await rig.rest('DELETE', `${path}/${extension.id}`);
    expect([refused.status, detailOf(refused.body)]).toEqual([409, expect.stringMatching(/group 606, Crew/)]);
    const moved = await rig.rest('PUT', `${path}/${extension.id}`, { ...extension, number: '207' });
    expect(moved.status).toBe(409);
  });

  it('change with the revision that was read', async () => {
    const { extension } = await add({ number: '208' });
    const put = (revision: number, name: string) =>
      rig.rest('PUT', `${path}/${extension.id}`, { number: '208', kind: 'phone', name, revision });
    expect(await put(extension.revision, 'Dock')).toMatchObject({
      status: 200,
      body: { name: 'Dock', revision: 2 },
    });
    expect((await put(extension.revision, 'Other')).status).toBe(409);
  });

  it('leave core an audit row of each change', async () => {
    const { extension } = await add({ number: '209' });
    await rig.rest('DELETE', `${path}/${extension.id}`);
    const actions = () =>
      rig.core.audits
        .filter((row) => row['target'] === `extension:${extension.id}`)
        .map((row) => row['action']);
    await waitFor('both rows are there', () => actions().length === 2, 30_000);
    expect(actions()).toEqual(['phone.extension.create', 'phone.extension.delete']);
    await rig.published();
    expect(rig.table('number')['209']).toBeUndefined();
  });
});

describe('a group with duty', () => {
  it('rings whoever is on duty, as people come and go', async () => {
    const guard = rig.core.directory.addPerson(testOrg, 'Grace', 'guard');
    await waitFor('she is known', () => rig.bridge.ground.people.get(guard.id), 30_000);
    await add({ number: '2101', name: 'Grace', kind: 'user', user_id: guard.id });
    await add({ number: '610', name: 'Desk', kind: 'group', duty: true, members: ['201'] });
    await rig.published();
    expect(rig.table('member')['610']).toBe('201');
    rig.core.directory.changePerson(guard.id, { on_duty: true });
    await waitFor('she is rung', () => rig.table('member')['610'] === '201 2101', 30_000);
    rig.core.directory.changePerson(guard.id, { on_duty: false });
    await waitFor('she is not', () => rig.table('member')['610'] === '201', 30_000);
  });

  it('lets her dial what her roles allow, and no more once she has left', async () => {
    expect(fieldsOf(rig.table('number')['2101'])['classes']).toBe('internal,local');
    const { id } = rig.bridge.ground.people.all().find(({ name }) => name === 'Grace') ?? { id: '' };
    rig.core.directory.changePerson(id, { active: false, roles: [], grants: [], site_ids: [] });
    await waitFor(
      'she may dial the house alone',
      () => fieldsOf(rig.table('number')['2101'])['classes'] === 'internal',
      30_000,
    );
  });
});
