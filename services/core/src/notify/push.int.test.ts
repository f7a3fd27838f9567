/** Where a push stopped core goes on: lines of the timeline, and e-mail to who was not reached. */
import { internalPaths } from '@siphera/contract';
import { call, waitFor } from '@siphera/testkit';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mailAccount, startMailServer, type MailServer } from '../testing/mail-server.ts';
import { addPerson, setUp, type Person } from '../testing/people.ts';
import { startTestCore, type TestCore } from '../testing/test-core.ts';

let core: TestCore;
let server: MailServer;
let admin: Person & { orgId: string };
let guard: Person;
let dock: string;
let office: string;
let incident: string;
beforeEach(async () => {
  server = await startMailServer();
  core = await startTestCore({ run: true });
  admin = await setUp(core);
  const { token } = admin;
  const site = (await call(core, 'listSites', { token })).items[0]?.id ?? '';
  const area = async (name: string) =>
    (await call(core, 'createArea', { token, body: { site_id: site, name } })).id;
  dock = await area('Dock');
  office = await area('Office');
  guard = await addPerson(core, token, { name: 'Gus', role: 'guard', scope: { kind: 'area', id: dock } });
  incident = await open(dock);
});
afterEach(async () => {
  await core[Symbol.asyncDispose]();
  await server.stop();
});

const open = async (area_id: string): Promise<string> =>
  (
    await call(core, 'createIncident', {
      token: admin.token,
      body: { title: 'Door forced', severity: 'high', area_id },
    })
  ).id;
const useMail = () =>
  call(core, 'putSmtp', {
    token: admin.token,
    body: {
      enabled: true,
      host: '127.0.0.1',
      port: server.port,
      security: 'none',
      username: mailAccount.user,
      password: mailAccount.pass,
      from: 'box@example.org',
    },
  });
const notShown = async (user_id = guard.id, incident_id = incident): Promise<number> =>
  (await core.internal(internalPaths.pushUndelivered, { incident_id, user_id, reason: 'not shown in 60 s' }))
    .status;
const notices = async (id = incident) =>
  (await call(core, 'listTimeline', { token: admin.token, params: { id }, query: {} })).items.filter(
    (entry) => entry.kind === 'notification',
  );
const queued = () =>
  core.db
    .prepare<[], { target: string }>('SELECT target FROM outbox')
    .all()
    .map((row) => row.target);

describe('a push that no phone showed', () => {
  it('becomes an e-mail about that incident, once for each user', async () => {
    await useMail();
    expect(await notShown()).toBe(200);
    expect(await notShown()).toBe(200);
    await waitFor('the e-mail', () => (server.mails.length > 0 ? true : undefined));
    expect(server.envelopes).toEqual([[guard.email]]);
    expect(server.mails[0]).toMatch(/Subject: No phone showed it: #1 Door forced/);
    expect(server.mails[0]).toContain(`https://siphera.test/incidents/${incident}`);
    expect(await notices()).toMatchObject([
      {
        text: 'Gus: no phone showed it; e-mail sent',
        data: { user_id: guard.id, mailed: true, reason: 'not shown in 60 s' },
      },
    ]);
    expect(await notShown(admin.id)).toBe(200);
    expect(queued()).toEqual(expect.arrayContaining([guard.email, admin.email]));
    expect(queued()).toHaveLength(2);
  });

  it('is said on the timeline where no e-mail is set up', async () => {
    expect(await notShown()).toBe(200);
    expect(queued()).toEqual([]);
    expect((await notices()).map((entry) => entry.text)).toEqual([
      'Gus: no phone showed it and e-mail is not set up',
    ]);
  });

  it('matters no more once somebody has taken the incident', async () => {
    await useMail();
    await call(core, 'acknowledgeIncident', { token: admin.token, params: { id: incident }, body: {} });
    expect(await notShown()).toBe(200);
    expect(queued()).toEqual([]);
    expect(await notices()).toEqual([]);
  });

  it('tells nobody of an incident that he may not see', async () => {
    await useMail();
    expect(await notShown(guard.id, await open(office))).toBe(422);
    expect(await notShown(randomUUID())).toBe(422);
    expect(await notShown(guard.id, randomUUID())).toBe(404);
    core.db.prepare('UPDATE users SET active = 0 WHERE id = ?').run(guard.id);
    expect(await notShown()).toBe(422);
    expect(queued()).toEqual([]);
  });
});

describe('a line of signaling', () => {
  const say = async (body: Record<string, unknown>): Promise<number> =>
    (await core.internal(internalPaths.incidentLine, { incident_id: incident, ...body })).status;

  it('stands on the timeline once, although it came twice', async () => {
    const line = { text: 'Push sent to Gus', data: { at: '2026-11-28T10:00:00.000Z' } };
    expect(await say(line)).toBe(200);
    expect(await say(line)).toBe(200);
    expect(await say({ ...line, data: { at: '2026-11-28T10:01:00.000Z' } })).toBe(200);
    expect((await notices()).map((entry) => [entry.text, entry.actor.name])).toEqual([
      ['Push sent to Gus', 'Siphera'],
      ['Push sent to Gus', 'Siphera'],
    ]);
  });

  it('is refused where there is no incident, and where it is none', async () => {
    expect(await say({ incident_id: randomUUID(), text: 'x', data: {} })).toBe(404);
    expect(await say({ text: 'x'.repeat(501), data: {} })).toBe(400);
    expect(await notices()).toEqual([]);
  });
});
