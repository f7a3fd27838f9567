/** A whole box: an event sets off a rule, the rule's person is rung and spoken to, and his key acknowledges the incident in core. */
import {
  call,
  openSipPeer,
  setupAdmin,
  startBox,
  waitFor,
  type Box,
  type SetUp,
  type SipPeer,
} from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPhoneEar, type PhoneEar } from './testing/phone-ear.ts';

let box: Box;
let admin: SetUp;
let token: string;
let peer: SipPeer;
let ear: PhoneEar;
const address = '127.0.0.41';

beforeAll(async () => {
  box = await startBox({ services: ['signaling'], phones: true });
  admin = await setupAdmin(box);
  ({ token } = admin);
  const { extension } = await waitFor('the bridge to know the admin', () =>
    call(box, 'createExtension', {
      token,
      body: { number: '201', kind: 'user', name: 'Ada', user_id: admin.me.user.id },
    }).catch(() => undefined),
  );
  await call(box, 'createExtension', {
    token,
    body: { number: '600', kind: 'group', name: 'Guards on duty', duty: true },
  });
  const { secret } = await call(box, 'renewExtensionSecret', { token, params: { id: extension.id } });
  await waitFor(
    'the plan at Kamailio',
    async () => (await call(box, 'getPhoneHealth', { token })).plan_applied,
    30_000,
  );
  const credentials = { username: extension.auth_username, password: secret };
  peer = await openSipPeer({ server: box.sip!, address, number: '201', credentials });
  ear = await openPhoneEar(address);
  expect((await peer.register()).status).toBe(200);
}, 120_000);
afterAll(async () => {
  await peer.close();
  await ear[Symbol.asyncDispose]();
  await box.stop();
});

type Whom = { user_ids?: string[]; numbers?: string[] };
/** A door is forced, and the rule for it calls them. @returns the incident's id */
async function alarm(name: string, whom: Whom): Promise<string> {
  const area = (await call(box, 'listAreas', { token, query: {} })).items[0];
  const door = await call(box, 'createDevice', {
    token,
    body: { area_id: area?.id ?? '', kind: 'door', name },
  });
  const scope = { device_ids: [door.id] };
  const rule = await call(box, 'createRule', {
    token,
    body: {
      name: `Calls for ${name}`,
      trigger: { kind: 'event', types: ['door.held'], scope },
      actions: [
        { kind: 'incident', title: name, severity: 'high' },
        { kind: 'call', say: '{event}: {device}', ring_s: 60, ...whom },
      ],
    },
  });
  const event = { specversion: '1.0', id: name, source: 'test', type: 'door.held', subject: door.id, data: {} } as const; // prettier-ignore
  await call(box, 'appendEvents', { token, body: event });
  return waitFor('the incident', async () => {
    const { items } = await call(box, 'listIncidents', { token, query: {} });
    return items.find((incident) => incident.rule_id === rule.id)?.id;
  });
}

/** The phone is taken up, hears something, and its key 1 is pressed. */
async function takeUpAndPress(): Promise<void> {
  const invite = await peer.nextRequest('INVITE', 60_000);
  const sdp = ['v=0', 'o=- 1 1 IN IP4 1.1.1.1', 's=-', `c=IN IP4 ${address}`, 't=0 0', `m=audio ${ear.port} RTP/AVP 0 101`, 'a=rtpmap:101 telephone-event/8000', '']; // prettier-ignore
  peer.answer(invite, 180);
  peer.answer(invite, 200, { body: sdp.join('\r\n') });
  await peer.nextRequest('ACK', 30_000);
  await waitFor('a voice', () => ear.loudness() > 1_000, 30_000);
  await ear.press('1', invite.body);
  peer.answer(await peer.nextRequest('BYE', 30_000), 200);
}
const acknowledged = (id: string) =>
  waitFor('the acknowledgement', async () => {
    const incident = await call(box, 'getIncident', { token, params: { id } });
    return incident.state === 'acknowledged' ? incident : undefined;
  });
const linesOf = async (id: string): Promise<string[]> =>
  (await call(box, 'listTimeline', { token, params: { id }, query: {} })).items.map(({ text }) => text);

describe('an alarm', () => {
  it('rings whom its rule names, and his key acknowledges it under his name', async () => {
    const id = await alarm('Gate', { user_ids: [admin.me.user.id] });
    await takeUpAndPress();
    const incident = await acknowledged(id);
    expect(incident.acknowledged_by).toEqual({ id: admin.me.user.id, name: 'Ada Admin' });
    const lines = await waitFor('the lines of the call', async () => {
      const texts = await linesOf(id);
      return texts.includes('Alarm call: Ada Admin (201) acknowledged with a key') ? texts : undefined;
    });
    expect(lines).toContain('To be called by phone, one after another: Ada Admin');
    expect(lines).toContain('Acknowledged by phone (201)');
  });

  it('rings a group of whoever is on duty', async () => {
    await call(box, 'setPresence', { token, body: { on_duty: true } });
    await waitFor('the group to know who is on duty', async () =>
      JSON.stringify(await box.sip?.rpc('htable.get', ['member', '600'])).includes('201'),
    );
    const id = await alarm('Loading dock', { numbers: ['600'] });
    await takeUpAndPress();
    expect((await acknowledged(id)).acknowledged_by?.name).toBe('600');
  });
});
