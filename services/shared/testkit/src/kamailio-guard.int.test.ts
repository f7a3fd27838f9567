/** Strangers: floods, scanners, forged dialogs, messages that are none. What must stay: phones work on, and Kamailio is there. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectCall, openSipHouse, pickUp, type SipHouse } from './sip-house.ts';
import { openRawPhone } from './emergency-phone.ts';
import { malformedMessages } from './sip-malformed.ts';
import { digestAnswer, phoneSdp } from './sip-message.ts';
import { waitFor } from './wait.ts';

let house: SipHouse;

beforeAll(async () => {
  house = await openSipHouse();
});
afterEach(() => house.hangUp());
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

/** A stranger's own address for each test: bans are by address. */
let strangers = 60;
const stranger = (more: { number?: string } = {}) => {
  strangers += 1;
  return house.peer({ address: `127.0.0.${strangers}`, number: '101', ...more });
};

describe('a request within a dialog', () => {
  it('is taken with our own signature alone', async () => {
    const [caller, called] = [await house.phone('101'), await house.phone('102')];
    const { dialled } = await connectCall(caller, called, '102');
    const [route = ''] = dialled.routes;
    const forgeries = [
      { ...dialled, routes: [] },
      { ...dialled, routes: [route.replace(/;sig=[^;>]+/, '')] },
      { ...dialled, routes: [route.replace(/sig=.{4}/, 'sig=AAAA')] },
      { ...dialled, routes: [route.replace('leg=i', 'leg=o')] },
      { ...dialled, callId: 'another-call' },
      { ...dialled, localTag: 'another', remoteTag: 'tags' },
    ];
    for (const forged of forgeries) {
      const answer = await caller.within({ ...forged }, 'BYE', { anonymous: true });
      expect(answer.status).toBe(403);
    }
    expect(called.received.filter(({ method }) => method === 'BYE')).toEqual([]);
    await house.server.report({ kind: 'shut_out', source: '127.0.0.11', reason: 'dialog' });
    const bye = caller.within(dialled, 'BYE');
    called.answer(await called.nextRequest('BYE'), 200);
    expect((await bye).status).toBe(200);
  });

  it('of the house leads to no trunk and to no other machine by name', async () => {
    const [caller, called, one] = [
      await house.phone('101'),
      await house.phone('102'),
      await house.trunk('one'),
    ];
    const { dialled } = await connectCall(caller, called, '102');
    for (const uri of [
      `sip:+15551234567@${one.address}:${one.port}`,
      `sip:+15551234567@localhost:${one.port}`,
      `sip:102@siphera.test`,
      `sip:102@127.0.0.1:${house.server.port}`,
    ]) {
      const answer = await caller.within(dialled, 'INVITE', {
        uri,
        contentType: 'application/sdp',
        body: phoneSdp('127.0.0.11', 20_000),
        anonymous: true,
      });
      expect([403, 404]).toContain(answer.status);
    }
    expect(one.received.filter(({ method }) => method === 'INVITE')).toEqual([]);
  });
});

describe('a flood', () => {
  it('of REGISTER is not heard to its end, and phones go on', async () => {
    const [caller, called] = [await house.phone('101'), await house.phone('102')];
    const attacker = await stranger();
    for (let sent = 0; sent < 600; sent += 1) attacker.send(attacker.build('REGISTER'));
    const told = await house.server.report({ kind: 'shut_out', source: attacker.address, reason: 'flood' });
    // Anybody can write that address by UDP: it is not shut out.
    expect(told['banned_s']).toBeUndefined();
    const { dialled } = await connectCall(caller, called, '102');
    expect(dialled.message.status).toBe(200);
    const answered = attacker.received.length;
    attacker.send(attacker.build('OPTIONS'));
    const proof = await caller.register();
    expect(proof.status).toBe(200);
    // Ten seconds may end in between: then it is twice as many.
    expect(attacker.received.length).toBeLessThanOrEqual(Math.max(answered, 590));
    expect(house.server.reports().filter(({ source }) => source === attacker.address)).toHaveLength(1);
  });

  it('of INVITE is answered no longer, and makes nobody ring', async () => {
    const called = await house.phone('102');
    const attacker = await stranger();
    for (let sent = 0; sent < 600; sent += 1)
      attacker.send(
        attacker.build('INVITE', {
          uri: 'sip:102@siphera.test',
          body: phoneSdp('127.0.0.9', 9),
          contentType: 'application/sdp',
        }),
      );
    await house.server.report({ kind: 'shut_out', source: attacker.address, reason: 'flood' });
    expect((await called.register()).status).toBe(200);
    expect(called.received.filter(({ method }) => method === 'INVITE')).toEqual([]);
  });
});

describe('a stranger', () => {
  it('who guesses passwords is shut out, and told of once', async () => {
    const guesser = await house.peer({
      address: '127.0.0.90',
      number: '101',
      credentials: { username: 'desk101', password: 'guess' },
    });
    for (let tried = 0; tried < 11; tried += 1) expect((await guesser.register()).status).toBe(401);
    guesser.send(guesser.build('REGISTER'));
    void guesser.register().catch(() => undefined);
    expect(
      await house.server.report({ kind: 'shut_out', source: '127.0.0.90', banned_s: 600 }),
    ).toMatchObject({
      reason: 'credential',
    });
    // Another phone behind another address is not meant.
    expect((await (await house.phone('101')).register()).status).toBe(200);
  });

  it('with the name of a scanner is not answered, and shut out at once where it is sure who he is', async () => {
    const scanner = await stranger();
    scanner.send(scanner.build('OPTIONS', { headers: ['User-Agent: friendly-scanner'] }));
    await house.server.report({ kind: 'shut_out', source: scanner.address, reason: 'scanner' });
    expect(scanner.received).toEqual([]);
    const connected = await openRawPhone({
      server: house.server,
      domain: house.server.domain,
      transport: 'tcp',
      address: '127.0.0.92',
    });
    connected.write(scanner.build('OPTIONS', { headers: ['User-Agent: sipvicious'] }));
    await house.server.report({ kind: 'shut_out', source: '127.0.0.92', reason: 'scanner', banned_s: 600 });
    connected.close();
  });

  it('cannot have a phone shut out by writing its address', async () => {
    const phone = await house.phone('101');
    const { address } = phone;
    // By UDP he who sends from the address of another gets no answer: here from another port.
    const forger = await house.peer({ address, number: '101' });
    const elsewhere = await stranger();
    const challenge = (
      await elsewhere.request('REGISTER', { uri: 'sip:siphera.test', anonymous: true })
    ).header('www-authenticate');
    for (let sent = 0; sent < 14; sent += 1) {
      forger.send(forger.build('OPTIONS', { headers: ['User-Agent: sipvicious'] }));
      forger.send(forger.build('MESSAGE'));
      for (const nonce of ['made-up', challenge ?? ''])
        forger.send(
          forger.build('REGISTER', {
            headers: [
              `Authorization: ${digestAnswer(nonce.includes('nonce') ? nonce : `Digest realm="siphera.test", nonce="${nonce}"`, { username: 'desk101', password: 'guess', method: 'REGISTER', uri: 'sip:siphera.test' })}`,
            ],
          }),
        );
    }
    await house.server.report({ kind: 'shut_out', source: address, reason: 'scanner' });
    expect((await phone.register()).status).toBe(200);
    const ban = JSON.stringify(await house.server.rpc('htable.dump', ['ban']));
    expect(ban).not.toContain(address);
  });

  it('is told no software, and no method that nobody needs is taken', async () => {
    const one = await stranger();
    const options = await one.request('OPTIONS');
    expect(options.status).toBe(200);
    for (const method of ['SUBSCRIBE', 'PUBLISH', 'MESSAGE', 'NOTIFY', 'INFO', 'REFER', 'FOO']) {
      const answer = await one.request(method, { uri: 'sip:102@siphera.test' });
      expect([405, 403]).toContain(answer.status);
      expect(answer.text).not.toMatch(/kamailio|Server:|User-Agent:|Warning:/i);
    }
  });

  it('cannot break out of a report with what it writes', async () => {
    const names = [
      `x","kind":"emergency`,
      `'; delete from event; --`,
      'quote" \\ back',
      'Jos\u00c3\u00a9',
      'bad \u00ff\u00fe\u00c3(',
      '$var(report) $avp(src) {"a":1}',
      'A'.repeat(900),
    ];
    for (const name of names) {
      const one = await house.peer({
        address: '127.0.0.14',
        number: '104',
        credentials: { username: 'desk104', password: 'secret-of-104' },
      });
      const callId = `hostile-${names.indexOf(name)}"'\\{`;
      const answer = await one.request('INVITE', {
        uri: 'sip:+19001234567@siphera.test',
        from: `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}" <sip:104@siphera.test>;tag=t`,
        headers: [`User-Agent: ${name}`],
        callId,
      });
      expect(answer.status).toBe(403);
      const report = await house.server.report({ kind: 'call', call: callId });
      expect(report).toMatchObject({ state: 'refused', from: '104', code: 403 });
      expect(JSON.stringify(report['from_name'] ?? '').length).toBeLessThanOrEqual(310);
      if (name.startsWith('Jos')) expect(report['from_name']).toBe('José');
    }
    for (const report of house.server.reports()) expect(report['kind']).not.toBe('emergency');
  });
});

it('stays up and answers, whatever comes that is no SIP', async () => {
  const caller = await house.phone('101');
  const called = await house.phone('102');
  const attacker = await stranger();
  const pid = house.server.daemon.pid;
  for (const text of malformedMessages(attacker.build, house.server.domain)) attacker.send(text);
  // An address that is shut out is not read further: the rest comes from others.
  for (let from = 0; from < 4; from += 1) {
    const other = await stranger();
    for (const text of malformedMessages(other.build, house.server.domain, from)) other.send(text);
  }
  await waitFor('Kamailio to answer', async () => (await house.server.rpc('core.uptime')) !== undefined);
  const call = caller.call('102');
  await pickUp(called);
  expect((await call).message.status).toBe(200);
  expect(house.server.daemon.pid).toBe(pid);
  expect(house.server.daemon.logs()).not.toMatch(/signal 11|core was|ABRT|SEGV/);
});

it('keeps SDP that is none from stopping anything', async () => {
  const [caller, called] = [await house.phone('101'), await house.phone('102')];
  for (const body of [
    '',
    'v=0',
    'garbage\r\n',
    `m=audio ${'9'.repeat(400)} RTP/AVP 0\r\n`,
    phoneSdp('300.1.1.1', 70_000),
    `v=0\r\n${'a=x\r\n'.repeat(3_000)}`,
  ]) {
    const asked = caller.call('102', { body });
    asked.catch(() => undefined);
    const ended = asked.then(
      () => 'answered',
      () => 'refused',
    );
    const invite = await Promise.race([called.nextRequest('INVITE', 8_000).catch(() => undefined), ended]);
    if (typeof invite === 'object') called.answer(invite, 488);
    expect(await ended).toBe('refused');
  }
  const { dialled } = await connectCall(caller, called, '102');
  expect(dialled.message.status).toBe(200);
}, 120_000);

describe('the RPC', () => {
  const ask = (headers: Record<string, string>, body: string) =>
    fetch(house.server.rpcUrl, { method: 'POST', headers: { connection: 'close', ...headers }, body });

  it('knows its caller, and does what is listed alone', async () => {
    const secret = { 'x-siphera-secret': house.server.rpcSecret };
    const version = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'core.version' });
    expect((await ask(secret, version)).status).toBe(200);
    expect((await ask({}, version)).status).toBe(403);
    expect((await ask({ 'x-siphera-secret': 'x' }, version)).status).toBe(403);
    for (const method of [
      'core.kill',
      'cfg.set_now_int',
      'system.shutdown',
      'pkg.stats',
      'core.version\n;core.kill',
    ])
      expect((await ask(secret, JSON.stringify({ jsonrpc: '2.0', id: 1, method }))).status).toBe(403);
    expect((await ask(secret, 'no json')).status).toBe(403);
    const twice = `{"jsonrpc":"2.0","id":1,"method":"core.kill","method":"core.version"}`;
    const answer = await ask(secret, twice);
    expect(answer.status === 403 || (await answer.text()).includes('kamailio')).toBe(true);
  });
});
