/** Calls out of the house and into it: what may be dialled, which trunk takes it, as whom. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openSipHouse, pickUp, type SipHouse, trunkAddresses } from './sip-house.ts';
import { digestAnswer, phoneSdp, sipUri } from './sip-message.ts';
import { waitFor } from './wait.ts';

let house: SipHouse;

beforeAll(async () => {
  house = await openSipHouse();
});
afterEach(() => house.hangUp());
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

/** The dispatcher has to have heard of both: a trunk that was away in the test before is tried after the others. */
const bothUp = () =>
  waitFor('both trunks to be up', async () => {
    const list = JSON.stringify(await house.server.rpc('dispatcher.list'));
    return (list.match(/"FLAGS":\s*"AP"/g) ?? []).length === 2;
  });

const user = (uri: string | undefined) => /^sip:([^@]+)@/.exec(sipUri(uri) ?? uri ?? '')?.[1];

describe('a call out of the house', () => {
  it('reaches the first trunk however it is dialled, with the number of the caller and no word of ours', async () => {
    const [caller, one] = [await house.phone('101'), await house.trunk('one')];
    await house.trunk('two');
    await bothUp();
    for (const dialled of [
      '+15552345678',
      '915552345678',
      '901115552345678',
      '92345678',
      '+1-555-234-5678',
    ]) {
      const call = caller.call(dialled, {
        headers: [
          'X-Siphera-Location: lobby',
          'P-Asserted-Identity: <sip:911@x>',
          'P-Charge-Info: <sip:911@x>',
          'Diversion: <sip:911@x>',
          'History-Info: <sip:911@x>;index=1',
          'Privacy: id',
          'Geolocation: <cid:x>',
          'priority: emergency',
          'Replaces: a;to-tag=b;from-tag=c',
        ],
      });
      const invite = await one.nextRequest('INVITE');
      await pickUp(one, invite);
      const dialog = await call;
      const bye = caller.within(dialog, 'BYE');
      one.answer(await one.nextRequest('BYE'), 200);
      await bye;
      expect(invite.startLine).toBe('INVITE sip:+15552345678@one.example SIP/2.0');
      expect(user(invite.header('from'))).toBe('+15557770101');
      expect(invite.all('p-asserted-identity')).toEqual(['<sip:+15557770101@one.example>']);
      expect(invite.text).not.toMatch(
        /X-Siphera|Charge|Diversion|History|Privacy|Geolocation|Priority|Replaces|911@|Server:|User-Agent:|Authorization/i,
      );
      expect(await house.server.report({ call: dialog.callId, state: 'answered' })).toMatchObject({
        direction: 'outbound',
        from: '101',
        dialled: dialled.replaceAll('-', ''),
        to: '+15552345678',
        trunk: 'one',
      });
    }
  });

  it('is refused without the class, past the cap of the day, and where it is no number', async () => {
    const [caller, gate, yard] = [
      await house.phone('101'),
      await house.phone('102'),
      await house.phone('104'),
    ];
    const one = await house.trunk('one');
    await house.trunk('two');
    await bothUp();
    await expect(gate.call('+15551234567')).rejects.toThrow(/403/);
    await expect(caller.call('+19001234567')).rejects.toThrow(/403/);
    await expect(caller.call('+442071234567')).rejects.toThrow(/403/);
    await expect(caller.call('77')).rejects.toThrow(/404/);
    await expect(caller.call('root')).rejects.toThrow(/404/);
    for (const _ of [1, 2]) {
      const call = yard.call('+15551234567');
      await pickUp(one);
      const dialog = await call;
      const bye = yard.within(dialog, 'BYE');
      one.answer(await one.nextRequest('BYE'), 200);
      await bye;
    }
    await expect(yard.call('+15551234567')).rejects.toThrow(/403 Cap/);
    await house.server.report({ kind: 'call', state: 'refused', from: '104', code: 403 });
    expect(one.received.filter(({ method }) => method === 'INVITE')).toHaveLength(2);
  });

  it('goes by the second trunk when the first fails, as that one wants numbers, and proves itself', async () => {
    const [caller, one, two] = [await house.phone('101'), await house.trunk('one'), await house.trunk('two')];
    await bothUp();
    const call = caller.call('+15551234567');
    one.answer(await one.nextRequest('INVITE'), 503);
    const first = await two.nextRequest('INVITE');
    expect(first.startLine).toBe('INVITE sip:5551234567@two.example SIP/2.0');
    two.answer(first, 407, {
      headers: ['Proxy-Authenticate: Digest realm="two.example", nonce="n1", algorithm=MD5'],
    });
    const second = await two.nextRequest('INVITE');
    const expected = digestAnswer('Digest realm="two.example", nonce="n1"', {
      username: 'house',
      password: 'trunk-secret',
      method: 'INVITE',
      uri: 'sip:5551234567@two.example',
    });
    const response = /response="([0-9a-f]+)"/.exec(second.header('proxy-authorization') ?? '')?.[1];
    expect(expected).toContain(`response="${response}"`);
    expect(second.header('from')).toContain('sip:15557770101@two.example');
    await pickUp(two, second);
    const dialog = await call;
    // The caller sees himself as he is.
    expect(dialog.message.header('from')).toContain('sip:101@siphera.test');
    const bye = caller.within(dialog, 'BYE');
    const ended = await two.nextRequest('BYE');
    expect(ended.header('from')).toContain('sip:15557770101@two.example');
    two.answer(ended, 200);
    expect((await bye).status).toBe(200);
    expect(await house.server.report({ call: dialog.callId, state: 'answered' })).toMatchObject({
      trunk: 'two',
    });
  });

  it('goes by the second trunk when the first is silent', async () => {
    const [caller, two] = [await house.phone('101'), await house.trunk('two')];
    await house.trunk('one', { silent: true });
    const call = caller.call('+15551234567');
    const invite = await two.nextRequest('INVITE');
    await pickUp(two, invite);
    await call;
    await house.server.report({ kind: 'trunk', trunk: 'one', state: 'down' });
  });
});

describe('a call from a trunk', () => {
  it('rings the number that has it, by any way of writing it', async () => {
    const [one, gate] = [await house.trunk('one'), await house.phone('102')];
    for (const [called, more] of [
      ['+15557770600', {}],
      ['15557770600', {}],
      ['registration', { to: '<sip:+15557770600@one.example>' }],
    ] as const) {
      const call = one.call(called, more);
      await pickUp(gate);
      const dialog = await call;
      expect(await house.server.report({ call: dialog.callId, state: 'answered' })).toMatchObject({
        direction: 'inbound',
        trunk: 'one',
        from: '+15550009999',
        to: '600',
        by: '102',
      });
      const bye = one.within(dialog, 'BYE');
      gate.answer(await gate.nextRequest('BYE'), 200);
      await bye;
    }
  });

  it('never leads out again, nor to a number that has none of its own', async () => {
    const [one, two] = [await house.trunk('one'), await house.trunk('two')];
    await house.phone('102');
    for (const called of ['+15551234567', '102', '9+15551234567', 'desk102', '+15550009999'])
      await expect(one.call(called)).rejects.toThrow(/404/);
    expect(two.received.filter(({ method }) => method === 'INVITE')).toEqual([]);
  });

  it('cannot transfer its caller, and a phone transfers it within the house alone', async () => {
    const [one, desk] = [await house.trunk('one'), await house.phone('101')];
    const call = one.call('+15557770101');
    const taken = await pickUp(desk);
    const dialog = await call;
    const refer = (uri: string) => ({ headers: [`Refer-To: <${uri}>`] });
    expect((await one.within(dialog, 'REFER', refer('sip:102@siphera.test'))).status).toBe(403);
    expect((await desk.within(taken, 'REFER', refer('sip:+15551234567@siphera.test'))).status).toBe(403);
    const passed = desk.within(taken, 'REFER', refer('sip:102@siphera.test'));
    const asked = await one.nextRequest('REFER');
    one.answer(asked, 202);
    expect((await passed).status).toBe(202);
    const gate = await house.phone('102');
    const second = one.call('102', { uri: sipUri(asked.header('refer-to')) ?? '' });
    await pickUp(gate);
    expect((await second).message.status).toBe(200);
    // The word is good once.
    await expect(one.call('102', { uri: sipUri(asked.header('refer-to')) ?? '' })).rejects.toThrow(/404/);
  });
});

describe('the signature of a dialog with a trunk', () => {
  it('leads a stranger who called for help to the other end of that call, and nowhere else', async () => {
    const [one, victim] = [await house.trunk('one'), await house.peer({ address: '127.0.0.77' })];
    const uri = `sip:${one.address}:${one.port}`;
    const destinations = [...(house.plan.destinations ?? []), { set: 2 as const, uri, trunk: 'one' }];
    await house.server.plan({ ...house.plan, destinations });
    const stranger = await house.peer({ address: '127.0.0.76' });
    const call = stranger.call('933');
    const taken = await pickUp(one);
    const dialog = await call;
    const premium = `sip:+19001234567@${one.address}:${one.port}`;
    const elsewhere = `sip:x@${victim.address}:${victim.port}`;
    const alias = `${dialog.target};alias=${victim.address}~${victim.port}~1`;
    const sdp = { contentType: 'application/sdp', body: phoneSdp('127.0.0.76', 20_000) };
    const mine = { from: '<sip:x@x>;tag=made-up', to: `${dialog.local};tag=${dialog.localTag}` };
    for (const wanted of [
      { uri: premium },
      { uri: elsewhere },
      { uri: alias },
      { to: `${dialog.remote};tag=never-answered` },
      { headers: [`Route: <${elsewhere};lr>`] },
      { ...mine, uri: premium },
      { ...mine, uri: elsewhere },
    ])
      expect((await stranger.within(dialog, 'INVITE', { ...sdp, ...wanted })).status).toBe(403);
    expect((await stranger.within(dialog, 'BYE', { uri: elsewhere })).status).toBe(403);
    const again = stranger.within(dialog, 'INVITE', {
      ...sdp,
      headers: ['P-Asserted-Identity: <sip:+15550000000@x>'],
    });
    const invite = await one.nextRequest('INVITE');
    expect(invite.text).not.toMatch(/asserted/i);
    one.answer(invite, 200, { body: phoneSdp(one.address, 21_000) });
    expect((await again).status).toBe(200);
    // Help asks for silence and hangs up.
    const held = one.within(taken, 'INVITE', { ...sdp, body: phoneSdp(one.address, 21_000, 'sendonly') });
    stranger.answer(await stranger.nextRequest('INVITE'), 200, { body: phoneSdp('127.0.0.76', 20_000) });
    expect((await held).status).toBe(200);
    const bye = one.within(taken, 'BYE');
    stranger.answer(await stranger.nextRequest('BYE'), 200);
    expect((await bye).status).toBe(200);
    expect(victim.received).toEqual([]);
    await house.server.plan(house.plan);
  });

  it('is good after a restart, through a proxy of the trunk, and where a phone has moved', async () => {
    const [one, desk] = [await house.trunk('one'), await house.phone('101')];
    const proxy = await house.peer({ address: trunkAddresses.two });
    const call = desk.call('+15551234567');
    const invite = await one.nextRequest('INVITE');
    const headers = [`Record-Route: <sip:${proxy.address}:${proxy.port};lr>`];
    one.answer({ ...invite, all: (name) => (name === 'record-route' ? [] : invite.all(name)) }, 200, {
      headers: [...headers, ...invite.all('record-route').map((route) => `Record-Route: ${route}`)],
      body: phoneSdp(one.address, 21_000),
    });
    const dialog = await call;
    await proxy.nextRequest('ACK');
    await house.server.daemon.restart();
    const moved = await house.peer({ address: '127.0.0.78', number: '101' });
    const sdp = { contentType: 'application/sdp', body: phoneSdp('127.0.0.78', 20_000) };
    const again = moved.within(dialog, 'INVITE', sdp);
    const second = await proxy.nextRequest('INVITE');
    const within = proxy.answer(second, 200, { body: phoneSdp(one.address, 21_000) });
    expect((await again).status).toBe(200);
    const bye = proxy.within({ ...within, localTag: dialog.remoteTag }, 'BYE');
    moved.answer(await moved.nextRequest('BYE'), 200);
    expect((await bye).status).toBe(200);
  });
});

it('is never shut out, however much a trunk sends or gets wrong', async () => {
  const [one, gate] = [await house.trunk('one'), await house.phone('102')];
  for (let sent = 0; sent < 900; sent += 1) one.send(one.build(sent % 2 === 0 ? 'REGISTER' : 'FOO'));
  const call = one.call('+15557770600');
  await pickUp(gate);
  expect((await call).message.status).toBe(200);
  expect(JSON.stringify(await house.server.rpc('htable.dump', ['ban']))).not.toContain(one.address);
});

it('takes no more calls at once than the plan says', async () => {
  // Calls of the tests before were left as they were; one that is over is in the list for a moment more.
  const calls = async () =>
    ((await house.server.rpc('dlg.list')) as { state: number }[]).filter(({ state }) => state < 5).length;
  const max = (await calls()) + 1;
  await house.server.plan({ ...house.plan, setting: { ...house.plan.setting, calls_max: max } });
  const [caller, called, third] = [
    await house.phone('101'),
    await house.phone('102'),
    await house.phone('103'),
  ];
  const first = caller.call('102');
  await pickUp(called);
  const dialog = await first;
  await expect(third.call('102')).rejects.toThrow(/503/);
  const bye = caller.within(dialog, 'BYE');
  called.answer(await called.nextRequest('BYE'), 200);
  await bye;
  await waitFor('the call to be over', async () => (await calls()) < max);
  const second = third.call('102');
  await pickUp(called);
  expect((await second).message.status).toBe(200);
  await house.server.plan(house.plan);
});

it('registers at a trunk that wants it, and drops no call when that changes', async () => {
  const [caller, called, one] = [
    await house.phone('101'),
    await house.phone('102'),
    await house.trunk('one'),
  ];
  const call = caller.call('102');
  await pickUp(called);
  const dialog = await call;
  await house.server.plan({
    ...house.plan,
    registrations: [
      {
        l_uuid: 'one',
        l_username: 'house',
        l_domain: 'siphera.test',
        r_username: 'house',
        r_domain: 'one.example',
        realm: 'one.example',
        auth_username: 'house',
        auth_password: 'secret of one',
        auth_proxy: `sip:${one.address}:${one.port}`,
        expires: 120,
      },
    ],
  });
  const first = await one.nextRequest('REGISTER');
  one.answer(first, 401, {
    headers: ['WWW-Authenticate: Digest realm="one.example", nonce="n2", algorithm=MD5'],
  });
  const second = await one.nextRequest('REGISTER');
  const expected = digestAnswer('Digest realm="one.example", nonce="n2"', {
    username: 'house',
    password: 'secret of one',
    method: 'REGISTER',
    uri: 'sip:one.example',
  });
  expect(second.header('authorization')).toContain(/response="[0-9a-f]+"/.exec(expected)?.[0]);
  one.answer(second, 200, { headers: ['Expires: 120'] });
  const again = caller.within(dialog, 'INVITE', {
    contentType: 'application/sdp',
    body: phoneSdp('127.0.0.11', 20_000),
  });
  called.answer(await called.nextRequest('INVITE'), 200, { body: phoneSdp('127.0.0.12', 21_000) });
  expect((await again).status).toBe(200);
});
