/** A door station, desk phones, Kamailio and the media relays, all real but for who presses the buttons. */
import { internalPaths, type InternalPerson, type PhoneCall } from '@siphera/contract';
import { systemRandom } from '@siphera/runtime';
import {
  openSipPeer,
  phoneSdp,
  startSipServer,
  tempDir,
  waitFor,
  type SipDialog,
  type SipMessage,
  type SipPeer,
  type SipServer,
  type TempDir,
} from '@siphera/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { relayCalls } from './adapters/relay-calls.ts';
import { createCallsPart } from './calls.part.ts';
import { createPlanPart } from './plan.part.ts';
import { startBridgeRig, testOrg, type BridgeRig } from './testing/bridge-rig.ts';
import { RtpEnd } from './testing/rtp-end.ts';

const [station, door, camera] = [systemRandom.uuid(), systemRandom.uuid(), systemRandom.uuid()];
const silence = 0xff;
const voice = 0x35;

type Credentials = { username: string; password: string };
let directory: TempDir;
let server: SipServer;
let rig: BridgeRig;
let ada: InternalPerson;
const signIn: Record<string, Credentials> = {};
let gate: SipPeer;
let desk: SipPeer;
let gateSound: RtpEnd;
let deskSound: RtpEnd;

beforeAll(async () => {
  directory = await tempDir('door');
  server = await startSipServer({ dir: directory.path });
  rig = await startBridgeRig({
    realSwitch: true,
    env: {
      SIP_DIR: server.sipDir,
      SIP_DOMAIN: server.domain,
      SIP_SECRET: server.secret,
      KAMAILIO_RPC_URL: server.rpcUrl,
      KAMAILIO_RPC_SECRET: server.rpcSecret,
      KAMAILIO_EVENTS: server.events,
      DTMF_LISTEN: server.dtmfListen,
      RTPENGINE_CONTROL: `a=${server.relays.a.control},b=${server.relays.b.control}`,
    },
    parts: (ground) => {
      const { part, book } = createPlanPart(ground);
      return [part, createCallsPart(ground, book).part];
    },
    before: (core) => {
      ada = core.directory.addPerson(testOrg, 'Ada', 'guard');
      core.answers.set(internalPaths.command, () => ({ command_id: systemRandom.uuid() }));
    },
  });
  await add({ number: '2001', kind: 'user', name: 'Ada', user_id: ada.id });
  await add({ number: '2100', kind: 'phone', name: 'Reception' });
  await add({ number: '4000', kind: 'group', name: 'Guards', members: ['2001', '2100'] });
  await add({
    number: '3001',
    kind: 'door',
    name: 'Main gate',
    rings: '4000',
    device_id: station,
    door_id: door,
    camera_id: camera,
    open_digit: '9',
  });
  await rig.published();
});
afterAll(async () => {
  await rig.stop();
  await server.stop();
  await directory.remove();
});

async function add(extension: Record<string, unknown>): Promise<void> {
  const made = await rig.rest('POST', '/sip/extensions', extension);
  if (made.status !== 201) throw new Error(`not added: ${JSON.stringify(made.body)}`);
  const { extension: view, secret } = made.body as {
    extension: { number: string; auth_username: string };
    secret: string | null;
  };
  if (secret !== null) signIn[view.number] = { username: view.auth_username, password: secret };
}

beforeEach(async () => {
  const to = { address: server.address, port: server.port, domain: server.domain };
  const peer = (number: string, address: string): Promise<SipPeer> =>
    openSipPeer({ server: to, address, number, ...(signIn[number] ? { credentials: signIn[number] } : {}) });
  gate = await peer('3001', '127.0.0.31');
  desk = await peer('2100', '127.0.0.21');
  [gateSound, deskSound] = await Promise.all([RtpEnd.open('127.0.0.31'), RtpEnd.open('127.0.0.21')]);
  expect((await desk.register()).status).toBe(200);
});
afterEach(async () => {
  await desk.register(0);
  for (const end of [gateSound, deskSound]) end.close();
  await Promise.all([gate.close(), desk.close()]);
});

/** The station rings the guards. */
async function ring(): Promise<{ dialled: Promise<SipDialog>; invite: SipMessage; callId: string }> {
  const dialled = gate.call('4000', { body: phoneSdp(gateSound.address, gateSound.port) });
  // Whoever ends the call before it is answered expects that it fails.
  dialled.catch(() => undefined);
  const invite = await desk.nextRequest('INVITE');
  desk.answer(invite, 180);
  return { dialled, invite, callId: invite.header('call-id') ?? '' };
}

/** Up to where both hear each other. */
async function talk(): Promise<{
  atGate: SipDialog;
  atDesk: SipDialog;
  callId: string;
  invite: SipMessage;
}> {
  const { dialled, invite, callId } = await ring();
  deskSound.aim(invite.body);
  const atDesk = desk.answer(invite, 200, { body: phoneSdp(deskSound.address, deskSound.port) });
  const atGate = await dialled;
  gateSound.aim(atGate.message.body);
  await waitFor('the one who answered hears the gate', () => {
    gateSound.sound(voice);
    deskSound.sound(silence);
    return deskSound.heard(voice);
  });
  return { atGate, atDesk, callId, invite };
}

const board = async (): Promise<PhoneCall[]> =>
  ((await rig.rest('GET', '/sip/board')).body as { items: PhoneCall[] }).items;
const onBoard = (callId: string, state: PhoneCall['state']): Promise<PhoneCall> =>
  waitFor(`the call is ${state}`, async () =>
    (await board()).find((call) => call.call_id === callId && call.state === state),
  );
const past = (callId: string): Promise<PhoneCall> =>
  waitFor('the call is over', async () => {
    const { items } = (await rig.rest('GET', '/sip/calls?of=all')).body as { items: PhoneCall[] };
    return items.find((call) => call.call_id === callId && call.state === 'ended');
  });
const commands = (): unknown[] => rig.core.posts.map(({ body }) => body);
const told = (type: string): number => rig.core.events.filter((event) => event.type === type).length;
const counted = (outcome: string): Promise<number> =>
  fetch(`http://127.0.0.1:${rig.bridge.metricsPort}/metrics`)
    .then((response) => response.text())
    .then((text) =>
      Number(new RegExp(`sip_bridge_digits_total\\{outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1] ?? 0),
    );
async function hangUp(dialog: SipDialog): Promise<void> {
  const bye = gate.within(dialog, 'BYE');
  desk.answer(await desk.nextRequest('BYE'), 200);
  await bye;
}

it('rings the guards with its camera, talks, and the key of who answered opens; its own never does', async () => {
  const before = {
    called: told('intercom.called'),
    commands: commands().length,
    refused: await counted('not_ours'),
  };
  const { atGate, atDesk, callId, invite } = await talk();
  expect(await onBoard(callId, 'answered')).toMatchObject({
    from: { number: '3001', name: 'Main gate' },
    to: { number: '4000', name: 'Guards' },
    answered_by: '2100',
    door_id: door,
    camera_id: camera,
    relayed: true,
  });
  await waitFor('core is told of the visitor', () => told('intercom.called') === before.called + 1);

  gateSound.key(9);
  await waitFor(
    'the key of the gate is not taken',
    async () => (await counted('not_ours')) === before.refused + 1,
  );
  // A station that was broken into claims to be the other side: tags and names as if the desk sent it.
  const forged = gate.buildWithin(
    {
      ...atGate,
      localTag: atGate.remoteTag,
      remoteTag: atGate.localTag,
      local: atGate.remote,
      remote: atGate.local,
    },
    'INFO',
    { contentType: 'application/dtmf-relay', body: 'Signal=9\r\nDuration=160\r\n' },
  );
  gate.send(forged);
  await waitFor(
    'the forged key is not taken',
    async () => (await counted('not_ours')) === before.refused + 2,
  );
  expect(commands()).toHaveLength(before.commands);

  const stranger = await RtpEnd.open('127.0.0.66');
  stranger.aim(invite.body);
  stranger.key(9);
  await waitFor(
    'the key of a stranger is not taken',
    async () => (await counted('not_ours')) === before.refused + 3,
  );
  stranger.close();
  expect(commands()).toHaveLength(before.commands);

  deskSound.key(9);
  await waitFor('the command', () => commands().length === before.commands + 1);
  expect(commands().at(-1)).toMatchObject({
    device_id: door,
    name: 'unlock',
    actor: { kind: 'service', name: 'Phone 2100 (Reception)' },
  });
  expect((await onBoard(callId, 'answered')).openings).toMatchObject([{ how: 'digit', ok: true }]);

  const info = desk.within(atDesk, 'INFO', {
    contentType: 'application/dtmf-relay',
    body: 'Signal=3\r\nDuration=160\r\n',
  });
  gate.answer(await gate.nextRequest('INFO'), 200);
  expect((await info).status).toBe(200);
  await waitFor('a key by INFO is heard', async () => (await counted('wrong')) > 0);
  await hangUp(atGate);
  expect(await past(callId)).toMatchObject({ outcome: 'answered', answered_by: '2100' });
});

it('opens by button while it rings, and a visitor whom all declined is missed', async () => {
  const before = { missed: told('intercom.missed'), commands: commands().length };
  const { invite, callId, dialled } = await ring();
  const call = await onBoard(callId, 'ringing');
  const opened = await rig.rest('POST', `/sip/calls/${call.id}/open-door`, undefined, {
    as: 'guard',
    sub: ada.id,
    name: 'Ada',
  });
  expect(opened.status).toBe(202);
  expect(commands()).toHaveLength(before.commands + 1);
  desk.answer(invite, 603);
  await expect(dialled).rejects.toThrow('603');
  expect(await past(callId)).toMatchObject({ outcome: 'refused', reason: 'It was declined.' });
  await waitFor('core is told that he was missed', () => told('intercom.missed') === before.missed + 1);
});

it('is in the history, whole, when the bridge was down for all of it', async () => {
  await rig.halt();
  const { atGate, callId } = await talk();
  await hangUp(atGate);
  await server.report({ kind: 'call', state: 'ended', call: callId });
  await rig.restart();
  const call = await past(callId);
  expect(call).toMatchObject({ outcome: 'answered', answered_by: '2100', to: { name: 'Guards' } });
  expect(call.answered_at).not.toBeNull();
  await waitFor('the spool is empty', () => server.reports().length === 0);
});

it('is ended from the board when it talks: both sides hear it, and it is over', async () => {
  const { invite, callId, dialled } = await ring();
  const call = await onBoard(callId, 'ringing');
  const end = () => rig.rest('POST', `/sip/calls/${call.id}/end`);
  expect((await end()).status).toBe(409);
  deskSound.aim(invite.body);
  desk.answer(invite, 200, { body: phoneSdp(deskSound.address, deskSound.port) });
  await dialled;
  await onBoard(callId, 'answered');
  const ended = end();
  const [atGate, atDesk] = await Promise.all([gate.nextRequest('BYE'), desk.nextRequest('BYE')]);
  gate.answer(atGate, 200);
  desk.answer(atDesk, 200);
  expect((await ended).status).toBe(204);
  expect(await past(callId)).toMatchObject({ outcome: 'answered' });
  await waitFor('the relays let go', async () => {
    const relays = [server.relays.a, server.relays.b];
    const carried = await Promise.all(relays.map(({ control }) => relayCalls(control, systemRandom.uuid())));
    return carried.every((calls) => calls && !calls.has(callId));
  });
});

it('goes on while Kamailio crashes and comes back, and its end is heard', async () => {
  const { atGate, callId } = await talk();
  await onBoard(callId, 'answered');
  await server.crash();
  await waitFor('it is seen as gone', () => !rig.bridge.ground.kamailio.isUp());
  await server.daemon.start();
  await waitFor('it is heard again', () => rig.bridge.ground.kamailio.isUp());
  expect(await onBoard(callId, 'answered')).toMatchObject({ from: { number: '3001' } });
  await hangUp(atGate);
  expect(await past(callId)).toMatchObject({ outcome: 'answered', reason: null });
  await waitFor('the spool is empty', () => server.reports().length === 0);
});
