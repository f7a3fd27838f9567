/** Who may sign in and call as whom. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openSipHouse, pickUp, type SipHouse } from './sip-house.ts';
import { digestAnswer, sipToken } from './sip-message.ts';
import type { SipPeer } from './sip-peer.ts';

let house: SipHouse;

beforeAll(async () => {
  house = await openSipHouse();
});
afterEach(() => house.hangUp());
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const softphone = (number: string, credentials: { username: string; password: string }): Promise<SipPeer> =>
  house.peer({ address: '127.0.0.51', number, credentials });

describe('a softphone', () => {
  it('signs in and calls with a credential of the bridge until that ends', async () => {
    const gate = await house.phone('102');
    const one = await softphone('101', house.server.softphone('101'));
    expect((await one.register()).status).toBe(200);
    const call = one.call('102');
    await pickUp(gate);
    expect((await call).message.status).toBe(200);
    await one.register(0);
    const late = await softphone('101', house.server.softphone('101', -10));
    expect((await late.register()).status).toBe(401);
    const { username } = house.server.softphone('101');
    const forged = await softphone('101', { username, password: 'bm90IGEgcGFzc3dvcmQ=' });
    expect((await forged.register()).status).toBe(401);
  });

  it('is a user: its credential does not make it a desk phone, a group or another number', async () => {
    for (const number of ['102', '600', '999']) {
      const one = await softphone(number, house.server.softphone(number));
      expect((await one.register()).status).not.toBe(200);
    }
    const other = await softphone('102', house.server.softphone('101'));
    expect((await other.register()).status).toBe(403);
  });

  it('is signed out before its time when the bridge says so', async () => {
    const credentials = house.server.softphone('101');
    const one = await softphone('101', credentials);
    expect((await one.register()).status).toBe(200);
    await house.server.rpc('htable.seti', ['revoked', '101', Number(credentials.username.split(':')[0])]);
    await house.server.rpc('ul.rm', ['location', '101']);
    expect((await one.register()).status).toBe(401);
    const later = await softphone('101', house.server.softphone('101', 3_600));
    expect((await later.register()).status).toBe(200);
    await later.register(0);
    await house.server.rpc('htable.delete', ['revoked', '101']);
  });
});

describe('From', () => {
  it('is the number of who signed in, whatever else is said', async () => {
    const desk = await house.phone('102');
    await house.phone('103');
    const asOther = await desk.request('INVITE', {
      uri: 'sip:103@siphera.test',
      from: '<sip:101@siphera.test>;tag=x',
    });
    expect(asOther.status).toBe(403);
    const registering = await desk.register(60, {
      to: '<sip:101@siphera.test>',
      from: '<sip:101@siphera.test>;tag=x',
    });
    expect(registering.status).toBe(403);
    await house.server.report({ kind: 'shut_out', source: '127.0.0.12', reason: 'from' });
  });

  it('is that of the proved one of several credentials', async () => {
    const { username, password } = house.server.softphone('101');
    const [, expiry = ''] = [username, username.split(':')[0]];
    const stranger = await house.peer({ address: '127.0.0.52', number: '104' });
    const first = await stranger.request('REGISTER', { to: '<sip:104@siphera.test>' });
    const challenge = first.header('www-authenticate') ?? '';
    const good = digestAnswer(challenge, { username, password, method: 'REGISTER', uri: 'sip:siphera.test' });
    const decoy = good
      .replace(username, `${expiry}:104`)
      .replace('realm="siphera.test"', 'realm="elsewhere"');
    for (const headers of [
      [`Authorization: ${decoy}`, `Authorization: ${good}`],
      [`Authorization: ${good}`, `Authorization: ${decoy}`],
      [`Authorization: ${good}, username="${expiry}:104"`],
      [`Authorization: ${good}`, `Proxy-Authorization: ${decoy}`],
    ]) {
      const answer = await stranger.request('REGISTER', {
        to: '<sip:104@siphera.test>',
        headers: [...headers, 'Expires: 60'],
        callId: sipToken(),
        anonymous: true,
      });
      expect(answer.status).not.toBe(200);
    }
  });
});

it('lets nobody call without proof, and tells no stranger which numbers there are', async () => {
  const stranger = await house.peer({ address: '127.0.0.53', number: '101' });
  await house.phone('102');
  for (const user of ['102', '600', '999', '+15551234567']) {
    const answer = await stranger.request('INVITE', { uri: `sip:${user}@siphera.test` });
    expect(answer.status).toBe(407);
  }
  const wrong = await house.peer({
    address: '127.0.0.53',
    number: '101',
    credentials: { username: 'desk101', password: 'guess' },
  });
  const nobody = await house.peer({
    address: '127.0.0.53',
    number: '777',
    credentials: { username: 'desk777', password: 'guess' },
  });
  expect((await wrong.register()).status).toBe(401);
  expect((await nobody.register()).status).toBe(401);
});

it('lets a phone by UDP sign in for two minutes at most, and for less when it asks', async () => {
  const desk = await house.phone('103');
  for (const [asked, granted] of [
    [3600, 120],
    [60, 60],
  ] as const) {
    const answer = await desk.register(asked);
    expect(Number(/expires=(\d+)/.exec(answer.header('contact') ?? '')?.[1])).toBe(granted);
  }
});
