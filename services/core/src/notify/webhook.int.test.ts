/** Webhooks to a far end on another machine's address: signatures, retries, redirects, names that lie, removed ones. */
import { call, fakeClock, waitFor, type CallOutput } from '@siphera/testkit';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ada, setUp, signIn, type Person } from '../testing/people.ts';
import { startTestCore, type TestCore } from '../testing/test-core.ts';
import { startWebhookReceiver, type Received, type WebhookReceiver } from '../testing/webhook-receiver.ts';
import { sendWebhook, type WebhookCall } from './adapters/webhook-sender.ts';

let core: TestCore;
let admin: Person;
let receiver: WebhookReceiver;
let areaId = '';

beforeAll(async () => {
  receiver = await startWebhookReceiver();
  // The library refuses what is not of the last minutes, so the box's clock starts at the real time.
  core = await startTestCore({ run: true, clock: fakeClock(Date.now()) });
  admin = await setUp(core);
  await call(core, 'patchSettings', { token: admin.token, body: { outbound_allow: [receiver.range] } });
  areaId = (await call(core, 'listAreas', { token: admin.token, query: {} })).items[0]?.id ?? '';
});
afterAll(async () => {
  await core[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

type Hook = CallOutput<'createWebhook'>;
const addHook = (path: string, severity: 'info' | 'critical' = 'info'): Promise<Hook> =>
  call(core, 'createWebhook', {
    token: admin.token,
    body: {
      name: `Hook ${crypto.randomUUID()}`,
      url: receiver.url(path),
      kinds: ['incident'],
      severity_min: severity,
    },
  });
const removeHook = ({ id }: Hook): Promise<undefined> =>
  call(core, 'deleteWebhook', { token: admin.token, params: { id } });
const openIncident = (severity: 'low' | 'critical' = 'low'): Promise<CallOutput<'createIncident'>> =>
  call(core, 'createIncident', { token: admin.token, body: { title: 'By hand', severity, area_id: areaId } });
const deliveriesTo = async (hook: Hook): Promise<CallOutput<'listDeliveries'>['items']> =>
  (await call(core, 'listDeliveries', { token: admin.token, query: {} })).items.filter(
    (one) => one.target === hook.name || one.target === hook.id,
  );
type Body = { type: string; id: string; incident?: { id: string; state: string } };
const bodyOf = ({ body }: Received): Body => JSON.parse(body) as Body;
const about = (incident: { id: string }, path: string): Received[] =>
  receiver.received().filter((one) => one.path === path && bodyOf(one).incident?.id === incident.id);
const verified = (hook: Hook, one: Received): Body =>
  new Webhook(hook.secret).verify(one.body, one.headers) as Body;

describe('webhooks', () => {
  it('tell each change of an incident, signed so that the standard library takes it', async () => {
    const hook = await addHook('/ok');
    const quiet = await addHook('/ok', 'critical');
    const incident = await openIncident();
    const { token } = admin;
    await call(core, 'acknowledgeIncident', { token, params: { id: incident.id }, body: {} });
    await call(core, 'resolveIncident', {
      token,
      params: { id: incident.id },
      body: { code: 'false_alarm', note: 'A cat' },
    });
    await waitFor('three messages', () => about(incident, '/ok').length === 3);
    const bodies = about(incident, '/ok').map((one) => verified(hook, one));
    expect(new Set(bodies.map((body) => `${body.type} ${body.incident?.state ?? ''}`))).toEqual(
      new Set(['incident.opened new', 'incident.acknowledged acknowledged', 'incident.resolved resolved']),
    );
    for (const one of about(incident, '/ok')) {
      expect(one.headers['webhook-id']).toBe(bodyOf(one).id);
      const forged = { ...one, body: one.body.replace('By hand', 'By foot') };
      expect(() => verified(hook, forged)).toThrow();
      expect(() => verified(quiet, one)).toThrow();
    }
    expect(await deliveriesTo(quiet)).toEqual([]);
    await removeHook(hook);
    await removeHook(quiet);
  });

  it('that failed come again under the same id', async () => {
    const hook = await addHook('/flaky');
    const incident = await openIncident();
    const failed = await waitFor('the failure', async () =>
      (await deliveriesTo(hook)).find((one) => one.attempts === 1),
    );
    expect(failed).toMatchObject({ state: 'pending', last_error: expect.stringContaining('500') as string });
    core.clock.advance(10_000);
    await waitFor('the delivery', async () => (await deliveriesTo(hook))[0]?.state === 'delivered');
    const [first, second] = about(incident, '/flaky');
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(second?.body).toBe(first?.body);
    expect(verified(hook, second as Received)).toMatchObject({ type: 'incident.opened' });
    const listed = await call(core, 'listWebhooks', { token: admin.token });
    const after = listed.items.find((one) => one.id === hook.id);
    expect(after?.last_success_at).toMatch(/./);
    expect(after?.failing_since).toBeUndefined();
    await removeHook(hook);
  });

  it('follow no redirect', async () => {
    const hook = await addHook('/moved');
    const incident = await openIncident();
    const failed = await waitFor('the failure', async () =>
      (await deliveriesTo(hook)).find((one) => one.attempts > 0),
    );
    expect(failed.last_error).toContain('307');
    expect(about(incident, '/moved')).toHaveLength(1);
    expect(about(incident, '/ok')).toEqual([]);
    await removeHook(hook);
  });

  it('that were removed send nothing more, however critical it was', async () => {
    const hook = await addHook('/down');
    const incident = await openIncident('critical');
    await waitFor('a failure', async () => ((await deliveriesTo(hook))[0]?.attempts ?? 0) > 0);
    await removeHook(hook);
    const [ended] = await deliveriesTo(hook);
    expect(ended).toMatchObject({
      state: 'gave_up',
      last_error: expect.stringContaining('removed') as string,
    });
    const tries = about(incident, '/down').length;
    // Another one shows that the outbox has been looked at since.
    core.clock.advance(3_600_000);
    admin = await signIn(core, ada.email, ada.password);
    const other = await addHook('/ok');
    const later = await openIncident();
    await waitFor('the other to arrive', () => about(later, '/ok').length === 1);
    expect(about(incident, '/down')).toHaveLength(tries);
    expect((await deliveriesTo(hook))[0]?.state).toBe('gave_up');
    await removeHook(other);
  });
});

describe('names', () => {
  const send = (
    resolve: Parameters<typeof sendWebhook>[1],
    more: Partial<WebhookCall> = {},
  ): Promise<string> =>
    sendWebhook(
      {
        url: 'http://hook.example.org:8080/ok',
        secret: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
        id: crypto.randomUUID(),
        atMs: Date.now(),
        payload: '{"type":"test"}',
        allow: [receiver.range],
        ...more,
      },
      resolve,
    );
  const at = (address: string) => ({ address, family: 4 });

  it('are asked once, and what was checked is what is called', async () => {
    let asked = 0;
    const id = crypto.randomUUID();
    // The second answer is the rebinding: it must never be heard.
    const answer = await send(() => Promise.resolve([at(asked++ === 0 ? receiver.address : '127.0.0.1')]), {
      id,
    });
    expect(answer).toBe('HTTP 204');
    expect(asked).toBe(1);
    const got = await waitFor('the message', () =>
      receiver.received().find((one) => one.headers['webhook-id'] === id),
    );
    expect(got.headers['host']).toBe('hook.example.org:8080');
  });

  it.each([
    ['loopback', ['127.0.0.1']],
    ['one good and one bad address', ['RECEIVER', '169.254.169.254']],
    ['a LAN that was not allowed', ['192.168.1.1']],
    ['IPv4 dressed as IPv6', ['::ffff:127.0.0.1']],
  ])('that stand for %s are refused', async (_name, addresses) => {
    const before = receiver.received().length;
    const found = addresses.map((one) => at(one === 'RECEIVER' ? receiver.address : one));
    await expect(send(() => Promise.resolve(found))).rejects.toMatchObject({ code: 'target_refused' });
    expect(receiver.received()).toHaveLength(before);
  });

  it('that nobody knows are unavailable, and the allowed range is needed', async () => {
    await expect(send(() => Promise.reject(new Error('ENOTFOUND')))).rejects.toMatchObject({
      code: 'unavailable',
    });
    await expect(send(() => Promise.resolve([at(receiver.address)]), { allow: [] })).rejects.toMatchObject({
      code: 'target_refused',
    });
  });
});
