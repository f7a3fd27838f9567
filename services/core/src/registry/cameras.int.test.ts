/** Cameras as core sees them: what services/camera asks and writes, and commands that come to it by the feed. */
import {
  internalPaths,
  InternalDevices,
  rolePermissions,
  type Command,
  type CommandName,
  type InternalActor,
  type RuleInput,
  type Role,
} from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import { call, callRaw } from '@siphera/testkit';
import type { z } from 'zod';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setUp, type Person } from '../testing/people.ts';
import { jsonOf, startTestCore, type TestCore } from '../testing/test-core.ts';

let core: TestCore;
let admin: Person & { orgId: string };
let token: string;
let areaId: string;
let siteId: string;
let cameraId: string;
let doorId: string;
beforeEach(async () => {
  core = await startTestCore();
  admin = await setUp(core);
  ({ token } = admin);
  const area = (await call(core, 'listAreas', { token, query: {} })).items[0];
  areaId = area?.id ?? '';
  siteId = area?.site_id ?? '';
  const device = async (kind: 'camera' | 'door', name: string): Promise<string> =>
    (await call(core, 'createDevice', { token, body: { area_id: areaId, kind, name } })).id;
  cameraId = await device('camera', 'Dock');
  doorId = await device('door', 'Dock door');
});
afterEach(async () => {
  await core[Symbol.asyncDispose]();
});

const actorOf = (role: Role, scope = `org:${admin.orgId}`): InternalActor => ({
  kind: 'user',
  id: admin.id,
  name: 'Ada Admin',
  org_id: admin.orgId,
  grants: [{ permissions: [...rolePermissions[role]], scope }],
  address: '192.0.2.7',
});
const audited = (action: string): unknown =>
  core.db
    .prepare<[string], { actor_name: string; target: string }>(
      'SELECT actor_name, target FROM audit WHERE action = ? ORDER BY seq DESC LIMIT 1',
    )
    .get(action);
/** What the feed says of a command, oldest first. */
const heard = (commandId: string) =>
  core.db
    .prepare<[string], { action: string; data: string }>(
      `SELECT action, data FROM changes WHERE kind = 'command' AND ref_id = ? ORDER BY seq`,
    )
    .all(commandId)
    .map(({ action, data }) => ({ action, ...(JSON.parse(data) as Command) }));
const command = (id: string, name: CommandName, args: Record<string, unknown> = {}) =>
  callRaw(core, 'createCommand', { token, params: { id }, body: { name, args } });
const finish = async (id: string, ok = true): Promise<unknown> =>
  jsonOf(
    await core.internal(internalPaths.commandResult, { id, ok, ...(ok ? {} : { error: 'It is off.' }) }),
  );

describe('the cameras that core names to the service', () => {
  it('come with place, time zone, scopes and the feed position of the reading', async () => {
    const answer = await core.internal(`${internalPaths.devices}?kind=camera`);
    const { items, areas, upto } = InternalDevices.parse(jsonOf(answer));
    expect(items).toEqual([
      {
        id: cameraId,
        org_id: admin.orgId,
        site_id: siteId,
        site_time_zone: 'Europe/Vienna',
        area_id: areaId,
        area_name: 'Whole site',
        name: 'Dock',
        external_id: null,
        scopes: [`device:${cameraId}`, `area:${areaId}`, `site:${siteId}`, `org:${admin.orgId}`],
      },
    ]);
    expect(areas).toEqual([
      {
        id: areaId,
        org_id: admin.orgId,
        site_id: siteId,
        name: 'Whole site',
        scopes: [`area:${areaId}`, `site:${siteId}`, `org:${admin.orgId}`],
      },
    ]);
    expect(upto).toBeGreaterThan(0);
    expect((await core.internal(`${internalPaths.devices}?kind=toaster`)).status).toBe(400);
  });

  it('are added and removed for a person, with his rights and under his name', async () => {
    const device = { area_id: areaId, kind: 'camera', name: 'Gate' };
    const guarded = await core.internal(internalPaths.devices, { actor: actorOf('guard'), device });
    expect(guarded.status).toBe(403);
    const added = await core.internal(internalPaths.devices, { actor: actorOf('admin'), device });
    expect(added.status).toBe(201);
    const { id } = jsonOf<{ id: string }>(added);
    expect(audited('device.created')).toEqual({ actor_name: 'Ada Admin', target: `device:${id}` });
    const remove = (actor: InternalActor, device_id: string) =>
      core.internal(internalPaths.removeDevice, { actor, device_id });
    expect((await remove(actorOf('guard'), id)).status).toBe(403);
    expect((await remove(actorOf('admin'), doorId)).status).toBe(404);
    expect((await remove(actorOf('admin'), id)).status).toBe(204);
    expect((await callRaw(core, 'getDevice', { token, params: { id } })).status).toBe(404);
  });

  it('are cameras: nothing else is added that way', async () => {
    const device = { area_id: areaId, kind: 'door', name: 'Back door' };
    const answer = await core.internal(internalPaths.devices, { actor: actorOf('admin'), device });
    expect(answer.status).toBe(403);
  });
});

describe('a command to a camera', () => {
  it('needs no controller: it is a row and an entry of the feed, ended by the service', async () => {
    const given = await command(cameraId, 'record', { seconds: 30 });
    expect(given.status).toBe(202);
    const { id } = jsonOf<Command>(given);
    expect(heard(id)).toMatchObject([{ action: 'created', state: 'pending', args: { seconds: 30 } }]);
    expect(await finish(id)).toEqual({});
    expect(heard(id).at(-1)).toMatchObject({ action: 'updated', state: 'confirmed' });
    expect(await finish(id, false)).toEqual({ refused: 'the command is confirmed already' });
  });

  it('says in its row why it failed', async () => {
    const { id } = jsonOf<Command>(await command(cameraId, 'goto_preset', { preset: '3' }));
    await finish(id, false);
    expect(await call(core, 'getCommand', { token, params: { id } })).toMatchObject({
      state: 'failed',
      error: 'It is off.',
    });
  });

  it('is refused when it is one for doors, and the other way round', async () => {
    expect((await command(cameraId, 'unlock')).status).toBe(422);
    expect((await command(cameraId, 'reboot')).status).toBe(422);
    expect((await command(doorId, 'snapshot')).status).toBe(422);
    expect((await command(cameraId, 'record', { seconds: -1 })).status).toBe(422);
  });

  it('cannot be used to end commands of other devices', async () => {
    core.db
      .prepare(
        `INSERT INTO commands (id, org_id, device_id, name, args, state, requested_by, actor, trace_id, created_ms, expires_ms)
         VALUES ('018f3c5e-0000-7000-8000-000000000001', ?, ?, 'unlock', '{}', 'pending', '', '{}', '', 1, 2)`,
      )
      .run(admin.orgId, doorId);
    expect(await finish('018f3c5e-0000-7000-8000-000000000001')).toEqual({
      refused: 'the command is not one of a camera',
    });
  });
});

describe('evidence', () => {
  const line = (incident: string, device = cameraId, text = 'Footage is kept') =>
    core.internal(internalPaths.evidence, {
      incident_id: incident,
      device_id: device,
      text,
      data: { clip: 'ready' },
    });

  it('is a line of the timeline, once, however often it comes', async () => {
    const incident = await call(core, 'createIncident', {
      token,
      body: { title: 'Somebody at the gate', severity: 'high', area_id: areaId },
    });
    expect(jsonOf(await line(incident.id))).toEqual({ added: true });
    expect(jsonOf(await line(incident.id))).toEqual({ added: false });
    const { items } = await call(core, 'listTimeline', { token, params: { id: incident.id }, query: {} });
    expect(items.filter((entry) => entry.kind === 'evidence')).toMatchObject([
      {
        text: 'Footage is kept',
        actor: { kind: 'device', id: cameraId, name: 'Dock' },
        data: { clip: 'ready', device_id: cameraId },
      },
    ]);
  });

  it('is refused for incidents that are not there, and from what is no camera', async () => {
    expect((await line('018f3c5e-0000-7000-8000-000000000001')).status).toBe(404);
    const incident = await call(core, 'createIncident', {
      token,
      body: { title: 'Somebody at the gate', severity: 'high', area_id: areaId },
    });
    expect((await line(incident.id, doorId)).status).toBe(422);
  });
});

describe('rules and cameras', () => {
  type Action = Extract<z.input<typeof RuleInput>['actions'][number], { kind: 'command' }>;
  const rule = (
    action: Omit<Action, 'kind'>,
    types: string[] = ['camera.line_crossed'],
    scope: z.input<typeof RuleInput>['trigger']['scope'] = {},
  ) => ({
    token,
    body: {
      name: 'To the camera',
      trigger: { kind: 'event' as const, types, scope },
      actions: [
        { kind: 'incident' as const, title: 'Seen by {device}', severity: 'low' as const },
        { kind: 'command' as const, ...action },
      ],
    },
  });
  const append = async (type: string, deviceId: string, data: Record<string, unknown> = {}) =>
    core.internal(internalPaths.events, {
      channel: 'camera',
      events: [
        {
          specversion: '1.0',
          id: crypto.randomUUID(),
          source: `camera/${deviceId}`,
          type,
          subject: deviceId,
          time: toRfc3339(core.clock.now()),
          data,
        },
      ],
    });
  const commands = () =>
    core.db
      .prepare<[], { device_id: string; name: string; incident_id: string | null }>(
        'SELECT device_id, name, incident_id FROM commands',
      )
      .all();

  it('command the camera that triggered, and a fixed one, for the incident they opened', async () => {
    await call(core, 'createRule', rule({ target: 'trigger', name: 'record', args: { seconds: 20 } }));
    await call(
      core,
      'createRule',
      rule({ target: cameraId, name: 'goto_preset', args: { preset: '1' } }, ['door.forced']),
    );
    await append('camera.line_crossed', cameraId);
    await append('door.forced', doorId);
    const given = commands();
    expect(given).toMatchObject([
      { device_id: cameraId, name: 'record' },
      { device_id: cameraId, name: 'goto_preset' },
    ]);
    expect(given.every((one) => one.incident_id !== null)).toBe(true);
  });

  it('are refused at the save when they could never be carried out', async () => {
    const status = async (...of: Parameters<typeof rule>) =>
      (await callRaw(core, 'createRule', rule(...of))).status;
    expect(await status({ target: 'trigger', name: 'snapshot' })).toBe(201);
    expect(await status({ target: 'trigger', name: 'snapshot' }, ['motion.started'])).toBe(201);
    expect(await status({ target: 'trigger', name: 'snapshot' }, ['door.forced'])).toBe(422);
    expect(await status({ target: 'trigger', name: 'unlock' })).toBe(422);
    expect(await status({ target: doorId, name: 'record' })).toBe(422);
    expect(await status({ target: cameraId, name: 'lock' })).toBe(422);
    expect(await status({ target: cameraId, name: 'record', args: { seconds: 0 } })).toBe(422);
    expect(await status({ target: 'trigger', name: 'goto_preset' })).toBe(422);
    const doors = { device_kinds: ['door' as const] };
    expect(await status({ target: 'trigger', name: 'snapshot' }, ['motion.started'], doors)).toBe(422);
    const theDoor = { device_ids: [doorId] };
    expect(await status({ target: 'trigger', name: 'snapshot' }, ['motion.started'], theDoor)).toBe(422);
  });

  it('open an incident with steps when nothing is recorded, and leave the camera offline', async () => {
    await append('device.offline', cameraId);
    await append('camera.recording_lost', cameraId, { reason: 'The camera does not answer.' });
    const { items } = await call(core, 'listIncidents', { token, query: {} });
    expect(items).toMatchObject([{ title: 'Nothing is recorded of Dock', severity: 'high' }]);
    expect(items[0]?.steps.length).toBeGreaterThan(2);
    const device = await call(core, 'getDevice', { token, params: { id: cameraId } });
    expect(device.status).toBe('offline');
    await append('camera.recording_restored', cameraId, { reason: '' });
    expect((await call(core, 'getDevice', { token, params: { id: cameraId } })).status).toBe('online');
  });

  it('open one incident for storages that fail', async () => {
    await core.internal(internalPaths.events, {
      channel: 'camera',
      events: ['camera.storage_failed', 'camera.retention_short'].map((type) => ({
        specversion: '1.0',
        id: crypto.randomUUID(),
        source: 'camera/storage',
        type,
        orgid: admin.orgId,
        siteid: siteId,
        data: { storage: 'Disk 1', reason: 'It is full.' },
      })),
    });
    const { items } = await call(core, 'listIncidents', { token, query: {} });
    expect(items).toMatchObject([
      { title: 'Footage storage failed: Disk 1', severity: 'medium', event_count: 2 },
    ]);
  });
});
