/** Users, groups, roles and API keys on a running core: who may do what to whom. */
import type { Scope } from '@siphera/contract';
import { call, callRaw, type CallOutput, type HttpAnswer } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemActor } from '../kernel/actor.ts';
import {
  ada,
  addPerson,
  goodPassword,
  makeKey,
  setUp,
  signIn,
  tryLogin,
  type Person,
} from '../testing/people.ts';
import { jsonOf, startTestCore, type TestCore } from '../testing/test-core.ts';

let core: TestCore;
let admin: Person & { orgId: string };
let org: Scope;
beforeEach(async () => {
  core = await startTestCore();
  admin = await setUp(core);
  org = { kind: 'org', id: admin.orgId };
});
afterEach(async () => {
  await core[Symbol.asyncDispose]();
});

const codeOf = (answer: HttpAnswer): unknown => jsonOf(answer)['code'];
const statusOfMe = async (token: string): Promise<number> => (await callRaw(core, 'getMe', { token })).status;
const bind = (userId: string, role: 'admin' | 'guard' | 'viewer' | 'supervisor', scope: Scope) =>
  call(core, 'createRoleBinding', {
    token: admin.token,
    body: { subject: { kind: 'user', id: userId }, role, scope },
  });
const addSite = (name: string) =>
  call(core, 'createSite', { token: admin.token, body: { name, time_zone: 'Europe/Vienna', address: '' } });

/** Another org with one user, as a second tenant would be; the pages know one org for now. */
function addForeignOrg(): {
  orgId: string;
  siteId: string;
  userId: string;
  groupId: string;
  bindingId: string;
  keyId: string;
} {
  const { db } = core;
  const id = (): string => core.app.random.uuid();
  const ids = { orgId: id(), siteId: id(), userId: id(), groupId: id(), bindingId: id(), keyId: id() };
  db.prepare(`INSERT INTO orgs (id, name, created_ms) VALUES (?, 'Rival', 1)`).run(ids.orgId);
  db.prepare(
    `INSERT INTO sites (id, org_id, name, time_zone, address, created_ms) VALUES (?, ?, 'Rival', 'UTC', '', 1)`,
  ).run(ids.siteId, ids.orgId);
  db.prepare(
    `INSERT INTO users (id, org_id, name, email, created_ms) VALUES (?, ?, 'Rita', 'rita@example.org', 1)`,
  ).run(ids.userId, ids.orgId);
  db.prepare(`INSERT INTO groups (id, org_id, name, created_ms) VALUES (?, ?, 'Rivals', 1)`).run(
    ids.groupId,
    ids.orgId,
  );
  db.prepare(
    `INSERT INTO role_bindings (id, org_id, user_id, role, scope_kind, scope_id, created_ms) VALUES (?, ?, ?, 'admin', 'org', ?, 1)`,
  ).run(ids.bindingId, ids.orgId, ids.userId, ids.orgId);
  db.prepare(
    `INSERT INTO api_keys (id, org_id, name, secret_sha256, prefix, permissions, scope_kind, scope_id, created_ms, created_by)
     VALUES (?, ?, 'k', '', 'sph_', '[]', 'org', ?, 1, '')`,
  ).run(ids.keyId, ids.orgId, ids.orgId);
  return ids;
}

describe('the last admin', () => {
  it('cannot be deactivated, removed or stripped of the role', async () => {
    const { token, id } = admin;
    const off = await callRaw(core, 'updateUser', { token, params: { id }, body: { active: false } });
    expect(codeOf(off)).toBe('conflict');
    expect(codeOf(await callRaw(core, 'deleteUser', { token, params: { id } }))).toBe('conflict');
    const { items } = await call(core, 'listRoleBindings', { token });
    const taken = await callRaw(core, 'deleteRoleBinding', { token, params: { id: items[0]?.id } });
    expect(codeOf(taken)).toBe('conflict');
    expect(await statusOfMe(token)).toBe(200);
  });

  it('can go once another one is there, also one by a group', async () => {
    const second = await addPerson(core, admin.token, { name: 'Berta', role: undefined, scope: org });
    const { token } = admin;
    const group = await call(core, 'createGroup', { token, body: { name: 'Admins' } });
    await call(core, 'updateGroup', { token, params: { id: group.id }, body: { member_ids: [second.id] } });
    await call(core, 'createRoleBinding', {
      token,
      body: { subject: { kind: 'group', id: group.id }, role: 'admin', scope: org },
    });
    await call(core, 'deleteUser', { token, params: { id: admin.id } });
    expect(await statusOfMe(token)).toBe(401);
    core.clock.advance(2);
    const berta = await signIn(core, second.email, goodPassword);
    const emptied = await callRaw(core, 'updateGroup', {
      token: berta.token,
      params: { id: group.id },
      body: { member_ids: [] },
    });
    expect(codeOf(emptied)).toBe('conflict');
  });
});

describe('revocation', () => {
  it('ends the tokens of a user who is deactivated, and says so on the feed in the same commit', async () => {
    const guard = await addPerson(core, admin.token, { name: 'Gregor', role: 'guard', scope: org });
    expect(await statusOfMe(guard.token)).toBe(200);
    await call(core, 'updateUser', { token: admin.token, params: { id: guard.id }, body: { active: false } });
    expect(await statusOfMe(guard.token)).toBe(401);
    expect((await tryLogin(core, guard.email, goodPassword)).status).toBe(401);
    const entries = core.db
      .prepare<[], { data: string; audience: string }>(
        `SELECT data, audience FROM changes WHERE kind = 'revocation'`,
      )
      .all();
    expect(entries.some((entry) => entry.data.includes(`"sub":"${guard.id}"`))).toBe(true);
    expect(new Set(entries.map((entry) => entry.audience))).toEqual(new Set(['identity.manage']));
    const { items, upto } = core.authenticator.revocationsInForce();
    expect(items.map((item) => item.sub)).toContain(guard.id);
    expect(upto).toBe(core.app.hub.position());
  });

  it('makes a token worthless when a role is taken, while the session goes on', async () => {
    const guard = await addPerson(core, admin.token, { name: 'Gregor', role: 'guard', scope: org });
    const { items } = await call(core, 'listRoleBindings', { token: admin.token });
    const binding = items.find((item) => item.subject.id === guard.id);
    expect(await statusOfMe(guard.token)).toBe(200);
    core.clock.advance(1_000);
    await call(core, 'deleteRoleBinding', { token: admin.token, params: { id: binding?.id ?? '' } });
    expect(await statusOfMe(guard.token)).toBe(401);
    core.clock.advance(10);
    const refreshed = await callRaw(core, 'refresh', {
      headers: {
        cookie: `siphera_refresh=${guard.cookies['siphera_refresh'] ?? ''}`,
        'x-siphera-console': '1',
      },
    });
    const { access_token, me } = jsonOf<CallOutput<'refresh'>>(refreshed);
    expect(await statusOfMe(access_token)).toBe(200);
    expect(me.permissions).toEqual([]);
  });

  it('is forgotten after one token life', async () => {
    const guard = await addPerson(core, admin.token, { name: 'Gregor', role: 'guard', scope: org });
    await call(core, 'deleteUser', { token: admin.token, params: { id: guard.id } });
    core.clock.advance(400_000);
    expect(core.authenticator.revocationsInForce().items).toEqual([]);
    await core.app.box.write('pruneIdentity', { actor: systemActor(''), traceId: '' }, {});
    expect(core.db.prepare('SELECT count(*) AS n FROM revocations').get()).toEqual({ n: 0 });
  });
});

describe('a site admin', () => {
  let south: Scope;
  let boss: Person;
  beforeEach(async () => {
    const site = await addSite('South');
    south = { kind: 'site', id: site.id };
    boss = await addPerson(core, admin.token, { name: 'Sonja', role: 'admin', scope: south });
  });

  it('sees the people of his site and no others', async () => {
    const guard = await addPerson(core, admin.token, { name: 'Gregor', role: 'guard', scope: south });
    await addPerson(core, admin.token, { name: 'Norbert', role: 'guard', scope: org });
    const { items } = await call(core, 'listUsers', { token: boss.token });
    expect(items.map((user) => user.name).sort()).toEqual(['Gregor', 'Sonja']);
    expect((await callRaw(core, 'getUser', { token: boss.token, params: { id: guard.id } })).status).toBe(
      200,
    );
    expect((await callRaw(core, 'getUser', { token: boss.token, params: { id: admin.id } })).status).toBe(
      404,
    );
    const bindings = await call(core, 'listRoleBindings', { token: boss.token });
    expect(bindings.items.every((binding) => binding.scope.id === south.id)).toBe(true);
  });

  it('gives roles on his site only', async () => {
    const guard = await addPerson(core, admin.token, { name: 'Gregor', role: 'viewer', scope: south });
    const give = (scope: Scope) =>
      callRaw(core, 'createRoleBinding', {
        token: boss.token,
        body: { subject: { kind: 'user', id: guard.id }, role: 'guard', scope },
      });
    expect((await give(south)).status).toBe(201);
    expect((await give(org)).status).toBe(404);
  });

  it('cannot reset the password of somebody who holds more, nor touch a group that does', async () => {
    await bind(boss.id, 'guard', org);
    core.clock.advance(2);
    const both = await addPerson(core, admin.token, { name: 'Bella', role: 'guard', scope: south });
    await bind(both.id, 'admin', org);
    core.clock.advance(2);
    const fresh = await signIn(core, boss.email, goodPassword);
    const reset = await callRaw(core, 'updateUser', {
      token: fresh.token,
      params: { id: both.id },
      body: { password: 'taken over by the site admin' },
    });
    expect(reset.status).toBe(403);
    const group = await call(core, 'createGroup', { token: admin.token, body: { name: 'Everywhere' } });
    for (const [role, scope] of [
      ['guard', south],
      ['admin', org],
    ] as const)
      await call(core, 'createRoleBinding', {
        token: admin.token,
        body: { subject: { kind: 'group', id: group.id }, role, scope },
      });
    const joined = await callRaw(core, 'updateGroup', {
      token: fresh.token,
      params: { id: group.id },
      body: { member_ids: [boss.id] },
    });
    expect(joined.status).toBe(403);
  });

  it('cannot read the audit or the settings of the org', async () => {
    expect((await callRaw(core, 'listAudit', { token: boss.token })).status).toBe(403);
    expect((await callRaw(core, 'getSettings', { token: boss.token })).status).toBe(403);
    expect((await callRaw(core, 'exportAudit', { token: boss.token })).status).toBe(403);
  });
});

describe('another org', () => {
  it('does not exist for us, in any address that takes an id', async () => {
    const rival = addForeignOrg();
    const { token } = admin;
    const rivalOrg: Scope = { kind: 'org', id: rival.orgId };
    const attempts: [Parameters<typeof callRaw>[1], Parameters<typeof callRaw>[2]][] = [
      ['getUser', { params: { id: rival.userId } }],
      ['updateUser', { params: { id: rival.userId }, body: { name: 'Owned' } }],
      ['updateUser', { params: { id: rival.userId }, body: { password: 'a password of my own' } }],
      ['deleteUser', { params: { id: rival.userId } }],
      ['updateGroup', { params: { id: rival.groupId }, body: { name: 'Owned' } }],
      ['deleteGroup', { params: { id: rival.groupId } }],
      ['deleteRoleBinding', { params: { id: rival.bindingId } }],
      ['deleteApiKey', { params: { id: rival.keyId } }],
      ['listSessions', { query: { user_id: rival.userId } }],
      [
        'createRoleBinding',
        { body: { subject: { kind: 'user', id: admin.id }, role: 'admin', scope: rivalOrg } },
      ],
      [
        'createRoleBinding',
        { body: { subject: { kind: 'user', id: rival.userId }, role: 'guard', scope: org } },
      ],
      [
        'createRoleBinding',
        { body: { subject: { kind: 'group', id: rival.groupId }, role: 'guard', scope: org } },
      ],
      ['createApiKey', { body: { name: 'k', permissions: ['event.read'], scope: rivalOrg } }],
    ];
    for (const [operation, input] of attempts) {
      const answer = await callRaw(core, operation, { ...input, token });
      expect([operation, answer.status]).toEqual([operation, 404]);
    }
    const users = await call(core, 'listUsers', { token });
    expect(users.items.map((user) => user.id)).not.toContain(rival.userId);
    const groups = await call(core, 'listGroups', { token });
    expect(groups.items).toEqual([]);
    const audit = await call(core, 'exportAudit', { token });
    expect(audit.toString()).not.toContain(rival.userId);
  });
});

describe('API keys', () => {
  it('are shown once, do what they were made for, and no more', async () => {
    const key = await makeKey(core, admin.token, ['event.read'], org);
    expect((await callRaw(core, 'listEvents', { token: key.secret })).status).toBe(200);
    expect((await callRaw(core, 'listUsers', { token: key.secret })).status).toBe(403);
    expect((await callRaw(core, 'getMe', { token: key.secret })).status).toBe(403);
    const { items } = await call(core, 'listApiKeys', { token: admin.token });
    expect(items).toHaveLength(1);
    expect(JSON.stringify(items)).not.toContain(key.secret);
    expect(key.secret.startsWith(items[0]?.prefix ?? '-')).toBe(true);
    expect(JSON.stringify(core.db.prepare('SELECT * FROM api_keys').all())).not.toContain(
      key.secret.slice(-43),
    );
  });

  it('end at once when they are revoked, and when they expire', async () => {
    const key = await makeKey(core, admin.token, ['event.read'], org);
    await call(core, 'deleteApiKey', { token: admin.token, params: { id: key.id } });
    expect((await callRaw(core, 'listEvents', { token: key.secret })).status).toBe(401);
    const expires_at = new Date(core.clock.now() + 60_000).toISOString();
    const short = await call(core, 'createApiKey', {
      token: admin.token,
      body: { name: 'Short', permissions: ['event.read'], scope: org, expires_at },
    });
    expect((await callRaw(core, 'listEvents', { token: short.secret })).status).toBe(200);
    core.clock.advance(60_000);
    expect(codeOf(await callRaw(core, 'listEvents', { token: short.secret }))).toBe('session_expired');
  });

  it('cannot be given what their maker does not hold', async () => {
    const site = await addSite('South');
    const south: Scope = { kind: 'site', id: site.id };
    const boss = await addPerson(core, admin.token, { name: 'Sonja', role: 'admin', scope: south });
    const make = (scope: Scope) =>
      callRaw(core, 'createApiKey', {
        token: boss.token,
        body: { name: 'Key', permissions: ['event.write'], scope },
      });
    expect((await make(south)).status).toBe(201);
    expect((await make(org)).status).toBe(404);
    const key = await makeKey(core, admin.token, ['apikey.manage'], org);
    const wider = await callRaw(core, 'createApiKey', {
      token: key.secret,
      body: { name: 'Wider', permissions: ['identity.manage'], scope: org },
    });
    expect(wider.status).toBe(403);
  });

  it('are not found by a neighbouring id or a cut secret', async () => {
    const { secret } = await makeKey(core, admin.token, ['event.read'], org);
    const flipped = secret.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    for (const text of [flipped, secret.slice(0, -1), `${secret}A`, 'sph_', 'sph_x_y'])
      expect((await callRaw(core, 'listEvents', { token: text })).status).toBe(401);
  });
});

describe('looking at sensitive data', () => {
  it('stands in the audit', async () => {
    const guard = await addPerson(core, admin.token, { name: 'Gregor', role: 'guard', scope: org });
    const { token } = admin;
    await call(core, 'listApiKeys', { token });
    await call(core, 'listSessions', { token, query: { user_id: guard.id } });
    await call(core, 'exportAudit', { token });
    const { items } = await call(core, 'listAudit', { token });
    const actions = items.map((row) => row.action);
    expect(actions).toEqual(expect.arrayContaining(['api_keys.viewed', 'sessions.viewed', 'audit.exported']));
    const { items: next } = await call(core, 'listAudit', { token, query: { action: 'audit' } });
    expect(next.map((row) => row.action)).toContain('audit.viewed');
  });
});

describe('hostile text', () => {
  it('is kept as text, whatever it looks like', async () => {
    const name = `Robert'); DROP TABLE users;-- <img src=x onerror=alert(1)>`;
    const user = await call(core, 'createUser', {
      token: admin.token,
      body: { name, email: 'bobby@example.org', password: goodPassword },
    });
    expect(user.name).toBe(name);
    for (const q of [`%`, `_`, `\\`, `'`, `" OR 1=1`, `Robert')`]) {
      const { items } = await call(core, 'listUsers', { token: admin.token, query: { q } });
      expect(items.map((item) => item.name)).toEqual(name.includes(q) ? [name] : []);
    }
  });

  it('takes one e-mail address once, however it is written', async () => {
    const again = await callRaw(core, 'createUser', {
      token: admin.token,
      body: { name: 'Ada', email: ada.email.toUpperCase(), password: goodPassword },
    });
    expect(codeOf(again)).toBe('duplicate');
  });

  it('pages through users without losing or repeating one', async () => {
    for (let n = 0; n < 5; n += 1)
      core.db
        .prepare('INSERT INTO users (id, org_id, name, email, created_ms) VALUES (?, ?, ?, ?, 1)')
        .run(core.app.random.uuid(), admin.orgId, `User ${n}`, `user${n}@example.org`);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await call(core, 'listUsers', { token: admin.token, query: { limit: 2, cursor } });
      seen.push(...page.items.map((user) => user.id));
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(6);
    expect(seen).toHaveLength(6);
  });
});
