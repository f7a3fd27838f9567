/** Help calls back: the number that it was told rings the one who called, and then the desk. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { emergencyBrowserSdp, emergencyPhone, emergencyPlan } from './emergency-box.ts';
import type { InviteOptions, RawPhone } from './emergency-phone.ts';
import { type SipServer, startSipServer } from './kamailio.ts';
import { type Psap, startPsap } from './psap.ts';
import { phoneSdp } from './sip-message.ts';
import { openSipPeer, type SipPeer } from './sip-peer.ts';
import { type TempDir, tempDir } from './temp-dir.ts';

const trunkAddress = '127.0.0.30';
let dir: TempDir;
let server: SipServer;
let psap: Psap;
let trunk: SipPeer;
let desk: RawPhone;
const open: RawPhone[] = [];
let addresses = 0;

beforeAll(async () => {
  dir = await tempDir('em');
  psap = await startPsap({ dir: dir.path, address: trunkAddress, behaviour: { hangUpAfterMs: 20 } });
  server = await startSipServer({
    dir: dir.path,
    plan: emergencyPlan([{ psap, id: 'main' }], { did: { '+12145550104': '2002' } }),
  });
  trunk = await openSipPeer({ server, address: trunkAddress, number: '+19725550911' });
  desk = await emergencyPhone(server, '2002', { address: '127.0.54.250' });
  await desk.register();
});
afterEach(async () => {
  for (const phone of open.splice(0)) phone.close();
  await forgetCallers();
});
afterAll(async () => {
  desk?.close();
  await trunk?.close();
  await server?.stop();
  await psap?.stop();
  await dir?.remove();
});

async function caller(
  number: string | undefined,
  more: Parameters<typeof emergencyPhone>[2] = {},
): Promise<RawPhone> {
  addresses += 1;
  const phone = await emergencyPhone(server, number, { address: `127.0.54.${addresses}`, ...more });
  open.push(phone);
  return phone;
}
async function callsForHelp(phone: RawPhone, options: InviteOptions = {}): Promise<string> {
  const call = phone.invite('911', options);
  await call.status('200');
  call.ack();
  await call.request('BYE');
  await server.report({ kind: 'emergency', call: call.callId, state: 'ended' });
  return call.callId;
}
const callsBack = (user: string) => {
  const uri = `sip:${user}@${server.domain}`;
  return trunk.request('INVITE', {
    uri,
    to: `<${uri}>`,
    contentType: 'application/sdp',
    body: phoneSdp(trunkAddress, 30_000),
  });
};
const deskCalls = (): number =>
  new Set(desk.messages.flatMap((message) => (message.method === 'INVITE' ? [message.all('via')[0]] : [])))
    .size;
/** Numbers of before: their calls are of other tests. */
const forgetCallers = async (): Promise<void> => {
  for (const key of ['12145552001', '12145550102', '12145550104'])
    await server.rpc('htable.delete', ['em_return', key]).catch(() => undefined);
};
/** Takes the call, and says what it came with. */
async function takes(phone: RawPhone, body = phoneSdp('127.0.0.1', 31_000), count = 1) {
  const { invite, call } = await phone.called(count);
  call.answer(invite, '180 Ringing');
  call.answer(invite, '200 OK', { contentType: 'application/sdp', body });
  return invite;
}

describe('the call-back number', () => {
  it('rings the phone that called for help, also when one trunk call is all that is allowed', async () => {
    const phone = await caller('2001');
    await phone.register();
    const emergency = await callsForHelp(phone, { authorised: true });
    const answer = callsBack('+12145552001');
    const invite = await takes(phone);
    expect((await answer).status).toBe(200);
    expect(invite.header('priority')).toBe('emergency');
    expect(invite.header('x-siphera-callback')).toBe('yes');
    expect(await server.report({ kind: 'callback', emergency })).toMatchObject({
      from: '+19725550911',
      reached: true,
    });
    expect(
      await server.report({ kind: 'call', state: 'answered', by: '2001', direction: 'inbound' }),
    ).toBeDefined();
  });

  it.each(['2145550102', '12145550102', '+12145550102'])(
    'rings a phone that nobody knows, dialled as %s',
    async (dialled) => {
      const phone = await caller(undefined);
      const emergency = await callsForHelp(phone);
      const answer = callsBack(dialled);
      await takes(phone);
      expect((await answer).status).toBe(200);
      expect(await server.report({ kind: 'callback', emergency })).toMatchObject({ reached: true });
    },
  );

  it('rings a browser whose credential has expired, by the connection it called on', async () => {
    const { username, password } = server.softphone('2003', -100);
    const phone = await caller('2003', { transport: 'ws', username, password });
    const emergency = await callsForHelp(phone, { body: emergencyBrowserSdp });
    const answer = callsBack('+12145550104');
    const invite = await takes(phone, emergencyBrowserSdp.replace('actpass', 'active'));
    expect(invite.body).toMatch(/UDP\/TLS\/RTP\/SAVPF|RTP\/SAVPF/);
    expect((await answer).status).toBe(200);
    expect(await server.report({ kind: 'callback', emergency })).toMatchObject({ reached: true });
  });

  it('rings all who are not proved at once, so that a stranger keeps help from nobody', async () => {
    const [first, second] = [await caller(undefined), await caller(undefined)];
    await callsForHelp(first);
    const emergency = await callsForHelp(second);
    const answer = callsBack('+12145550102');
    await second.called();
    await takes(first);
    expect((await answer).status).toBe(200);
    expect(await server.report({ kind: 'callback', emergency })).toMatchObject({ reached: true });
  });

  it('rings first who is proved, whoever called in his name since; also who calls by the way he signed in by', async () => {
    const phone = await caller('2001');
    await phone.register();
    // It sends no credential unasked.
    const emergency = await callsForHelp(phone);
    expect(await server.report({ kind: 'emergency', call: emergency, state: 'dialled' })).toMatchObject({
      verified: true,
    });
    const stranger = await caller('2001');
    const call = await callsForHelp(stranger);
    expect(await server.report({ kind: 'emergency', call, state: 'dialled' })).toMatchObject({
      verified: false,
    });
    const answer = callsBack('+12145552001');
    await takes(phone);
    expect((await answer).status).toBe(200);
    expect(stranger.messages.filter(({ method }) => method === 'INVITE')).toEqual([]);
    expect(await server.report({ kind: 'callback', emergency })).toMatchObject({ reached: true });
  });

  it('is not taken by a test or a drill', async () => {
    const real = await caller(undefined);
    const emergency = await callsForHelp(real);
    const other = await caller(undefined);
    await other.invite('*911').status('503');
    const test = other.invite('933');
    await test.status('200');
    test.ack();
    await test.request('BYE');
    const answer = callsBack('+12145550102');
    await takes(real);
    expect((await answer).status).toBe(200);
    expect(other.messages.filter(({ method }) => method === 'INVITE')).toEqual([]);
    expect(await server.report({ kind: 'callback', emergency })).toMatchObject({ reached: true });
  });

  it('rings whose it is when nobody else takes the call', async () => {
    const stranger = await caller('2003');
    const emergency = await callsForHelp(stranger);
    const seen = deskCalls();
    const answer = callsBack('+12145550104');
    const { invite, call } = await stranger.called();
    call.answer(invite, '486 Busy Here');
    const asDesk = await desk.called(seen + 1);
    asDesk.call.answer(asDesk.invite, '480 Not now');
    await takes(desk, undefined, seen + 2);
    expect((await answer).status).toBe(200);
    expect(await server.report({ kind: 'callback', emergency })).toMatchObject({ reached: false });
  });

  it('rings the desk when the caller does not take it or is gone', async () => {
    const phone = await caller(undefined);
    const emergency = await callsForHelp(phone);
    const answer = callsBack('+12145550102');
    const { invite, call } = await phone.called();
    call.answer(invite, '486 Busy Here');
    const seen = deskCalls();
    await takes(desk, undefined, seen + 1);
    expect((await answer).status).toBe(200);
    expect(await server.report({ kind: 'callback', emergency })).toMatchObject({ reached: true });

    const gone = await caller(undefined, { transport: 'tcp' });
    const later = await callsForHelp(gone);
    gone.close();
    const again = callsBack('+12145550102');
    await takes(desk, undefined, seen + 2);
    expect((await again).status).toBe(200);
    expect(await server.report({ kind: 'callback', emergency: later })).toMatchObject({ reached: true });
  });

  it('is told when it reached nobody', async () => {
    const phone = await caller(undefined);
    const emergency = await callsForHelp(phone);
    const seen = deskCalls();
    const answer = callsBack('+12145550102');
    const { invite, call } = await phone.called();
    call.answer(invite, '480 Gone');
    const atDesk = await desk.called(seen + 1);
    atDesk.call.answer(atDesk.invite, '486 Busy Here');
    expect((await answer).status).toBe(480);
    expect(await server.report({ kind: 'callback', emergency })).toMatchObject({ reached: false });
  });

  it('is nobody else’s: other numbers, and callers who are no trunk, reach nobody by it', async () => {
    expect((await callsBack('+12145559999')).status).toBe(404);
    const phone = await caller(undefined);
    expect((await phone.invite('+12145550102').status('4')).status).toBe(407);
  });
});
