/** Calls within the house, by Kamailio and the relays as the box has them. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectCall, openSipHouse, pickUp, type SipHouse } from './sip-house.ts';
import { phoneSdp, sipUri } from './sip-message.ts';
import { waitFor } from './wait.ts';

let house: SipHouse;

beforeAll(async () => {
  house = await openSipHouse();
});
afterEach(() => house.hangUp());
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

describe('a call between two phones', () => {
  it('goes by a relay, and the bridge hears each step', async () => {
    const [caller, called] = [await house.phone('101'), await house.phone('102')];
    const { dialled, taken } = await connectCall(caller, called, '102', {
      headers: [
        'Call-Info: <sip:x>;answer-after=0',
        'P-Asserted-Identity: "The boss" <sip:100@siphera.test>',
      ],
    });
    expect(taken.message.text).not.toMatch(/answer-after|The boss/);
    // Both are told the relay's ports, neither the other's.
    expect(dialled.message.body).not.toMatch(/m=audio 2[01]000 /);
    expect(taken.message.body).not.toMatch(/m=audio 2[01]000 /);
    const bye = caller.within(dialled, 'BYE');
    called.answer(await called.nextRequest('BYE'), 200);
    expect((await bye).status).toBe(200);
    await house.server.report({ kind: 'call', call: dialled.callId, state: 'ended' });
    const steps = house.server.reports().filter(({ call }) => call === dialled.callId);
    expect(steps.map(({ state }) => state)).toEqual(['dialled', 'ringing', 'answered', 'ended']);
    expect(steps[2]).toMatchObject({
      direction: 'internal',
      from: '101',
      dialled: '102',
      to: '102',
      by: '102',
    });
  });

  it('tells the bridge of hold, of its end, and of keys by INFO', async () => {
    const [caller, called] = [await house.phone('101'), await house.phone('102')];
    const { dialled, taken } = await connectCall(caller, called, '102');
    const again = (direction: string) => ({
      contentType: 'application/sdp',
      body: phoneSdp('127.0.0.11', 20_000, direction),
    });
    for (const [direction, state] of [
      ['sendonly', 'held'],
      ['sendrecv', 'resumed'],
    ] as const) {
      const held = caller.within(dialled, 'INVITE', again(direction));
      const invite = await called.next('re-INVITE', (one) => one.method === 'INVITE');
      expect(invite.body).toContain(`a=${direction}`);
      expect(invite.body).not.toContain('20000');
      called.answer(invite, 200, { body: phoneSdp('127.0.0.12', 21_000) });
      expect((await held).status).toBe(200);
      caller.send(caller.buildWithin(dialled, 'ACK'));
      await house.server.report({ kind: 'call', call: dialled.callId, state });
    }
    const key = called.within(taken, 'INFO', {
      contentType: 'application/dtmf-relay',
      body: 'Signal=7\r\nDuration=160\r\n',
    });
    caller.answer(await caller.nextRequest('INFO'), 200);
    expect((await key).status).toBe(200);
    expect(await house.server.report({ kind: 'digit', call: dialled.callId })).toMatchObject({ digit: '7' });
  });

  it('passes early media, and a refusal with its words', async () => {
    const [caller, called] = [await house.phone('101'), await house.phone('102')];
    const dialled = caller.call('102');
    dialled.catch(() => undefined);
    const invite = await called.nextRequest('INVITE');
    called.answer(invite, 183, { body: phoneSdp('127.0.0.12', 21_000) });
    const early = await caller.next('early media', ({ status }) => status === 183);
    expect(early.body).toContain('m=audio');
    expect(early.body).not.toContain('21000');
    called.answer(invite, 486);
    await expect(dialled).rejects.toThrow(/486/);
    const report = await house.server.report({
      kind: 'call',
      call: invite.header('call-id'),
      state: 'failed',
    });
    expect(report).toMatchObject({ code: 486, from: '101', to: '102' });
  });

  it('ends ringing when the caller gives up', async () => {
    const [caller, called] = [await house.phone('101'), await house.phone('102')];
    const dialled = caller.call('102');
    dialled.catch(() => undefined);
    const invite = await called.nextRequest('INVITE');
    called.answer(invite, 180);
    const ringing = await caller.next('ringing', ({ status }) => status === 180);
    const sent = caller.sent.findLast((text) => text.startsWith('INVITE')) ?? '';
    caller.send(
      sent
        .replace(/^INVITE/, 'CANCEL')
        .replace(/CSeq: (\d+) INVITE/, 'CSeq: $1 CANCEL')
        .replace(/Content-Length: \d+[\s\S]*$/, 'Content-Length: 0\r\n\r\n'),
    );
    called.answer(await called.nextRequest('CANCEL'), 200);
    called.answer(invite, 487);
    await expect(dialled).rejects.toThrow(/487/);
    await house.server.report({ kind: 'call', call: ringing.header('call-id'), state: 'failed', code: 487 });
  });
});

describe('a group', () => {
  it('rings all its phones; who did not take it is told that another did', async () => {
    const [caller, one, two] = [await house.phone('101'), await house.phone('102'), await house.phone('103')];
    const dialled = caller.call('600');
    const [first, second] = await Promise.all([one.nextRequest('INVITE'), two.nextRequest('INVITE')]);
    one.answer(first, 180);
    two.answer(second, 180);
    await pickUp(two, second);
    const cancel = await one.nextRequest('CANCEL');
    expect(cancel.header('reason')).toMatch(/cause=200/);
    one.answer(cancel, 200);
    one.answer(first, 487);
    const dialog = await dialled;
    expect(await house.server.report({ call: dialog.callId, state: 'answered' })).toMatchObject({
      to: '600',
      by: '103',
    });
    expect(
      house.server.reports().filter(({ call, state }) => call === dialog.callId && state === 'ringing'),
    ).toHaveLength(1);
  });

  it('is not reached where nobody has signed in', async () => {
    const caller = await house.phone('101');
    for (const number of ['102', '103']) {
      const one = await house.phone(number);
      expect((await one.register(0)).status).toBe(200);
    }
    await expect(caller.call('600')).rejects.toThrow(/480/);
    await house.server.report({ kind: 'registration', number: '103', state: 'removed' });
  });
});

describe('a number with several phones', () => {
  it('rings all of them, and the one that is busy stops none', async () => {
    const [caller, first] = [await house.phone('101'), await house.phone('103')];
    const second = await house.peer({
      address: '127.0.0.19',
      number: '103',
      credentials: { username: 'desk103', password: 'secret-of-103' },
    });
    await second.register();
    const call = caller.call('103');
    const [one, two] = await Promise.all([first.nextRequest('INVITE'), second.nextRequest('INVITE')]);
    first.answer(one, 486);
    await pickUp(second, two);
    expect((await call).message.status).toBe(200);
    await second.register(0);
  });
});

describe('a number with a fallback', () => {
  it('goes on to it when nobody takes the call', async () => {
    const [caller, first, second] = [
      await house.phone('101'),
      await house.phone('104'),
      await house.phone('103'),
    ];
    const dialled = caller.call('104');
    const invite = await first.nextRequest('INVITE');
    first.answer(invite, 180);
    const later = await second.nextRequest('INVITE');
    first.answer(await first.nextRequest('CANCEL'), 200);
    first.answer(invite, 487);
    await pickUp(second, later);
    expect(await house.server.report({ call: (await dialled).callId, state: 'answered' })).toMatchObject({
      to: '104',
      by: '103',
    });
  });
});

describe('a blind transfer', () => {
  it('has the other call, with the right of who transferred, once', async () => {
    const [caller, called, third] = [
      await house.phone('101'),
      await house.phone('102'),
      await house.phone('103'),
    ];
    const { dialled } = await connectCall(caller, called, '102');
    const refer = caller.within(dialled, 'REFER', { headers: ['Refer-To: <sip:103@siphera.test>'] });
    const asked = await called.nextRequest('REFER');
    called.answer(asked, 202);
    expect((await refer).status).toBe(202);
    expect(asked.header('referred-by')).toContain('101');
    const to = sipUri(asked.header('refer-to')) ?? '';
    expect(to).toMatch(/^sip:103@siphera\.test;xfer=/);
    const [second] = await Promise.all([called.call('103', { uri: to }), pickUp(third)]);
    expect(second.message.status).toBe(200);
  });

  it('is asked for by one who proves himself, and to a number that he may dial', async () => {
    const [caller, called] = [await house.phone('101'), await house.phone('102')];
    const { dialled, taken } = await connectCall(caller, called, '102');
    const refer = (uri: string) => ({ headers: [`Refer-To: <${uri}>`] });
    const unproved = await caller.within(dialled, 'REFER', {
      ...refer('sip:103@siphera.test'),
      anonymous: true,
    });
    expect(unproved.status).toBe(407);
    // 102 may dial numbers of the house alone, 101 no premium numbers.
    expect((await called.within(taken, 'REFER', refer('sip:+15551234567@siphera.test'))).status).toBe(403);
    expect((await caller.within(dialled, 'REFER', refer('sip:+19001234567@siphera.test'))).status).toBe(403);
    expect((await caller.within(dialled, 'REFER', refer('sip:103@siphera.test?Replaces=x'))).status).toBe(
      403,
    );
    expect((await caller.within(dialled, 'REFER', refer('sip:root@192.0.2.1'))).status).toBe(403);
  });
});

it('tells the bridge over evapi at once what it writes to the spool', async () => {
  const [host = '', port] = house.server.events.split(':');
  // That process of Kamailio may start a moment after it answers SIP.
  const socket = await waitFor('evapi to listen', async () => {
    const one = connect(Number(port), host);
    await once(one, 'connect');
    return one;
  });
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  // It may take a moment until Kamailio has taken the connection: what it says before is in the spool alone.
  const desk = await house.phone('103');
  await waitFor('a report over evapi', async () => {
    await desk.register(0);
    await desk.register();
    return heard.endsWith(',');
  });
  const last = house.server.reports().findLast(({ uid }) => heard.includes(String(uid)));
  expect(last).toMatchObject({ kind: 'registration', number: '103' });
  // A netstring: so many bytes of JSON.
  const [, length = '', rest = ''] = /^(\d+):(.*)$/s.exec(heard) ?? [];
  expect(rest.slice(Number(length), Number(length) + 1)).toBe(',');
  expect(JSON.parse(rest.slice(0, Number(length)))).toMatchObject({ v: 1, kind: 'registration' });
  socket.destroy();
});
