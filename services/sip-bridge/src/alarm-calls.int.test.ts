/** Alarm calls by the box's own Kamailio and media relays to phones of a test: who is called, what is heard, what a key does. */
import {
  internalPaths,
  rolePermissions,
  type AlarmCall,
  type AlarmCallOrder,
  type InternalPerson,
} from '@siphera/contract';
import {
  openSipPeer,
  startSipServer,
  tempDir,
  waitFor,
  type SipPeer,
  type SipServer,
  type TempDir,
} from '@siphera/testkit';
import { systemRandom } from '@siphera/runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAlarmCallsPart, type Caller } from './alarm-calls.part.ts';
import { alarmNumber, alarmTables } from './domain/alarm-number.ts';
import { defaultPlan } from './domain/number-plan.ts';
import { startBridgeRig, testOrg, testSite, yard, type BridgeRig } from './testing/bridge-rig.ts';
import { fakeBook, type FakeBook } from './testing/fake-book.ts';
import { openPhoneEar, type PhoneEar } from './testing/phone-ear.ts';

const incidentId = '0192f000-0000-7000-8000-0000000000c1';
const scopes = [`area:${yard}`, `site:${testSite}`, `org:${testOrg}`];
const numbers = ['201', '202'];

let dir: TempDir;
let server: SipServer;
let rig: BridgeRig;
let book: FakeBook;
let caller: Caller;
let zoe: InternalPerson;
let ben: InternalPerson;
let open: AsyncDisposable[] = [];

beforeAll(async () => {
  dir = await tempDir('alarm');
  server = await startSipServer({
    dir: dir.path,
    plan: {
      account: Object.fromEntries(
        numbers.map((number) => [`desk${number}`, { number, secret: `secret-${number}` }]),
      ),
      number: {
        ...Object.fromEntries(
          numbers.map((number) => [number, { kind: 'phone', classes: 'internal', ring: 60 }]),
        ),
        // A call to him alone would go on there; an alarm call goes on by itself.
        '201': { kind: 'phone', classes: 'internal', ring: 60, fallback: '202' },
        [alarmNumber]: fieldsOf(alarmTables(false).tables?.number?.[alarmNumber] ?? ''),
      },
    },
  });
});
afterAll(async () => {
  await server.stop();
  await dir.remove();
});
beforeEach(async () => {
  book = { ...fakeBook(), plan: () => defaultPlan('US') };
  rig = await startBridgeRig({
    env: {
      SIP_ADDRESS: `${server.address}:${server.port}`,
      SIP_DOMAIN: server.domain,
      SIP_SECRET: server.secret,
    },
    before: (core) => {
      zoe = core.directory.addPerson(testOrg, 'Zoe', 'guard');
      ben = core.directory.addPerson(testOrg, 'Ben', 'guard');
      core.answers.set(internalPaths.incidentLine, () => ({ added: true }));
      core.answers.set(internalPaths.acknowledgeIncident, () => ({ state: 'acknowledged', changed: true }));
    },
    parts: (ground) => {
      const made = createAlarmCallsPart(ground, book, { waits: { roundPauseMs: 100, settleMs: 100 } });
      ({ caller } = made);
      return [made.part];
    },
  });
  book.put({ number: '201', kind: 'user', user_id: zoe.id });
  book.put({ number: '202', kind: 'user', user_id: ben.id });
});
afterEach(async () => {
  for (const one of open) await one[Symbol.asyncDispose]();
  open = [];
  await rig.stop();
});

const fieldsOf = (value: string): Record<string, string> =>
  Object.fromEntries(value.split(';').map((field) => field.split('=') as [string, string]));

async function phone(number: string, address: string): Promise<SipPeer & { ear: PhoneEar }> {
  const credentials = { username: `desk${number}`, password: `secret-${number}` };
  const peer = await openSipPeer({ server, address, number, credentials });
  const ear = await openPhoneEar(address);
  expect((await peer.register()).status).toBe(200);
  // Signed out, so that nothing rings there in the next test.
  const leave = async (): Promise<void> => {
    await peer.register(0);
    await peer.close();
  };
  open.push({ [Symbol.asyncDispose]: leave }, ear);
  return { ...peer, ear };
}
const sdp = (address: string, port: number): string =>
  [
    'v=0',
    `o=- 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0 101`,
    'a=rtpmap:101 telephone-event/8000',
    '',
  ].join('\r\n');
/** Takes it up, and gives the way to press keys. */
async function takeUp(
  one: SipPeer & { ear: PhoneEar },
): Promise<{ press: (digit: string) => Promise<void> }> {
  const invite = await one.nextRequest('INVITE', 30_000);
  one.answer(invite, 180);
  one.answer(invite, 200, { body: sdp(one.address, one.ear.port) });
  await one.nextRequest('ACK');
  return { press: (digit) => one.ear.press(digit, invite.body) };
}

function order(change: Partial<AlarmCallOrder> = {}): string {
  const id = systemRandom.uuid();
  const data: AlarmCallOrder = {
    id,
    org_id: testOrg,
    incident_id: incidentId,
    say: 'Door forced: Gate',
    targets: [
      { user_id: zoe.id, number: null },
      { user_id: ben.id, number: null },
    ],
    rounds: 1,
    ring_s: 30,
    ...change,
  };
  rig.core.tell({ kind: 'alarm_call', action: 'created', id, audience: 'phone.read', scopes, data });
  return id;
}
const tellIncident = (state: string): void =>
  rig.core.tell({
    kind: 'incident',
    action: 'updated',
    id: incidentId,
    audience: 'incident.read',
    scopes,
    data: { state },
  });
const callNow = async (id: string): Promise<AlarmCall | undefined> => {
  const { body } = await rig.rest('GET', '/sip/alarm-calls');
  return (body as { items: AlarmCall[] }).items.find((one) => one.id === id);
};
const ended = (id: string): Promise<AlarmCall> =>
  waitFor(
    'the alarm call to end',
    async () => {
      const call = await callNow(id);
      return call?.ended_at ? call : undefined;
    },
    60_000,
  );
const posted = (path: string): Record<string, unknown>[] =>
  rig.core.posts.filter((post) => post.path === path).map(({ body }) => body as Record<string, unknown>);
const lines = (): unknown[] => posted(internalPaths.incidentLine).map(({ text }) => text);

describe('an alarm call', () => {
  it('goes on to the next when one is busy, speaks, and takes the key 1', async () => {
    const [first, second] = [await phone('201', '127.0.0.21'), await phone('202', '127.0.0.22')];
    const id = order();
    first.answer(await first.nextRequest('INVITE'), 486);
    const taken = await takeUp(second);
    await waitFor('a voice', () => second.ear.loudness() > 1_000, 30_000);
    expect((await callNow(id))?.attempts.at(-1)).toMatchObject({ name: 'Ben', outcome: 'speaking' });
    await taken.press('1');
    second.answer(await second.nextRequest('BYE', 30_000), 200);
    const call = await ended(id);
    expect(call).toMatchObject({
      state: 'acknowledged',
      text: 'Door forced: Gate',
      attempts: [
        { number: '201', name: 'Zoe', outcome: 'busy' },
        { number: '202', name: 'Ben', outcome: 'acknowledged' },
      ],
    });
    expect(posted(internalPaths.acknowledgeIncident)).toEqual([
      { incident_id: incidentId, user_id: ben.id, name: 'Ben', text: 'Acknowledged by phone (202)' },
    ]);
    await waitFor('both lines', () => lines().length === 2);
    expect(lines()).toEqual([
      'Alarm call: Zoe (201) was busy',
      'Alarm call: Ben (202) acknowledged with a key',
    ]);
  });

  it('ends when all have had their turns: not there, declined, hung up without a key', async () => {
    const [first, second] = [await phone('201', '127.0.0.23'), await phone('202', '127.0.0.24')];
    const id = order({
      targets: [
        { user_id: zoe.id, number: null },
        { user_id: ben.id, number: null },
        { user_id: systemRandom.uuid(), number: null },
        { user_id: null, number: '911' },
        { user_id: null, number: '299' },
        { user_id: null, number: '202' },
      ],
      ring_s: 1,
    });
    const invite = await first.nextRequest('INVITE');
    first.answer(invite, 180);
    first.answer(await first.nextRequest('CANCEL', 30_000), 200);
    first.answer(invite, 487);
    const taken = await takeUp(second);
    await taken.press('9');
    second.answer(await second.nextRequest('BYE', 30_000), 200);
    const again = await second.nextRequest('INVITE', 30_000);
    const dialog = second.answer(again, 200, { body: sdp(second.address, second.ear.port) });
    await second.nextRequest('ACK');
    expect((await second.within(dialog, 'BYE')).status).toBe(200);
    const call = await ended(id);
    expect(call.state).toBe('exhausted');
    expect(call.attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
      ['201', 'no_answer'],
      ['202', 'declined'],
      ['', 'failed'],
      ['911', 'failed'],
      ['299', 'failed'],
      ['202', 'no_key'],
    ]);
    expect(call.attempts[3]?.detail).toContain('number for help');
    await waitFor(
      'the last line',
      () => lines().at(-1) === 'Alarm call: nobody acknowledged, all were called',
    );
    expect(server.reports().filter(({ kind }) => kind === 'emergency')).toEqual([]);
  });

  it('is taken back when somebody takes the incident elsewhere', async () => {
    const first = await phone('201', '127.0.0.25');
    const id = order();
    const invite = await first.nextRequest('INVITE');
    first.answer(invite, 180);
    tellIncident('new');
    tellIncident('acknowledged');
    first.answer(await first.nextRequest('CANCEL', 30_000), 200);
    first.answer(invite, 487);
    expect(await ended(id)).toMatchObject({ state: 'stopped' });
    expect(lines()).toEqual([]);
  });

  it('goes on with the same person after a restart, and rings nobody twice for one order', async () => {
    const first = await phone('201', '127.0.0.26');
    const id = order();
    const invite = await first.nextRequest('INVITE');
    first.answer(invite, 180);
    const restarted = rig.restart();
    first.answer(await first.nextRequest('CANCEL', 30_000), 200);
    first.answer(invite, 487);
    await restarted;
    const taken = await takeUp(first);
    await taken.press('1');
    first.answer(await first.nextRequest('BYE', 30_000), 200);
    const call = await ended(id);
    expect(call.attempts).toMatchObject([{ name: 'Zoe', outcome: 'acknowledged' }]);
  });

  it('keeps the key for a core that is away', async () => {
    const first = await phone('201', '127.0.0.27');
    const id = order();
    const taken = await takeUp(first);
    await rig.core.stop();
    await taken.press('1');
    first.answer(await first.nextRequest('BYE', 30_000), 200);
    await rig.core.start();
    await waitFor('core to hear of it', () => posted(internalPaths.acknowledgeIncident).length === 1, 30_000);
    expect(await ended(id)).toMatchObject({ state: 'acknowledged' });
  });

  it('goes on to the next when core refuses the key', async () => {
    const [first, second] = [await phone('201', '127.0.0.28'), await phone('202', '127.0.0.29')];
    rig.core.answers.delete(internalPaths.acknowledgeIncident);
    rig.core.unknownPathCode = 'forbidden';
    const id = order();
    const taken = await takeUp(first);
    await taken.press('1');
    first.answer(await first.nextRequest('BYE', 30_000), 200);
    rig.core.answers.set(internalPaths.acknowledgeIncident, () => ({
      state: 'acknowledged',
      changed: false,
    }));
    const next = await takeUp(second);
    await next.press('1');
    second.answer(await second.nextRequest('BYE', 30_000), 200);
    expect((await ended(id)).attempts).toMatchObject([
      { name: 'Zoe', outcome: 'failed' },
      { name: 'Ben', outcome: 'acknowledged', detail: 'It was acknowledged already' },
    ]);
  });

  it('is seen and stopped by who may, and by nobody else', async () => {
    const first = await phone('201', '127.0.0.30');
    const id = order();
    const invite = await first.nextRequest('INVITE');
    first.answer(invite, 180);
    const stop = (asked: Parameters<BridgeRig['rest']>[3]) =>
      rig.rest('POST', `/sip/alarm-calls/${id}/stop`, undefined, asked);
    const elsewhere = [{ permissions: [...rolePermissions.admin], scope: `site:${systemRandom.uuid()}` }];
    expect((await stop({ as: elsewhere })).status).toBe(404);
    expect((await stop({ org: systemRandom.uuid() })).status).toBe(404);
    expect((await rig.rest('GET', '/sip/alarm-calls', undefined, { as: elsewhere })).body).toMatchObject({
      items: [],
    });
    expect((await stop({ as: 'guard', name: 'Gus' })).status).toBe(204);
    expect((await stop({ as: 'guard', name: 'Gus' })).status).toBe(204);
    first.answer(await first.nextRequest('CANCEL', 30_000), 200);
    first.answer(invite, 487);
    expect(await ended(id)).toMatchObject({ state: 'stopped' });
    await waitFor('the line', () => lines().length > 0);
    expect(lines()).toEqual(['Alarm call: stopped by Gus']);
    expect(rig.core.audits.filter(({ action }) => action === 'phone.alarm_call_stopped')).toHaveLength(1);
  });
});

describe('the caller', () => {
  it('makes three calls at once, and the fourth when one is over', async () => {
    const first = await phone('201', '127.0.0.31');
    const wish = { to: '201', ringMsMax: 60_000, talkMsMax: 60_000, wav: undefined };
    const stop = new AbortController();
    const calls = [1, 2, 3, 4].map(() => caller.call({ ...wish, signal: stop.signal }));
    const invites = [];
    for (let n = 0; n < 3; n += 1) invites.push(await first.nextRequest('INVITE'));
    for (const invite of invites) first.answer(invite, 180);
    const ids = () =>
      new Set(first.received.filter(({ method }) => method === 'INVITE').map((one) => one.header('call-id')));
    expect(ids().size).toBe(3);
    first.answer(invites[0]!, 603);
    first.answer(await first.nextRequest('INVITE', 30_000), 486);
    expect((await Promise.race(calls)).outcome).toBe('declined');
    expect((await calls[3])?.outcome).toBe('busy');
    stop.abort();
    for (let n = 0; n < 2; n += 1) {
      const cancel = await first.nextRequest('CANCEL', 30_000);
      first.answer(cancel, 200);
      first.answer(
        invites.find((one) => one.header('call-id') === cancel.header('call-id'))!,
        487,
      );
    }
    const outcomes = (await Promise.all(calls)).map(({ outcome }) => outcome);
    expect(outcomes.toSorted()).toEqual(['busy', 'declined', 'no_answer', 'no_answer']);
  });

  it('says in words why there was no call', async () => {
    const wish = { ringMsMax: 5_000, talkMsMax: 5_000, wav: undefined };
    expect(await caller.call({ ...wish, to: '299' })).toMatchObject({ outcome: 'failed', code: 404 });
    await expect(caller.call({ ...wish, to: '201@evil.test' })).rejects.toThrow('no number');
  });
});
