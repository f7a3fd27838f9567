/** E-mail against a real SMTP server: credentials, a server that is down, and what the record says meanwhile. */
import { call, freePort, waitFor, type CallOutput } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mailAccount, startMailServer, type MailServer } from '../testing/mail-server.ts';
import { ada, setUp, signIn, type Person } from '../testing/people.ts';
import { startTestCore, type TestCore } from '../testing/test-core.ts';

let core: TestCore;
let admin: Person;
let server: MailServer;

beforeEach(async () => {
  core = await startTestCore({ run: true });
  admin = await setUp(core);
  server = await startMailServer();
});
afterEach(async () => {
  await server.stop();
  await core[Symbol.asyncDispose]();
});

type Smtp = { port?: number; password?: string; security?: 'none' | 'starttls' | 'tls' };
async function useServer({ port = server.port, password = mailAccount.pass, security = 'none' }: Smtp = {}) {
  const saved = await call(core, 'putSmtp', {
    token: admin.token,
    body: {
      enabled: true,
      host: '127.0.0.1',
      port,
      security,
      username: mailAccount.user,
      from: 'box@example.org',
      password,
    },
  });
  expect(JSON.stringify(saved)).not.toContain(password);
}
const test = (): Promise<CallOutput<'testSmtp'>> =>
  call(core, 'testSmtp', { token: admin.token, body: { to: 'guard@example.org' } });
const deliveries = async (): Promise<CallOutput<'listDeliveries'>['items']> =>
  (await call(core, 'listDeliveries', { token: admin.token, query: {} })).items;

/** An incident whose first escalation step writes to the admin. @returns its id */
async function raiseAlarm(): Promise<string> {
  const plan = await call(core, 'createEscalation', {
    token: admin.token,
    body: {
      name: 'Mail the admin',
      severity_min: 'low',
      steps: [{ after_ms: 5_000, user_ids: [admin.id], channels: ['email'] }],
      default: true,
    },
  });
  expect(plan.default).toBe(true);
  const areas = await call(core, 'listAreas', { token: admin.token, query: {} });
  const { id } = await call(core, 'createIncident', {
    token: admin.token,
    body: { title: 'Door forced', severity: 'high', area_id: areas.items[0]?.id ?? '' },
  });
  core.clock.advance(5_001);
  await waitFor('the step', async () => (await deliveries()).length === 1);
  return id;
}

describe('e-mail', () => {
  it('is sent with the account of the settings, whose password stays in the box', async () => {
    await useServer();
    expect(await test()).toMatchObject({ ok: true });
    expect(server.envelopes).toEqual([['guard@example.org']]);
    const read = await call(core, 'getSmtp', { token: admin.token });
    expect(read).toMatchObject({ password_set: true, username: mailAccount.user });
    expect(JSON.stringify(read)).not.toContain(mailAccount.pass);
    const stored = JSON.stringify(core.db.prepare('SELECT value FROM settings').all());
    expect(stored).not.toContain(mailAccount.pass);
    expect(core.logLines.join()).not.toContain(mailAccount.pass);
  });

  it('says in the server’s own words that the password is wrong', async () => {
    await useServer({ password: 'wrong' });
    const answer = await test();
    expect(answer.ok).toBe(false);
    expect(answer.answer).toMatch(/535|credentials/i);
    expect(server.mails).toEqual([]);
  });

  it('never falls back to plain text where TLS was asked for', async () => {
    await useServer({ security: 'starttls' });
    expect(await test()).toMatchObject({ ok: false });
    await useServer({ security: 'tls' });
    expect(await test()).toMatchObject({ ok: false });
    expect(server.mails).toEqual([]);
  });

  it('is refused where nobody set it up', async () => {
    expect(await test()).toMatchObject({ ok: false });
  });

  it('of an alarm is tried until the server is back, under one message id, and the record says so', async () => {
    const port = await freePort();
    await useServer({ port });
    const incident = await raiseAlarm();
    const failed = await waitFor('the first failure', async () =>
      (await deliveries()).find((one) => one.attempts > 0),
    );
    expect(failed).toMatchObject({
      channel: 'email',
      state: 'pending',
      critical: true,
      target: ada.email,
      incident_id: incident,
      next_attempt_at: expect.any(String) as string,
      last_error: expect.stringMatching(/ECONNREFUSED/) as string,
    });
    // A day and a half: what is not critical would have been given up.
    for (const hours of [1, 35]) {
      const before = (await deliveries())[0]?.attempts ?? 0;
      core.clock.advance(hours * 3_600_000);
      admin = await signIn(core, ada.email, ada.password);
      await waitFor('another try', async () => ((await deliveries())[0]?.attempts ?? 0) > before);
    }
    expect((await deliveries())[0]).toMatchObject({ state: 'pending' });
    await using back = await startMailServer(port);
    core.clock.advance(3_600_000);
    admin = await signIn(core, ada.email, ada.password);
    const done = await waitFor('the delivery', async () =>
      (await deliveries()).find((one) => one.state === 'delivered'),
    );
    expect(back.envelopes).toEqual([[ada.email]]);
    // The row's own id: a copy that was sent twice is one to the mail system.
    expect(back.mails[0]).toContain(`Message-ID: <${done.id}@siphera>`);
    expect(back.mails[0]).toMatch(/Subject: Not acknowledged: #1 Door forced/);
    expect(back.mails[0]).toContain(`https://siphera.test/incidents/${incident}`);
    const timeline = await call(core, 'listTimeline', {
      token: admin.token,
      params: { id: incident },
      query: {},
    });
    const told = timeline.items.filter((entry) => /Could not send/.test(entry.text));
    expect(told).toHaveLength(1);
  });
});
