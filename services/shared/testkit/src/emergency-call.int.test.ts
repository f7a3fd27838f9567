/** Emergency calls by Kamailio as the box has it: what counts as one, who calls, from where, and what the PSAP is told. */
import { EmergencyNotice } from '@siphera/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emergencyBrowserSdp, emergencyPhone, emergencyPlan } from './emergency-box.ts';
import { partsOf, readPidf } from './emergency-message.ts';
import type { InviteOptions, RawPhone } from './emergency-phone.ts';
import { type SipServer, startSipServer } from './kamailio.ts';
import { type Psap, startPsap } from './psap.ts';
import type { SipMessage } from './sip-message.ts';
import { type TempDir, tempDir } from './temp-dir.ts';

let dir: TempDir;
let server: SipServer;
let psap: Psap;
let drills: Psap;
let desk: RawPhone;
let address = 0;

beforeAll(async () => {
  dir = await tempDir('em');
  psap = await startPsap({ dir: dir.path, address: '127.0.0.2', behaviour: { hangUpAfterMs: 50 } });
  drills = await startPsap({
    dir: dir.path,
    address: '127.0.0.3',
    name: 'drills',
    behaviour: { hangUpAfterMs: 50 },
  });
  server = await startSipServer({
    dir: dir.path,
    plan: emergencyPlan([
      { psap, id: 'main' },
      { psap: drills, id: 'test', set: 3 },
    ]),
  });
  desk = await emergencyPhone(server, '2002');
  expect((await desk.register()).status).toBe(200);
});
afterAll(async () => {
  desk?.close();
  await server?.stop();
  await psap?.stop();
  await drills?.stop();
  await dir?.remove();
});

/** Calls, and reads what came out at the far end. Each caller has an address of its own: unverified ones are counted. */
async function dial(
  number: string | undefined,
  dialled: string,
  options: InviteOptions & {
    from?: string;
    at?: string;
    to?: Psap;
    password?: string;
    username?: string;
    transport?: 'udp' | 'tcp' | 'ws';
    signIn?: boolean;
  } = {},
) {
  address += 1;
  const { at = `127.0.50.${address}`, to = psap, password, username, transport, signIn, ...invite } = options;
  const phone = await emergencyPhone(server, number, {
    address: at,
    ...(password === undefined ? {} : { password }),
    ...(username === undefined ? {} : { username }),
    ...(transport === undefined ? {} : { transport }),
  });
  try {
    if (signIn) await phone.register();
    const call = phone.invite(dialled, invite);
    await call.status('200');
    call.ack();
    await call.request('BYE');
    const arrived = (await to.invites()).find((message) => message.header('call-id') === call.callId);
    if (!arrived) throw new Error('It did not come to the PSAP');
    const report = await server.report({ kind: 'emergency', call: call.callId, state: 'dialled' });
    return { call, arrived, report };
  } finally {
    phone.close();
  }
}

async function placeOf(arrived: SipMessage) {
  const [sdp, pidf, ...rest] = partsOf(arrived);
  if (!sdp || !pidf || rest.length > 0) throw new Error('Not two parts');
  return { sdp, pidf, place: await readPidf(pidf.body) };
}

describe('an emergency call', () => {
  it('carries the place of the caller, a call-back number and sound by way of a relay', async () => {
    const before = Date.now();
    const { arrived, report, call } = await dial('2001', '911', {
      signIn: true,
      authorised: true,
      headers: ['X-Siphera-Mark: 1', 'Geolocation: <cid:lie@x>', 'P-Asserted-Identity: <sip:+1999@x>'],
    });
    expect(arrived.startLine).toBe('INVITE sip:911@127.0.0.2 SIP/2.0');
    const { sdp, pidf, place } = await placeOf(arrived);
    expect(sdp.header('content-type')).toBe('application/sdp');
    expect(sdp.body).toMatch(/^v=0\r\n/);
    // Not the caller's port: a relay's.
    expect(sdp.body).toMatch(/m=audio \d+ RTP\/AVP 0 8 101/);
    expect(sdp.body).not.toContain('m=audio 40000');
    expect(pidf.header('content-type')).toBe('application/pidf+xml');
    const id = /^<(.+)>$/.exec(pidf.header('content-id') ?? '')?.[1];
    expect(arrived.all('geolocation')).toEqual([`<cid:${id}>`]);
    expect(arrived.all('geolocation-routing')).toEqual(['yes']);
    expect(arrived.all('priority')).toEqual(['emergency']);
    expect(arrived.all('p-asserted-identity')).toEqual([`<sip:+12145552001@${server.domain}>`]);
    expect(arrived.header('from')).toMatch(/^<sip:\+12145552001@/);
    expect(arrived.text).not.toMatch(/X-Siphera|Proxy-Authorization|lie@x/i);
    expect(place.entity).toBe(`pres:+12145552001@${server.domain}`);
    expect(Math.abs(Date.parse(place.timestamp) - before)).toBeLessThan(60_000);
    expect(place.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(place.civic).toMatchObject({ RD: 'Main', FLR: '3', ROOM: '101', NAM: 'Müller & Söhne' });
    expect(report).toMatchObject({
      mode: 'emergency',
      from: '2001',
      verified: true,
      dialled: '911',
      number: '911',
      location: 'lobby',
      location_by: 'area',
      callback: '+12145552001',
    });
    for (const state of ['sent', 'ringing', 'answered'])
      expect(await server.report({ kind: 'emergency', call: call.callId, state })).toMatchObject({
        trunk: 'main',
        style: 'pidf-lo',
      });
    expect(await server.report({ kind: 'emergency', call: call.callId, state: 'ended' })).toMatchObject({
      mode: 'emergency',
    });
  });

  it.each([
    ['911', '911', 'emergency'],
    ['9911', '911', 'emergency'],
    ['112', '911', 'emergency'],
    ['9112', '911', 'emergency'],
    ['08', '911', 'emergency'],
    ['933', '933', 'test'],
    ['9-1-1', '911', 'emergency'],
    ['%39%31%31', '911', 'emergency'],
    ['911;phone-context=+1', '911', 'emergency'],
    ['+911', '911', 'emergency'],
  ])('is what is dialled as %s', async (dialled, to, mode) => {
    const { arrived, report } = await dial('2001', dialled);
    expect(arrived.startLine).toBe(`INVITE sip:${to}@127.0.0.2 SIP/2.0`);
    expect(report).toMatchObject({ mode, number: to });
  });

  it('is what is sent to urn:service:sos or to a tel URI', async () => {
    for (const uri of ['urn:service:sos', 'urn:service:sos.fire', 'tel:911']) {
      const { arrived } = await dial('2001', '911', { uri });
      expect(arrived.startLine).toBe('INVITE sip:911@127.0.0.2 SIP/2.0');
    }
  });

  it('goes to the PSAP of drills alone when it is one', async () => {
    const { arrived, report, call } = await dial('2001', '*911', {
      to: drills,
      headers: ['X-Siphera-Location: roof'],
    });
    expect((await placeOf(arrived)).place.civic.ROOM).toBe('R1');
    expect(report).toMatchObject({ mode: 'drill', location_by: 'caller', location: 'roof' });
    expect(await server.report({ kind: 'emergency', call: call.callId, state: 'ended' })).toMatchObject({
      mode: 'drill',
    });
    expect((await psap.invites()).map((message) => message.header('call-id'))).not.toContain(call.callId);
  });
});

describe('who calls', () => {
  it.each<[string, Parameters<typeof dial>[0], Parameters<typeof dial>[2], object]>([
    [
      'a phone with a bad password',
      '2001',
      { authorised: true, signIn: true, password: 'wrong' },
      { verified: false, from: '2001', location_by: 'area' },
    ],
    ['a phone that gives none', '2001', {}, { verified: false, from: '2001', callback: '+12145552001' }],
    [
      'an account that is locked or gone',
      '2099',
      { authorised: true, signIn: true },
      { verified: false, from: '2099', location_by: 'site' },
    ],
    [
      'a phone that nobody knows',
      undefined,
      {},
      { verified: false, from: 'stranger', location: 'hall', callback: '+12145550102' },
    ],
    [
      'a phone by TCP',
      '2001',
      { transport: 'tcp', signIn: true, authorised: true },
      { verified: true, from: '2001' },
    ],
    [
      'somebody without a name',
      undefined,
      { from: '<sip:anonymous.invalid>' },
      { verified: false, from: '' },
    ],
  ])('does not matter: %s', async (_, number, options, expected) => {
    const { report } = await dial(number, '911', options);
    const { from, ...rest } = expected as { from?: string };
    expect(report).toMatchObject(rest);
    expect(report['from'] ?? '').toBe(from);
  });

  it('may be a softphone whose credential has expired, in a browser', async () => {
    for (const [seconds, verified] of [
      [-100, false],
      [600, true],
    ] as const) {
      const { username, password } = server.softphone('2003', seconds);
      const phone = await emergencyPhone(server, '2003', {
        transport: 'ws',
        username,
        password,
        address: `127.0.51.${verified ? 1 : 2}`,
      });
      await phone.register();
      const call = phone.invite('911', { authorised: true, body: emergencyBrowserSdp });
      await call.status('200');
      call.ack();
      await call.request('BYE');
      expect(await server.report({ kind: 'emergency', call: call.callId, state: 'dialled' })).toMatchObject({
        verified,
        from: '2003',
        location: 'roof',
        location_by: 'last_known',
      });
      const arrived = (await psap.invites()).find((message) => message.header('call-id') === call.callId);
      expect(arrived?.body).toMatch(/m=audio \d+ RTP\/AVP /);
      expect(arrived?.body).not.toMatch(/fingerprint|candidate|SAVPF/);
      phone.close();
    }
  });

  it('may be shut out for all else', async () => {
    const at = '127.0.52.1';
    const scanner = await emergencyPhone(server, undefined, { address: at });
    scanner.write(
      `OPTIONS sip:${server.domain} SIP/2.0\r\nVia: SIP/2.0/UDP ${at}:${scanner.port};branch=z9hG4bKscan;rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: scan\r\nCSeq: 1 OPTIONS\r\nUser-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n`,
    );
    await server.report({ kind: 'shut_out', source: at });
    const { report } = await dial(undefined, '911', { at });
    expect(report).toMatchObject({ source: at });
    scanner.close();
  });
});

describe('where', () => {
  it.each<[string, Parameters<typeof dial>[0], Parameters<typeof dial>[2], object]>([
    [
      'what the caller chose',
      '2001',
      { headers: ['X-Siphera-Location: roof'] },
      { location: 'roof', location_by: 'caller', callback: '+12145552001' },
    ],
    [
      'his number, when he chose what is not there',
      '2001',
      { headers: ['X-Siphera-Location: nowhere'] },
      { location: 'lobby', location_by: 'area' },
    ],
    [
      'where he was last',
      '2003',
      {},
      { location: 'roof', location_by: 'last_known', callback: '+12145550104' },
    ],
    [
      'his address on the LAN',
      undefined,
      { at: '127.0.40.7' },
      { location: 'cellar', location_by: 'network', callback: '+12145550000' },
    ],
    [
      'his address, when the place of his number is gone',
      '2004',
      { at: '127.0.40.8' },
      { location: 'cellar', location_by: 'network' },
    ],
    ['the place of the site', '2004', {}, { location: 'hall', location_by: 'site' }],
  ])('is %s', async (_, number, options, expected) => {
    const { report, arrived } = await dial(number, '911', options);
    expect(report).toMatchObject(expected);
    expect((await placeOf(arrived)).place.civic.ROOM).toBeTruthy();
  });
});

describe('the desk', () => {
  it('may be a browser', async () => {
    const guard = await emergencyPhone(server, '2003', { transport: 'ws', ...server.softphone('2003') });
    expect((await guard.register()).status).toBe(200);
    const { call } = await dial('2001', '911');
    const heard = () =>
      guard.messages
        .filter(({ method, body }) => method === 'MESSAGE' && body.includes(call.callId))
        .map(({ body }) => EmergencyNotice.parse(JSON.parse(body)).state);
    await expect.poll(heard, { timeout: 20_000 }).toEqual(['started', 'answered', 'ended']);
    guard.close();
  });

  it('hears of it within a second, and how it goes on', async () => {
    const seen = desk.messages.length;
    const started = performance.now();
    const { call } = await dial('2001', '911', { headers: ['X-Siphera-Location: hall'] });
    const notices = () =>
      desk.messages
        .slice(seen)
        .filter(({ method, body }) => method === 'MESSAGE' && body.includes(call.callId))
        .map((message) => ({
          type: message.header('content-type'),
          notice: EmergencyNotice.parse(JSON.parse(Buffer.from(message.body, 'latin1').toString('utf8'))),
        }));
    await expect.poll(notices, { timeout: 20_000 }).toHaveLength(3);
    expect(notices().map(({ notice }) => notice.state)).toEqual(['started', 'answered', 'ended']);
    expect(notices()[0]).toEqual({
      type: 'application/vnd.siphera.emergency+json',
      notice: {
        v: 1,
        uid: call.callId,
        kind: 'emergency',
        state: 'started',
        number: '911',
        caller: '2001',
        verified: false,
        location_id: 'hall',
        location: 'Große Halle',
        callback: '+12145552001',
        at: expect.any(Number) as number,
      },
    });
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
