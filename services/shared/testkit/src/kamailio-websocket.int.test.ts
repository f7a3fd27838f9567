/** Softphones: websockets as the front door hands them on, and their sound made fit for phones and back. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRawPhone } from './emergency-phone.ts';
import { openSipHouse, pickUp, type SipHouse } from './sip-house.ts';
import { softphoneOffer } from './sip-link.ts';
import { phoneSdp } from './sip-message.ts';
import type { SipPeer } from './sip-peer.ts';
import { waitFor } from './wait.ts';

let house: SipHouse;

beforeAll(async () => {
  house = await openSipHouse();
});
afterEach(() => house.hangUp());
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const open = (more: { origin?: string; forwardedFor?: string } = {}): Promise<SipPeer> =>
  house.peer({
    address: '',
    number: '101',
    credentials: house.server.softphone('101'),
    websocket: { url: house.server.wsUrl, origin: 'https://siphera.test', ...more },
  });

async function softphone(forwardedFor = '198.51.100.7'): Promise<SipPeer> {
  const one = await open({ forwardedFor });
  expect((await one.register()).status).toBe(200);
  return one;
}

describe('a websocket', () => {
  it('opens for our own pages alone', async () => {
    for (const origin of [
      'https://evil.test',
      'https://siphera.test.evil.test',
      'http://siphera.test',
      'null',
      '',
    ])
      await expect(open({ origin })).rejects.toThrow(/refused/);
    for (let tried = 0; tried < 60; tried += 1)
      await expect(open({ origin: 'https://evil.test', forwardedFor: '198.51.100.8' })).rejects.toThrow(
        /refused/,
      );
    await house.server.report({ kind: 'shut_out', reason: 'origin', source: '198.51.100.8' });
    expect(house.server.reports().filter(({ reason }) => reason === 'origin').length).toBeLessThan(50);
    await (await open()).close();
  });

  it('counts for the client that the front door names, which is who is shut out', async () => {
    const guesser = await house.peer({
      address: '',
      number: '101',
      credentials: { username: house.server.softphone('101').username, password: 'Z3Vlc3M=' },
      websocket: {
        url: house.server.wsUrl,
        origin: 'https://siphera.test',
        forwardedFor: '203.0.113.9, 198.51.100.99',
      },
    });
    for (let tried = 0; tried < 11; tried += 1) expect((await guesser.register()).status).toBe(401);
    void guesser.register().catch(() => undefined);
    await house.server.report({ kind: 'shut_out', source: '198.51.100.99', banned_s: 600 });
    const one = await softphone();
    expect(
      await house.server.report({ kind: 'registration', number: '101', state: 'registered' }),
    ).toMatchObject({
      source: '198.51.100.7',
      transport: 'ws',
    });
    await one.register(0);
  });

  it('of a tab that was left open, whose credential has ended, is refused and not shut out', async () => {
    const late = await house.peer({
      address: '',
      number: '101',
      credentials: house.server.softphone('101', -60),
      websocket: { url: house.server.wsUrl, origin: 'https://siphera.test', forwardedFor: '198.51.100.77' },
    });
    for (let tried = 0; tried < 14; tried += 1) expect((await late.register()).status).toBe(401);
    const fresh = await softphone('198.51.100.77');
    await fresh.register(0);
  });

  it('that closed leaves no contact behind', async () => {
    const caller = await house.phone('102');
    const one = await softphone();
    await one.close();
    await waitFor('the contact to be gone', async () => {
      const text = JSON.stringify(await house.server.rpc('ul.dump'));
      return !text.includes('.invalid');
    });
    await expect(caller.call('101')).rejects.toThrow(/480/);
  });

  it('is still that of its client after days, as long as it is used', async () => {
    const one = await softphone('198.51.100.8');
    const clients = async () =>
      ((await house.server.rpc('htable.dump', ['ws'])) as { slot: { name: string; value: string }[] }[])
        .flatMap(({ slot }) => slot)
        .map(({ name, value }) => [name, value] as const);
    const [connection = ''] = (await clients()).find(([, client]) => client === '198.51.100.8') ?? [];
    // Seconds: as if its day were nearly over. The other one has no connection that is used.
    await house.server.rpc('htable.seti', ['ws', 'unused', 1]);
    for (const key of [connection, 'unused']) await house.server.rpc('htable.setex', ['ws', key, 6]);
    expect((await one.register()).status).toBe(200);
    await waitFor(
      'the other one to be forgotten',
      async () => !(await clients()).some(([name]) => name === 'unused'),
    );
    expect(await clients()).toContainEqual([connection, '198.51.100.8']);
    await one.register(0);
  });
});

describe('a connection', () => {
  it('on which nothing was said is closed soon; that of a phone and of a browser stay', async () => {
    const { address, port, domain } = house.server;
    const tcp = await openRawPhone({
      server: { address, port },
      domain,
      transport: 'tcp',
      number: '102',
      username: 'desk102',
      password: 'secret-of-102',
    });
    await tcp.register();
    const one = await softphone();
    const silent = connect(port, address).resume();
    const closed = once(silent, 'close');
    await once(silent, 'connect');
    // The phone and the browser have been silent for longer by then.
    await closed;
    const call = one.call('102', { body: softphoneOffer() });
    const { invite, call: taken } = await tcp.called(1);
    taken.answer(invite, '200 OK', { contentType: 'application/sdp', body: phoneSdp('127.0.0.1', 31_000) });
    expect((await call).message.status).toBe(200);
    await one.register(0);
    tcp.close();
  });
});

describe('sound between a browser and a phone', () => {
  it('is plain for the phone, and encrypted for the browser that calls', async () => {
    const [one, gate] = [await softphone(), await house.phone('102')];
    const call = one.call('102', { body: softphoneOffer() });
    const invite = await gate.nextRequest('INVITE');
    expect(invite.body).toMatch(/m=audio \d+ RTP\/AVP 0/);
    expect(invite.body).not.toMatch(/ice-ufrag|fingerprint|candidate|opus/);
    const taken = await pickUp(gate, invite);
    const dialog = await call;
    expect(dialog.message.body).toMatch(/m=audio \d+ (UDP\/TLS\/)?RTP\/SAVPF/);
    for (const part of ['a=fingerprint:', 'a=ice-ufrag:', 'a=candidate:', 'a=rtcp-mux'])
      expect(dialog.message.body).toContain(part);
    const bye = gate.within(taken, 'BYE');
    one.answer(await one.nextRequest('BYE'), 200);
    expect((await bye).status).toBe(200);
  });

  it('is encrypted for the browser that is called, beside phones of the same group that ring, too', async () => {
    await house.server.plan({ ...house.plan, member: { '600': '101 103' } });
    const [caller, desk, one] = [await house.phone('102'), await house.phone('103'), await softphone()];
    const call = caller.call('600');
    const [plain, secure] = await Promise.all([desk.nextRequest('INVITE'), one.nextRequest('INVITE')]);
    expect(plain.body).toContain('RTP/AVP');
    expect(plain.body).not.toContain('fingerprint');
    expect(secure.body).toContain('RTP/SAVPF');
    expect(secure.body).toContain('a=fingerprint:');
    desk.answer(plain, 180);
    one.answer(secure, 180);
    for (const _ of [1, 2]) await caller.next('ringing', ({ status }) => status === 180);
    const answer = softphoneOffer().replace('actpass', 'active').replaceAll(' 111', '');
    one.answer(secure, 200, { body: answer });
    await one.nextRequest('ACK');
    desk.answer(await desk.nextRequest('CANCEL'), 200);
    desk.answer(plain, 487);
    const dialog = await call;
    expect(dialog.message.body).toMatch(/m=audio \d+ RTP\/AVP/);
    expect(dialog.message.body).not.toContain('fingerprint');
    expect(await house.server.report({ call: dialog.callId, state: 'answered' })).toMatchObject({
      by: '101',
    });
    // A hold of the phone reaches the browser as it needs it.
    const held = caller.within(dialog, 'INVITE', {
      contentType: 'application/sdp',
      body: phoneSdp('127.0.0.12', 20_000, 'sendonly'),
    });
    const again = await one.nextRequest('INVITE');
    expect(again.body).toContain('RTP/SAVPF');
    one.answer(again, 200, { body: answer });
    expect((await held).body).toMatch(/m=audio \d+ RTP\/AVP/);
    await house.server.plan(house.plan);
  });
});
