/** Cameras as core sees them: what services/camera asks and writes, and commands that come to it by the feed. */
import {
  internalPaths,
  InternalDevices,
  rolePermissions,
  type Command,
  type CommandName,
  type InternalActor,
  type Role,
} from '@siphera/contract';
import { call, callRaw } from '@siphera/testkit';
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
    const { items, upto } = InternalDevices.parse(jsonOf(answer));
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
