/** Emergency calls while the box is in trouble: no tables, no disk, a restart, a flood, and callers that write what no phone would. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmergencyNotice } from '@siphera/contract';
import { openDatabase } from '@siphera/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { emergencyPhone, emergencyPlan, loadEmergencyPlan } from './emergency-box.ts';
import { fromMadeUpAddresses } from './emergency-flood.ts';
import { partsOf, readPidf } from './emergency-message.ts';
import type { InviteOptions, PhoneCall, RawPhone } from './emergency-phone.ts';
import { type SipServer, startSipServer } from './kamailio.ts';
import { type Psap, startPsap } from './psap.ts';
import { phoneSdp, type SipMessage } from './sip-message.ts';
import { openSipPeer } from './sip-peer.ts';
import { type TempDir, tempDir } from './temp-dir.ts';
import { waitFor } from './wait.ts';

let dir: TempDir;
let server: SipServer;
let psap: Psap;
let addresses = 0;
const open: RawPhone[] = [];

beforeAll(async () => {
  dir = await tempDir('em');
  psap = await startPsap({ dir: dir.path, address: '127.0.0.40', behaviour: { hangUpAfterMs: 20 } });
  server = await startSipServer({ dir: dir.path, plan: emergencyPlan([{ psap, id: 'main' }]) });
});
afterEach(() => {
  for (const phone of open.splice(0)) phone.close();
});
afterAll(async () => {
  await server?.stop();
  await psap?.stop();
  await dir?.remove();
});

async function phoneOf(
  number: string | undefined,
  more: Parameters<typeof emergencyPhone>[2] = {},
): Promise<RawPhone> {
  addresses += 1;
  const phone = await emergencyPhone(server, number, {
    address: `127.0.${55 + Math.floor(addresses / 200)}.${1 + (addresses % 200)}`,
    ...more,
  });
  open.push(phone);
  return phone;
}
async function arrives(phone: RawPhone, options: InviteOptions = {}, dialled = '911'): Promise<SipMessage> {
  const call = phone.invite(dialled, options);
  await call.status('200');
  call.ack();
  await call.request('BYE');
  const callId = call.callId;
  const arrived = (await psap.invites()).find((message) => message.header('call-id') === callId);
  if (!arrived) throw new Error('It did not come to the PSAP');
  return arrived;
}
/** From made-up addresses. A call is answered in between, before the kernel drops what Kamailio has not read yet. */
async function flood(count: number, method: string, uri: string, net: number, agent?: string): Promise<void> {
  const watch = await phoneOf(undefined);
  for (let sent = 0; sent < count; sent += 40) {
    await fromMadeUpAddresses(server, {
      first: sent,
      count: Math.min(40, count - sent),
      net,
      method,
      uri,
      agent,
    });
    await watch.invite('911').status('503');
  }
}
/** Whose call-back number that is, as Kamailio has written it down for the next one. */
function keptCall(number: string): string | undefined {
  const db = openDatabase(join(server.sipDir, 'spool', 'events.sqlite'), { readonly: true });
  try {
    const kept = db
      .prepare<[string], string>('SELECT kept FROM em_return WHERE number = ?')
      .pluck()
      .get(number);
    const calls = JSON.parse(Buffer.from(kept ?? '5b5d', 'hex').toString()) as { call: string }[];
    return Buffer.from(calls.at(-1)?.call ?? '', 'hex').toString();
  } finally {
    db.close();
  }
}
/** Of the limits of these ten seconds: they are of other tests. There is time for a test before the next ten. */
const forgetCalls = async (): Promise<void> => {
  await waitFor('time enough', () => Date.now() % 10_000 < 6_000);
  const counts = (await server.rpc('htable.dump', ['em_rate'])) as { slot: { name: string }[] }[];
  for (const { name } of counts.flatMap(({ slot }) => slot))
    await server.rpc('htable.delete', ['em_rate', name]);
};
const roomOf = async (arrived: SipMessage) =>
  (await readPidf(partsOf(arrived).at(-1)?.body ?? '')).civic.ROOM;

describe('an emergency call goes', () => {
  it('right after a crash, with a damaged plan and damaged databases', async () => {
    await server.plan(emergencyPlan([{ psap, id: 'main' }]), { load: false });
    await server.daemon.restart();
    await writeFile(join(server.sipDir, 'plan/plan.sqlite'), 'rubbish '.repeat(4_000));
    await writeFile(join(server.sipDir, 'spool/events.sqlite'), 'rubbish '.repeat(4_000));
    await server.crash();
    await server.daemon.start();
    expect(await roomOf(await arrives(await phoneOf('2001')))).toBe('101');
  });

  it('on after a crash, its end is told, and help can call back', async () => {
    const answers = await startPsap({ dir: dir.path, address: '127.0.0.41', name: 'patient' });
    await loadEmergencyPlan(server, emergencyPlan([{ psap: answers, id: 'main' }]));
    const phone = await phoneOf('2001');
    const call = phone.invite('911');
    await call.status('200');
    call.ack();
    await waitFor('the disk to have it', () => keptCall('12145552001') === call.callId);
    await server.crash();
    await server.daemon.start();
    call.send('BYE');
    await call.status('200', 'BYE');
    expect((await answers.received()).map(({ method }) => method)).toContain('BYE');
    expect(await server.report({ kind: 'emergency', call: call.callId, state: 'ended' })).toMatchObject({
      mode: 'emergency',
    });
    await answers.stop();
    // Help calls back, over the head of that crash.
    await waitFor('what was kept', async () =>
      JSON.stringify(await server.rpc('htable.dump', ['em_return'])).includes('12145552001'),
    );
    const trunk = await openSipPeer({ server, address: '127.0.0.41', number: '+19725550911' });
    const uri = `sip:+12145552001@${server.domain}`;
    const answer = trunk.request('INVITE', {
      uri,
      to: `<${uri}>`,
      contentType: 'application/sdp',
      body: phoneSdp('127.0.0.41', 30_000),
    });
    const { invite, call: back } = await phone.called();
    back.answer(invite, '200 OK', { contentType: 'application/sdp', body: phoneSdp('127.0.0.1', 31_000) });
    expect((await answer).status).toBe(200);
    expect(await server.report({ kind: 'callback', emergency: call.callId })).toMatchObject({
      reached: true,
    });
    await trunk.close();
  });

  it('without a single table, by the numbers that are built in', async () => {
    const { destinations = [] } = emergencyPlan([{ psap, id: 'main' }]);
    await loadEmergencyPlan(server, { destinations });
    for (const dialled of ['911', '112', '933']) {
      const arrived = await arrives(await phoneOf(undefined), {}, dialled);
      expect(arrived.startLine).toBe(`INVITE sip:${dialled}@127.0.0.40 SIP/2.0`);
      expect(arrived.header('content-type')).toBe('application/sdp');
      expect(arrived.header('priority')).toBe('emergency');
    }
    for (const dialled of ['9911', '0112'])
      expect((await arrives(await phoneOf(undefined), {}, dialled)).startLine).toBe(
        `INVITE sip:${dialled.slice(1)}@127.0.0.40 SIP/2.0`,
      );
    expect((await (await phoneOf(undefined)).invite('99911').status('4')).status).toBe(407);
  });
});

describe('a flood', () => {
  it('of one caller or of many is held back, but never of one who is proved', async () => {
    // No trunk: each call that is not held back ends at once, with other words.
    await loadEmergencyPlan(server, emergencyPlan([]));
    await forgetCalls();
    const known = await phoneOf('2001');
    await known.register();
    const words = async (phone: RawPhone, count: number, options: InviteOptions = {}) => {
      const calls = Array.from({ length: count }, () => phone.invite('911', options));
      return Promise.all(calls.map(async (call) => (await call.status('503')).startLine));
    };
    const went = 'SIP/2.0 503 No trunk takes emergency calls';
    const held = 'SIP/2.0 503 Too Many Emergency Calls';
    const crowd = await Promise.all(Array.from({ length: 8 }, () => phoneOf(undefined)));
    const said = (await Promise.all(crowd.map((phone) => words(phone, 7)))).map(
      (lines) => lines.filter((line) => line === went).length,
    );
    expect(Math.max(...said)).toBe(5);
    expect(said.reduce((sum, count) => sum + count)).toBe(30);
    expect(await words(known, 12, { authorised: true })).toEqual(Array.from({ length: 12 }, () => went));
    // Nor of one who is signed in and calls as phones do, without a credential; nor are tests in the way of calls.
    expect(await words(known, 5)).toEqual(Array.from({ length: 5 }, () => went));
    const test = (crowd[1] as RawPhone).invite('933');
    expect((await test.status('503')).startLine).toBe(went);
    const no = await (crowd[0] as RawPhone).invite('911').status('503');
    expect(no.startLine).toBe(held);
    expect(Number(no.header('retry-after'))).toBeLessThanOrEqual(11);
    expect(await server.report({ kind: 'shut_out', reason: 'emergency_flood' })).toBeDefined();
  });

  it('of what strangers do is written down after a call for help', async () => {
    await loadEmergencyPlan(server, emergencyPlan([]));
    await forgetCalls();
    const spool = openDatabase(join(server.sipDir, 'spool', 'events.sqlite'));
    const phone = await phoneOf('2001');
    let call: PhoneCall;
    spool.exec('BEGIN IMMEDIATE');
    try {
      await flood(39, 'OPTIONS', 'sip:siphera.test', 80, 'sipvicious');
      const waiting = async (queue: string) => {
        const { size } = (await server.rpc('mqueue.get_size', [queue])) as { size: number };
        return size;
      };
      await waitFor('reports to wait', async () => (await waiting('shut_out')) > 0);
      call = phone.invite('911');
      await call.status('503');
    } finally {
      spool.exec('ROLLBACK');
      spool.close();
    }
    const scanners = () =>
      server.reports().filter(({ source }) => typeof source === 'string' && source.startsWith('127.0.80.'));
    await waitFor('the reports', () => scanners().length === 39);
    const failed = await server.report({ kind: 'emergency', call: call.callId, state: 'failed' });
    // The one that the process had in its hand when it had to wait.
    expect(scanners().filter(({ id }) => id < failed.id).length).toBeLessThanOrEqual(1);
  });

  it('from addresses that are made up leaves next to nothing behind', async () => {
    await loadEmergencyPlan(server, emergencyPlan([]));
    await forgetCalls();
    const before = server.reports().length;
    await flood(200, 'INVITE', 'sip:911@siphera.test', 70);
    await flood(200, 'OPTIONS', 'sip:siphera.test', 70, 'friendly-scanner');
    const kept = async (table: string) => JSON.stringify(await server.rpc('htable.dump', [table]));
    const addressesIn = (text: string) => new Set(text.match(/127\.0\.7[0-9]\.\d+/g)).size;
    expect(addressesIn(await kept('ban'))).toBe(0);
    // Two windows of ten seconds may have passed, not more.
    expect(addressesIn(await kept('em_rate'))).toBeLessThanOrEqual(60);
    expect(addressesIn(await kept('told'))).toBeLessThanOrEqual(200);
    const told = server
      .reports()
      .slice(before)
      .filter(({ reason }) => reason === 'emergency_flood');
    expect(told.length).toBeLessThanOrEqual(6);
  });
});

describe('a caller who writes what no phone would', () => {
  let desk: RawPhone;
  beforeAll(async () => {
    await loadEmergencyPlan(server, emergencyPlan([{ psap, id: 'main' }]));
    desk = await emergencyPhone(server, '2003', {
      address: '127.0.59.1',
      username: server.softphone('2003').username,
      password: server.softphone('2003').password,
    });
    expect((await desk.register()).status).toBe(200);
  });
  afterAll(() => desk?.close());
  // Fewer than five of an address, and than thirty of all: nothing of it has to be forgotten on the way.
  beforeAll(forgetCalls);
  const evil = 'X-Evil: 1';
  it.each<[string, InviteOptions]>([
    [
      'a name with quotes, brackets and another header',
      { from: `"\\"}],\\r\\n${evil}<script>&%0d%0a'" <sip:2001@box.test>` },
    ],
    [
      'a name and user that are no UTF-8',
      { from: '"\u00ff\u00fe \u{1f600}" <sip:caf\u00e9%ff%00@box.test>' },
    ],
    ['a user with escaped line ends', { from: `<sip:2001%0d%0a${encodeURIComponent(evil)}@box.test>` }],
    ['a place with quotes and line ends', { headers: ['X-Siphera-Location: lobby";\'<x>%0d%0aX-Evil: 1'] }],
    ['two places', { headers: ['X-Siphera-Location: roof', 'X-Siphera-Location: hall'] }],
    ['a Call-ID that breaks out of JSON', { callId: `","x":{"a":"<!--&%0d%0a${'z'.repeat(400)}` }],
    [
      'credentials of any kind',
      {
        headers: [
          'Proxy-Authorization: Digest username="2001',
          'Authorization: Basic x',
          'Proxy-Authorization: Digest realm="siphera.test", username="9:2001", nonce="%", response="", uri=""',
        ],
      },
    ],
    ['a credential with nothing in it', { headers: ['Proxy-Authorization:'] }],
    [
      'headers that are ours to say',
      {
        headers: [
          'Geolocation: <cid:x@y>',
          'Geolocation-Routing: no',
          'P-Asserted-Identity: <sip:+1@x>',
          'P-Preferred-Identity: <sip:+1@x>',
          'Remote-Party-ID: <sip:+1@x>',
          'Priority: non-urgent',
          'Privacy: id',
          'Proxy-Require: nothing',
          'Session-Expires: 1',
          'Min-SE: 1',
          'Resource-Priority: esnet.1',
          'Route: <sip:127.0.0.9;lr>',
        ],
      },
    ],
    [
      'a place of his own in a body of many parts',
      {
        contentType: 'multipart/mixed; boundary=mine',
        body: `--mine\r\nContent-Type: application/sdp\r\n\r\n${phoneSdp('127.0.0.1', 40_000)}\r\n--mine\r\nContent-Type: application/pidf+xml\r\nContent-ID: <x@y>\r\n\r\n<presence/>\r\n--mine--\r\n`,
      },
    ],
    ['a body of 25 KB', { body: phoneSdp('127.0.0.1', 40_000) + 'a=x-much:0123456789\r\n'.repeat(1_200) }],
  ])('reaches help, and what help reads is ours: %s', async (_, options) => {
    const before = server.reports().length;
    const seen = desk.messages.length;
    const arrived = await arrives(await phoneOf('2001'), options);
    const names = arrived.text
      .slice(0, arrived.text.indexOf('\r\n\r\n'))
      .split('\r\n')
      .slice(1)
      .map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
    expect(names).not.toContain('x-evil');
    for (const name of [
      'geolocation',
      'geolocation-routing',
      'p-asserted-identity',
      'priority',
      'content-type',
      'from',
      'record-route',
    ])
      expect([name, names.filter((known) => known === name).length]).toEqual([name, 1]);
    expect(
      names.filter((name) =>
        /^(x-siphera.*|p-preferred.*|remote.*|privacy|.*authorization|proxy-require|session-expires|min-se|resource.*|route)$/.test(
          name,
        ),
      ),
    ).toEqual([]);
    expect(arrived.header('from')).toMatch(/^<sip:\+1214555\d{4}@siphera\.test>;tag=\w+$/);
    expect(partsOf(arrived)).toHaveLength(2);
    expect(partsOf(arrived)[0]?.body).toMatch(/^v=0\r\n[^<]*\r\n$/);
    expect(await roomOf(arrived)).toBeTruthy();
    const notices = () => desk.messages.slice(seen).filter(({ method }) => method === 'MESSAGE');
    await expect.poll(() => notices().length, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
    for (const { body } of notices())
      EmergencyNotice.parse(JSON.parse(Buffer.from(body, 'latin1').toString('utf8')));
    const mine = server
      .reports()
      .slice(before)
      .filter(({ kind }) => kind === 'emergency');
    expect(mine.find(({ state }) => state === 'dialled')).toMatchObject({ mode: 'emergency' });
    for (const report of mine) expect(JSON.stringify(report)).not.toContain('\\u0000');
  });

  it('may leave the offer of sound to help', async () => {
    const phone = await phoneOf('2001');
    const call = phone.invite('911', { body: '' });
    const answer = await call.status('200');
    expect(answer.body).toMatch(/m=audio \d+/);
    call.ack(phoneSdp('127.0.0.1', 40_000));
    await call.request('BYE');
    const arrived = (await psap.invites()).find((message) => message.header('call-id') === call.callId);
    expect(arrived?.header('content-type')).toBe('application/pidf+xml');
    expect(`<cid:${arrived?.header('content-id')?.slice(1)}`).toBe(arrived?.header('geolocation'));
    expect((await readPidf(arrived?.body ?? '')).civic.ROOM).toBe('101');
  });

  it('cannot call help around the house from a trunk', async () => {
    const phone = await phoneOf(undefined, { address: '127.0.0.40' });
    const call = phone.invite('911');
    expect((await call.status('4')).status).toBe(404);
    expect(
      server.reports().filter((report) => report['call'] === call.callId && report.kind === 'emergency'),
    ).toEqual([]);
  });
});

// Last: by now it has run for a while, and it is not started again.
describe('a disk that is dead', () => {
  it('holds up no emergency call: neither databases full of rubbish nor none at all', async () => {
    const desk = await phoneOf('2002');
    await desk.register();
    const files = [
      'plan/plan.sqlite',
      'plan/dispatcher.list',
      'spool/events.sqlite',
      'registrations.sqlite',
    ].map((name) => join(server.sipDir, name));
    for (const file of files) await writeFile(file, 'rubbish '.repeat(4_000));
    expect(await roomOf(await arrives(await phoneOf('2001')))).toBe('101');
    for (const file of files)
      for (const more of ['', '-wal', '-shm']) await rm(`${file}${more}`, { force: true });
    await rm(join(server.sipDir, 'spool'), { recursive: true, force: true });
    expect(await roomOf(await arrives(await phoneOf('2003')))).toBe('R1');
    const notice = await desk.notice(4);
    expect(EmergencyNotice.parse(JSON.parse(notice.body))).toMatchObject({
      caller: '2003',
      state: 'started',
      location_id: 'roof',
    });
    await mkdir(join(server.sipDir, 'spool'), { recursive: true });
  });
});
