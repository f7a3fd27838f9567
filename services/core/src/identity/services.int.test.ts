/** What the box's services ask of people over the internal API, on a running core. */
import {
  InternalPeople,
  internalPaths,
  rolePermissions,
  type FeedEntry,
  type FeedKind,
} from '@siphera/contract';
import { call, callRaw } from '@siphera/testkit';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addPerson, goodPassword, setUp, signIn, type Person } from '../testing/people.ts';
import { jsonOf, startTestCore, type TestCore } from '../testing/test-core.ts';

let core: TestCore;
let admin: Person & { orgId: string };
let guard: Person;
beforeEach(async () => {
  core = await startTestCore();
  admin = await setUp(core);
  const scope = { kind: 'org' as const, id: admin.orgId };
  guard = await addPerson(core, admin.token, { name: 'Gus', role: 'guard', scope });
});
afterEach(() => core[Symbol.asyncDispose]());

const people = async () => InternalPeople.parse(jsonOf(await core.internal(internalPaths.people)));
const person = async (id: string) => (await people()).items.find((one) => one.id === id);
const audited = (action: string) =>
  core.db
    .prepare<[string], { target: string; detail: string; actor_id: string; address: string }>(
      'SELECT target, detail, actor_id, address FROM audit WHERE action = ?',
    )
    .all(action);

describe('the directory of people', () => {
  it('says who is there, with roles, sites and grants as their tokens carry them', async () => {
    const { token } = admin;
    const first = (await call(core, 'listSites', { token })).items[0]?.id ?? '';
    const { id: south } = await call(core, 'createSite', {
      token,
      body: { name: 'South', time_zone: 'UTC', address: '' },
    });
    const { id: gate } = await call(core, 'createArea', { token, body: { site_id: south, name: 'Gate' } });
    expect(await person(guard.id)).toEqual({
      id: guard.id,
      org_id: admin.orgId,
      name: 'Gus',
      active: true,
      on_duty: false,
      roles: [{ role: 'guard', scope: `org:${admin.orgId}`, scope_name: 'Harbour Logistics' }],
      site_ids: [first, south].sort((a, b) => a.localeCompare(b)),
      grants: [{ scope: `org:${admin.orgId}`, permissions: [...rolePermissions.guard] }],
    });
    // By a group, and only in one area of the other site.
    const mia = await addPerson(core, token, {
      name: 'Mia',
      role: undefined,
      scope: { kind: 'area', id: gate },
    });
    expect(await person(mia.id)).toMatchObject({ active: true, roles: [], site_ids: [], grants: [] });
    const group = await call(core, 'createGroup', { token, body: { name: 'Night' } });
    await call(core, 'updateGroup', { token, params: { id: group.id }, body: { member_ids: [mia.id] } });
    await call(core, 'createRoleBinding', {
      token,
      body: {
        subject: { kind: 'group', id: group.id },
        role: 'supervisor',
        scope: { kind: 'area', id: gate },
      },
    });
    expect(await person(mia.id)).toMatchObject({
      roles: [{ role: 'supervisor', scope: `area:${gate}`, scope_name: 'Gate' }],
      site_ids: [south],
      grants: [{ scope: `area:${gate}`, permissions: [...rolePermissions.supervisor] }],
    });
  });

  it('is of all orgs, gives nothing to who was switched off, and forgets who was removed', async () => {
    const rival = randomUUID();
    core.db.prepare(`INSERT INTO orgs (id, name, created_ms) VALUES (?, 'Rival', 0)`).run(rival);
    core.db
      .prepare(
        `INSERT INTO users (id, org_id, name, email, created_ms) VALUES (?, ?, 'Rita', 'r@example.org', 0)`,
      )
      .run(randomUUID(), rival);
    expect((await people()).items.map((one) => [one.org_id, one.name])).toContainEqual([rival, 'Rita']);
    const params = { id: guard.id };
    await call(core, 'updateUser', { token: admin.token, params, body: { active: false } });
    expect(await person(guard.id)).toMatchObject({ active: false, roles: [], site_ids: [], grants: [] });
    await call(core, 'deleteUser', { token: admin.token, params });
    expect(await person(guard.id)).toBeUndefined();
  });

  it('is read again because the feed says so at each change of people, groups and roles', async () => {
    const { token } = admin;
    let at = (await people()).upto;
    /** Users that the feed named since the last look. */
    const told = async (): Promise<string[]> => {
      const { upto } = await people();
      const entries = core.db
        .prepare<[number, number, FeedKind], Pick<FeedEntry, 'action'> & { ref_id: string }>(
          'SELECT action, ref_id FROM changes WHERE seq > ? AND seq <= ? AND kind = ? ORDER BY seq',
        )
        .all(at, upto, 'user');
      at = upto;
      return entries.map((entry) => `${entry.action} ${entry.ref_id}`);
    };
    const { id } = await call(core, 'createUser', {
      token,
      body: { name: 'Mia', email: 'mia@example.org', password: goodPassword },
    });
    expect(await told()).toEqual([`created ${id}`]);
    const updated = [`updated ${id}`];
    await call(core, 'updateUser', { token, params: { id }, body: { name: 'Mia May' } });
    expect(await told()).toEqual(updated);
    const scope = { kind: 'org' as const, id: admin.orgId };
    const bind = (subject: { kind: 'user' | 'group'; id: string }) =>
      call(core, 'createRoleBinding', { token, body: { subject, role: 'guard', scope } });
    const binding = await bind({ kind: 'user', id });
    expect(await told()).toEqual(updated);
    await call(core, 'deleteRoleBinding', { token, params: { id: binding.id } });
    expect(await told()).toEqual(updated);
    const group = await call(core, 'createGroup', { token, body: { name: 'Night' } });
    const change = (body: { name?: string; member_ids?: string[] }) =>
      call(core, 'updateGroup', { token, params: { id: group.id }, body });
    await change({ member_ids: [id] });
    expect(await told()).toEqual(updated);
    await bind({ kind: 'group', id: group.id });
    expect(await told()).toEqual(updated);
    await change({ name: 'Nights' });
    expect(await told()).toEqual(updated);
    await call(core, 'deleteGroup', { token, params: { id: group.id } });
    expect(await told()).toEqual(updated);
    await call(core, 'updateUser', { token, params: { id }, body: { active: false } });
    expect(await told()).toEqual(updated);
    const self = await signIn(core, guard.email, goodPassword);
    await call(core, 'updateMe', { token: self.token, body: { name: 'Gustav' } });
    expect(await told()).toEqual([`updated ${guard.id}`]);
    await call(core, 'deleteUser', { token, params: { id } });
    expect(await told()).toEqual([`deleted ${id}`]);
  });
});

describe('a password that a service has checked', () => {
  const check = (user_id: string, password: string, address = '192.0.2.7') =>
    core.internal(internalPaths.checkPassword, { user_id, password, address });

  it('is right or wrong, and wrong for nobody and for who was switched off', async () => {
    expect(jsonOf(await check(guard.id, goodPassword))).toEqual({ ok: true });
    expect(jsonOf(await check(guard.id, 'not it'))).toEqual({ ok: false });
    expect(jsonOf(await check(randomUUID(), goodPassword))).toEqual({ ok: false });
    core.db.prepare('UPDATE users SET active = 0 WHERE id = ?').run(guard.id);
    expect(jsonOf(await check(guard.id, goodPassword))).toEqual({ ok: false });
    expect(core.logLines.join()).not.toContain(goodPassword);
  });

  it('that was wrong stands in the audit as a failed sign-in does', async () => {
    await check(guard.id, 'not it');
    await check(randomUUID(), 'not it');
    expect(audited('login.failed')).toMatchObject([
      { target: `user:${guard.id}`, actor_id: 'system', address: '192.0.2.7' },
    ]);
  });

  it('lets a guesser wait, also where he changes to the console, and forgets it with the right one', async () => {
    for (let attempt = 0; attempt < 5; attempt += 1)
      expect(jsonOf(await check(guard.id, 'guess', `192.0.2.${attempt}`))).toEqual({ ok: false });
    const refused = await check(guard.id, goodPassword);
    expect(refused.status).toBe(429);
    expect(jsonOf(refused)).toMatchObject({ code: 'too_many_attempts' });
    const change = { token: guard.token, body: { current: goodPassword, next: 'brown owls sort gravel' } };
    expect((await callRaw(core, 'changePassword', change)).status).toBe(429);
    core.clock.advance(1_000);
    expect(jsonOf(await check(guard.id, goodPassword))).toEqual({ ok: true });
    expect(jsonOf(await check(guard.id, 'guess'))).toEqual({ ok: false });
  });

  it('lets an address wait that tries many people', async () => {
    for (let attempt = 0; attempt < 20; attempt += 1) await check(randomUUID(), 'guess');
    expect((await check(guard.id, goodPassword)).status).toBe(429);
    expect(jsonOf(await check(guard.id, goodPassword, '198.51.100.1'))).toEqual({ ok: true });
  });
});

describe('a session that a service ends', () => {
  const revoke = (user_id: string, sid: string) =>
    core.internal(internalPaths.revokeSession, { user_id, sid, reason: 'device removed' });
  const sessionOf = async (who: Person): Promise<string> =>
    (await call(core, 'getMe', { token: who.token })).session_id;
  const alive = async (who: Person) => (await callRaw(core, 'getMe', { token: who.token })).status === 200;

  it('is over at once, for every service that follows, and stands in the audit', async () => {
    const sid = await sessionOf(guard);
    const other = await signIn(core, guard.email, goodPassword);
    expect((await revoke(guard.id, sid)).status).toBe(204);
    expect(await alive(guard)).toBe(false);
    expect(await alive(other)).toBe(true);
    const revocations = jsonOf<{ items: unknown[] }>(await core.internal(internalPaths.revocations));
    expect(revocations.items).toContainEqual(expect.objectContaining({ sid, reason: 'device removed' }));
    expect(audited('session.revoked')).toMatchObject([{ target: `session:${sid}` }]);
    // Sent again, because the answer was lost.
    expect((await revoke(guard.id, sid)).status).toBe(204);
    expect(audited('session.revoked')).toHaveLength(1);
  });

  it('belongs to that user, or goes on', async () => {
    expect((await revoke(guard.id, await sessionOf(admin))).status).toBe(404);
    expect((await revoke(guard.id, randomUUID())).status).toBe(404);
    expect(await alive(admin)).toBe(true);
    expect(audited('session.revoked')).toEqual([]);
  });
});
