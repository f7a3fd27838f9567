/** What services/sip-bridge asks of core: duty, places, incidents of emergency calls, keys of alarm calls, doors. */
import {
  InternalPeople,
  internalPaths,
  InternalPlaces,
  rolePermissions,
  type AlarmCallOrder,
  type InternalActor,
  type RuleInput,
} from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import { call, callRaw } from '@siphera/testkit';
import type { z } from 'zod';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addPerson, setUp, type Person } from '../testing/people.ts';
import { jsonOf, startTestCore, type TestCore } from '../testing/test-core.ts';

let core: TestCore;
let admin: Person & { orgId: string };
let token: string;
let areaId: string;
let siteId: string;
let doorId: string;
let cameraId: string;
beforeEach(async () => {
  core = await startTestCore();
  admin = await setUp(core);
  ({ token } = admin);
  const area = (await call(core, 'listAreas', { token, query: {} })).items[0];
  areaId = area?.id ?? '';
  siteId = area?.site_id ?? '';
  const device = async (kind: 'camera' | 'door', name: string): Promise<string> =>
    (await call(core, 'createDevice', { token, body: { area_id: areaId, kind, name } })).id;
  cameraId = await device('camera', 'Gate camera');
  doorId = await device('door', 'Gate');
  // Commands reach a door only by a controller; this one holds its certificate itself.
  core.db
    .prepare(
      `INSERT INTO device_certificates (serial, device_id, org_id, fingerprint_sha256, issued_ms, expires_ms) VALUES ('1', ?, ?, 'f', 1, 9000000000000)`,
    )
    .run(doorId, admin.orgId);
});
afterEach(async () => {
  await core[Symbol.asyncDispose]();
});

const person = (name: string, role: 'guard' | 'viewer'): Promise<Person> =>
  addPerson(core, token, { name, role, scope: { kind: 'org', id: admin.orgId } });
const post = async (path: string, body: unknown) => {
  const answer = await core.internal(path, body);
  return { ...jsonOf(answer), status: answer.status } as { status: number; [field: string]: unknown };
};
const feed = (kind: string): { action: string; data: Record<string, unknown>; audience: string }[] =>
  core.db
    .prepare<[string], { action: string; data: string; audience: string }>(
      'SELECT action, data, audience FROM changes WHERE kind = ? ORDER BY seq',
    )
    .all(kind)
    .map((row) => ({ ...row, data: JSON.parse(row.data) as Record<string, unknown> }));
const timelineOf = async (id: string) =>
  (await call(core, 'listTimeline', { token, params: { id }, query: {} })).items;
const audited = (action: string) =>
  core.db
    .prepare<[string], { actor_kind: string; actor_name: string; target: string }>(
      'SELECT actor_kind, actor_name, target FROM audit WHERE action = ? ORDER BY seq DESC LIMIT 1',
    )
    .get(action);

describe('duty', () => {
  const onDuty = async (): Promise<string[]> =>
    InternalPeople.parse(jsonOf(await core.internal(internalPaths.people)))
      .items.filter(({ on_duty }) => on_duty)
      .map(({ name }) => name);
  const say = (on_duty: boolean, atMs: number, user_id = admin.id) =>
    post(internalPaths.duty, { user_id, on_duty, at: toRfc3339(atMs) });

  it('is what somebody said last, is told once, and ends with his account', async () => {
    const guard = await person('Gus', 'guard');
    const before = feed('user').length;
    expect(await say(true, 1_000, guard.id)).toMatchObject({ changed: true });
    expect(await onDuty()).toEqual(['Gus']);
    expect(await say(true, 2_000, guard.id)).toMatchObject({ changed: false });
    expect(await say(false, 1_500, guard.id)).toMatchObject({ changed: false });
    expect(feed('user').slice(before)).toHaveLength(1);
    await call(core, 'updateUser', { token, params: { id: guard.id }, body: { active: false } });
    expect(await onDuty()).toEqual([]);
    await call(core, 'updateUser', { token, params: { id: guard.id }, body: { active: true } });
    expect(await say(false, 3_000, guard.id)).toMatchObject({ changed: true });
    expect(await onDuty()).toEqual([]);
  });

  it('of nobody changes nothing and holds nothing up', async () => {
    expect(await say(true, 1, core.app.random.uuid())).toMatchObject({ status: 200, changed: false });
  });
});

it('tells where everything is', async () => {
  const inner = await call(core, 'createArea', {
    token,
    body: { site_id: siteId, parent_id: areaId, name: 'Lobby' },
  });
  const { sites, areas } = InternalPlaces.parse(jsonOf(await core.internal(internalPaths.places)));
  expect(sites).toMatchObject([{ id: siteId, org_id: admin.orgId, time_zone: 'Europe/Vienna' }]);
  expect(areas.find(({ id }) => id === inner.id)).toMatchObject({
    parent_id: areaId,
    scopes: [`area:${inner.id}`, `area:${areaId}`, `site:${siteId}`, `org:${admin.orgId}`],
  });
});

describe('an incident that a service opens', () => {
  const open = (change: Record<string, unknown> = {}) =>
    post(internalPaths.openIncident, {
      key: 'emergency:a7',
      org_id: admin.orgId,
      site_id: siteId,
      area_id: areaId,
      device_id: null,
      title: 'Emergency call from 201',
      severity: 'critical',
      text: 'Called 911',
      data: { number: '911' },
      ...change,
    });

  it('opens once for a key, takes further lines while it is open, each once', async () => {
    const first = await open();
    expect(first).toMatchObject({ status: 200, opened: true });
    const id = first['incident_id'] as string;
    expect(await open()).toMatchObject({ incident_id: id, opened: false });
    expect(await open({ text: 'The PSAP answered' })).toMatchObject({ incident_id: id, opened: false });
    await open({ text: 'The PSAP answered' });
    const lines = (await timelineOf(id)).map(({ kind, text }) => `${kind}: ${text}`);
    expect(lines).toEqual(['opened: Called 911', 'event: The PSAP answered']);
    const incident = await call(core, 'getIncident', { token, params: { id } });
    expect(incident).toMatchObject({
      title: 'Emergency call from 201',
      severity: 'critical',
      state: 'new',
      area_id: areaId,
      event_count: 2,
      test: false,
    });
    expect(feed('notification').at(-1)?.data).toMatchObject({ incident_id: id });
    const resolve = { code: 'real' as const, note: '' };
    await call(core, 'resolveIncident', { token, params: { id }, body: resolve });
    expect((await open())['incident_id']).not.toBe(id);
  });

  it('is of the place of its device, so that cameras there keep their footage', async () => {
    const { incident_id } = await open({ key: 'door', area_id: null, device_id: cameraId });
    const incident = await call(core, 'getIncident', { token, params: { id: incident_id as string } });
    expect(incident).toMatchObject({ area_id: areaId, device_id: cameraId, device_ids: [cameraId] });
  });

  it('opens wherever else it can when its place is gone', async () => {
    const gone = core.app.random.uuid();
    const { incident_id } = await open({ key: 'gone', site_id: gone, area_id: gone, device_id: gone });
    const incident = await call(core, 'getIncident', { token, params: { id: incident_id as string } });
    expect(incident).toMatchObject({ site_id: siteId, area_id: null, device_id: null });
    expect((await open({ key: 'x', org_id: gone, site_id: gone })).status).toBe(422);
  });
});

describe('calls of a rule', () => {
  type Action = z.input<typeof RuleInput>['actions'][number];
  const incident: Action = { kind: 'incident', title: 'Forced', severity: 'high' };
  const callAction = (change: Partial<Extract<Action, { kind: 'call' }>> = {}): Action => ({
    kind: 'call',
    say: '{event}: {device}',
    ...change,
  });
  const rule = (actions: Action[]): z.input<typeof RuleInput> => ({
    name: 'Gate',
    trigger: { kind: 'event', types: ['door.held'], scope: { device_ids: [doorId] } },
    actions,
  });
  const hear = (type = 'door.held') =>
    core.internal(internalPaths.events, {
      channel: 'system',
      events: [
        {
          specversion: '1.0',
          id: core.app.random.uuid(),
          source: 'test',
          type,
          subject: doorId,
          data: {},
        },
      ],
    });
  const orders = (): AlarmCallOrder[] => feed('alarm_call').map(({ data }) => data as AlarmCallOrder);
  const press = (incident_id: string, user_id: string | null, name: string) =>
    post(internalPaths.acknowledgeIncident, { incident_id, user_id, name, text: `${name} pressed 1` });

  it('are refused without an incident to acknowledge, and without anybody to call', async () => {
    const save = (actions: Action[]) => callRaw(core, 'createRule', { token, body: rule(actions) });
    expect(jsonOf(await save([callAction({ numbers: ['201'] })]))).toMatchObject({
      status: 422,
      detail: 'Calls by phone are for an incident, and this rule opens none.',
    });
    expect(jsonOf(await save([incident, callAction()]))).toMatchObject({
      detail: 'The rule calls nobody by phone.',
    });
  });

  it('are ordered once for an incident: users, then members of groups, then numbers', async () => {
    const [zoe, ben] = await Promise.all(['Zoe', 'Ben'].map((name) => person(name, 'guard')));
    const group = await call(core, 'createGroup', { token, body: { name: 'Night' } });
    const member_ids = [zoe?.id ?? '', ben?.id ?? ''];
    await call(core, 'updateGroup', { token, params: { id: group.id }, body: { member_ids } });
    // The calls stand before the incident they are for.
    const calls = callAction({ user_ids: [zoe?.id ?? ''], group_ids: [group.id], numbers: ['+4312345'] });
    await call(core, 'createRule', { token, body: rule([calls, incident]) });
    await hear();
    await hear();
    expect(orders()).toMatchObject([
      {
        org_id: admin.orgId,
        say: 'Door held open: Gate',
        targets: [
          { user_id: zoe?.id, number: null },
          { user_id: ben?.id, number: null },
          { user_id: null, number: '+4312345' },
        ],
        rounds: 2,
        ring_s: 30,
      },
    ]);
    expect(feed('alarm_call')[0]?.audience).toBe('phone.read');
    const lines = await timelineOf(orders()[0]?.incident_id ?? '');
    expect(lines.map(({ text }) => text)).toContain(
      'To be called by phone, one after another: Zoe, Ben, +4312345',
    );
  });

  it('are acknowledged by who was called, once, under his name', async () => {
    const [zoe, eve] = await Promise.all(['Zoe', 'Eve'].map((name) => person(name, 'viewer')));
    await call(core, 'createRule', {
      token,
      body: rule([incident, callAction({ user_ids: [zoe?.id ?? ''] })]),
    });
    await hear();
    const id = orders()[0]?.incident_id ?? '';
    expect((await press(id, eve?.id ?? '', 'Eve')).status).toBe(403);
    expect((await press(id, null, '+4399999')).status).toBe(403);
    expect(await press(id, zoe?.id ?? '', 'Zoe')).toMatchObject({ state: 'acknowledged', changed: true });
    expect(await press(id, zoe?.id ?? '', 'Zoe')).toMatchObject({ state: 'acknowledged', changed: false });
    const now = await call(core, 'getIncident', { token, params: { id } });
    expect(now.acknowledged_by).toEqual({ id: zoe?.id, name: 'Zoe' });
    const lines = (await timelineOf(id)).filter(({ kind }) => kind === 'acknowledged');
    expect(lines).toMatchObject([{ text: 'Zoe pressed 1', actor: { kind: 'user', name: 'Zoe' } }]);
    expect(audited('incident.acknowledged')).toMatchObject({ actor_kind: 'user', actor_name: 'Zoe' });
  });

  it('are acknowledged by a number that the rule names', async () => {
    await call(core, 'createRule', { token, body: rule([incident, callAction({ numbers: ['+4312345'] })]) });
    await hear();
    const id = orders()[0]?.incident_id ?? '';
    expect(await press(id, null, '+4312345')).toMatchObject({ changed: true });
    const now = await call(core, 'getIncident', { token, params: { id } });
    expect(now.acknowledged_by?.name).toBe('+4312345');
    expect(audited('incident.acknowledged')).toMatchObject({
      actor_kind: 'service',
      actor_name: '+4312345',
    });
  });
});

describe('a command from a phone', () => {
  const give = (actor: InternalActor, change: Record<string, unknown> = {}) =>
    post(internalPaths.command, {
      actor,
      device_id: doorId,
      name: 'unlock',
      args: { seconds: 5 },
      reason: 'Visitor at the gate',
      ...change,
    });
  const actorOf = (role: 'guard' | 'viewer'): InternalActor => ({
    kind: 'user',
    id: admin.id,
    name: 'Ada Admin',
    org_id: admin.orgId,
    grants: [{ permissions: [...rolePermissions[role]], scope: `org:${admin.orgId}` }],
    address: '192.0.2.7',
  });
  const phone = (orgId = admin.orgId): InternalActor => ({
    kind: 'service',
    id: '310',
    name: 'Desk phone 310',
    org_id: orgId,
    grants: [],
    address: '',
  });

  it('is given with the rights of the person, and under his name', async () => {
    expect((await give(actorOf('viewer'))).status).toBe(403);
    const given = await give(actorOf('guard'));
    expect(given.status).toBe(200);
    expect(given['command_id']).toBeTypeOf('string');
    expect(audited('command.unlock')).toMatchObject({ actor_name: 'Ada Admin', target: `device:${doorId}` });
  });

  it('of a phone without a user reaches doors of its own house, and nothing else', async () => {
    expect((await give(phone())).status).toBe(200);
    expect(audited('command.unlock')).toMatchObject({ actor_kind: 'service', actor_name: 'Desk phone 310' });
    expect((await give(phone(), { name: 'lock', args: {} })).status).toBe(200);
    expect((await give(phone(), { name: 'reboot', args: {} })).status).toBe(403);
    expect((await give(phone(), { device_id: cameraId, name: 'snapshot', args: {} })).status).toBe(403);
    expect((await give(phone(core.app.random.uuid()))).status).toBe(404);
  });
});
