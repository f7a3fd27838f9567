/** What trunks of emergency calls are told, each in its own way, and that every one is tried before a caller hears no. */
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:tls';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { emergencyPhone, emergencyPlan, type EmergencyTrunk, loadEmergencyPlan } from './emergency-box.ts';
import { partsOf, readPidf } from './emergency-message.ts';
import type { PhoneCall, RawPhone } from './emergency-phone.ts';
import { type SipReport, type SipServer, startSipServer } from './kamailio.ts';
import { type NetworkNamespace, openNetwork } from './network-namespace.ts';
import { createTestCa, type TestCa } from './pki.ts';
import { freePort } from './ports.ts';
import { type Psap, type PsapBehaviour, startPsap } from './psap.ts';
import { runCommand } from './run-command.ts';
import type { SipMessage } from './sip-message.ts';
import type { SipPlan } from './sip-plan.ts';
import { type TempDir, tempDir } from './temp-dir.ts';
import { waitFor } from './wait.ts';

let dir: TempDir;
let ca: TestCa;
let network: NetworkNamespace;
let server: SipServer;
let phone: RawPhone;
const open: (() => unknown)[] = [];
let addresses = 10;

beforeAll(async () => {
  dir = await tempDir('em');
  ca = await createTestCa(dir.path);
  network = await openNetwork({ hostLink: true });
  server = await startSipServer({ dir: dir.path, ca, addresses: ['127.0.0.1', network.link?.outside ?? ''] });
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});
afterAll(async () => {
  await server?.stop();
  await network?.remove();
  await dir?.remove();
});

/** At an address of its own, as trunks are. */
async function psap(behaviour: PsapBehaviour = {}, transport: 'udp' | 'tcp' = 'udp'): Promise<Psap> {
  addresses += 1;
  const made = await startPsap({ dir: dir.path, address: `127.0.0.${addresses}`, behaviour, transport });
  open.push(made.stop);
  return made;
}
/** There, and answers nothing. */
async function silent() {
  addresses += 1;
  const socket = createSocket('udp4');
  socket.bind(await freePort(), `127.0.0.${addresses}`);
  await once(socket, 'listening');
  open.push(() => socket.close());
  const { address, port } = socket.address();
  return { address, port, uri: `sip:${address}:${port}`, socket };
}
/** A house with these trunks, and a call from a phone of it. */
async function call(
  trunks: readonly EmergencyTrunk[],
  more: SipPlan = {},
  dialled = '911',
): Promise<PhoneCall> {
  await loadEmergencyPlan(server, emergencyPlan(trunks, more));
  await keepNames();
  phone = await emergencyPhone(server, '2001', { address: `127.0.53.${addresses}` });
  open.push(phone.close);
  return phone.invite(dialled);
}
/** Without flag 16 the dispatcher forgets a trunk whose name cannot be looked up when it loads. */
async function keepNames(): Promise<void> {
  const path = join(server.sipDir, 'plan', 'dispatcher.list');
  const list = await readFile(path, 'utf8');
  if (!list.includes('.invalid')) return;
  await writeFile(path, list.replaceAll('.invalid 0', '.invalid 16'));
  await server.rpc('dispatcher.reload');
}
/** Reports come a moment after what they tell of. */
const told = (sos: PhoneCall, state: string): Promise<SipReport> =>
  server.report({ kind: 'emergency', call: sos.callId, state });
const emergency = (id: string): SipReport[] =>
  server.reports().filter(({ kind, call: of }) => kind === 'emergency' && of === id);
const text = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';
const steps = (id: string): string[] =>
  emergency(id).map((report) =>
    ['state', 'trunk', 'code']
      .map((name) => text(report[name]))
      .filter(Boolean)
      .join(' '),
  );
const pidfOf = async (invite: SipMessage) => readPidf(partsOf(invite)[1]?.body ?? '');

describe('each trunk', () => {
  it('is told the place in its own way, one after the other', async () => {
    const [first, second, third, fourth] = [
      await psap({ code: 503 }),
      await psap({ code: 486 }),
      await psap({ code: 404 }),
      await psap({ hangUpAfterMs: 50 }),
    ];
    const sos = await call([
      { psap: first, id: 'a', style: 'pidf-lo', format: 'e164-no-plus' },
      {
        psap: second,
        id: 'b',
        style: 'provider-id',
        more: { name: 'Main trunk, of the house', domain: 'trunk.example' },
      },
      { psap: third, id: 'c', style: 'elin', format: 'national', more: { name: 'The third, by land line' } },
      { psap: fourth, id: 'd', style: 'none' },
    ]);
    await sos.status('200');
    sos.ack();
    await sos.request('BYE');
    await told(sos, 'ended');
    const [one, two, three, four] = await Promise.all([
      first.invite(),
      second.invite(),
      third.invite(),
      fourth.invite(),
    ]);
    expect((await pidfOf(one)).civic.ROOM).toBe('101');
    expect(one.header('p-asserted-identity')).toBe(`<sip:12145552001@${server.domain}>`);
    expect(two.startLine).toBe('INVITE sip:911@trunk.example SIP/2.0');
    expect(two.all('geolocation')).toEqual(['LOC-101']);
    expect(two.header('geolocation-routing')).toBe('yes');
    expect(two.header('p-asserted-identity')).toBe('<sip:+12145552001@trunk.example>');
    expect(three.header('p-asserted-identity')).toBe(`<sip:2145550101@${server.domain}>`);
    expect(three.header('from')).toMatch(/^<sip:2145550101@/);
    for (const plain of [two, three, four]) {
      expect(plain.header('content-type')).toBe('application/sdp');
      expect(plain.body).toMatch(/^v=0\r\n/);
      expect(plain.header('priority')).toBe('emergency');
    }
    for (const none of [three, four]) expect(none.header('geolocation')).toBeUndefined();
    expect(four.header('p-asserted-identity')).toBe(`<sip:+12145552001@${server.domain}>`);
    expect(
      new Set([one, two, three, four].map((invite) => /m=audio (\d+)/.exec(invite.body)?.[1])).size,
    ).toBe(1);
    expect(steps(sos.callId)).toEqual([
      'dialled',
      'sent a',
      'ringing a',
      'trunk_failed a 503',
      'sent b',
      'ringing b',
      'trunk_failed b 486',
      'sent c',
      'ringing c',
      'trunk_failed c 404',
      'sent d',
      'ringing d',
      'answered d',
      'ended',
    ]);
    expect(emergency(sos.callId).flatMap(({ state, style }) => (state === 'sent' ? [style] : []))).toEqual([
      'pidf-lo',
      'provider-id',
      'elin',
      'none',
    ]);
  });

  it('is asked by TCP or TLS when that is how it is given', async () => {
    const tcp = await psap({ code: 503 }, 'tcp');
    const keys = await ca.issueServer('trunk', 'trunk', ['127.0.0.90']);
    const heard: string[] = [];
    const tls = createServer(
      { cert: await readFile(keys.certFile), key: await readFile(keys.keyFile) },
      (socket) => {
        let text = '';
        socket.on('data', (data: Buffer) => {
          text += data.toString('latin1');
          if (text.includes('</presence>')) heard.push(text);
        });
        socket.on('error', () => undefined);
      },
    );
    const port = await freePort();
    tls.listen(port, '127.0.0.90');
    await once(tls, 'listening');
    open.push(() => tls.close());
    const sos = await call([
      { psap: tcp, id: 'tcp' },
      { psap: { address: '127.0.0.90', uri: `sip:127.0.0.90:${port};transport=tls` }, id: 'tls' },
    ]);
    expect((await pidfOf(await tcp.invite())).civic.ROOM).toBe('101');
    const arrived = await waitFor('the INVITE by TLS', () => heard[0]);
    expect(arrived).toMatch(/^INVITE sip:911@127\.0\.0\.90 SIP\/2\.0\r\nRecord-Route: .*\r\n/);
    expect(arrived).toContain('Via: SIP/2.0/TLS');
    sos.cancel();
    await sos.status('487');
  });

  it('in another network gets more than one packet holds, from the address that leads there', async () => {
    const { inside = '', outside = '' } = network.link ?? {};
    const far = await startPsap({
      dir: dir.path,
      address: inside,
      prefix: network.prefix,
      behaviour: { hangUpAfterMs: 50 },
    });
    open.push(far.stop);
    const sos = await call([{ psap: far, id: 'far' }]);
    await sos.status('200');
    sos.ack();
    await sos.request('BYE');
    const invite = await far.invite();
    // A packet of Ethernet has 1500 bytes.
    expect(invite.text.length).toBeGreaterThan(1_500);
    expect((await pidfOf(invite)).civic.ROOM).toBe('101');
    expect(invite.header('via')).toContain(`UDP ${outside}:`);
    expect(invite.header('record-route')).toContain(`<sip:${outside}:`);
    const reassembled = await network.run('cat', ['/proc/net/snmp']);
    expect(countOf(reassembled, 'ReasmOKs')).toBeGreaterThan(0);
  });

  it('that asks for a password gets it', async () => {
    const asks = await psap({ challenges: true, hangUpAfterMs: 50 });
    const sos = await call([
      {
        psap: asks,
        id: 'asks',
        more: {
          name: 'Main trunk, with a password',
          user: 'box',
          realm: 'trunk.test',
          password: 'trunk-secret',
        },
      },
    ]);
    await sos.status('200');
    sos.ack();
    await sos.request('BYE');
    await told(sos, 'ended');
    const [, again] = await asks.invites();
    expect(again?.header('proxy-authorization')).toContain('username="box"');
    expect((await pidfOf(again as SipMessage)).civic.ROOM).toBe('101');
    expect(steps(sos.callId)).not.toContain('trunk_failed asks 407');
  });

  it('that takes no multipart body gets the call without', async () => {
    const simple = await psap({ code: 415 });
    const sos = await call([{ psap: simple, id: 'simple' }]);
    await sos.status('503');
    await told(sos, 'failed');
    const [first, second] = await simple.invites();
    expect(first?.header('content-type')).toMatch(/^multipart/);
    expect(second?.header('content-type')).toBe('application/sdp');
    expect(second?.header('p-asserted-identity')).toBeDefined();
    expect(
      emergency(sos.callId)
        .flatMap(({ state, style }) => (state === 'sent' ? [style] : []))
        .slice(0, 2),
    ).toEqual(['pidf-lo', 'none']);
  });
});

describe('a trunk that does not answer', () => {
  it.each<[string, () => Promise<{ address: string; uri: string }>, number, number]>([
    ['is passed over after two seconds', silent, 1_800, 4_000],
    [
      'by TCP is passed over at once',
      async () => ({ address: '127.0.0.91', uri: `sip:127.0.0.91:${await freePort()};transport=tcp` }),
      0,
      4_000,
    ],
    [
      'because no name server knows it is passed over',
      () => Promise.resolve({ address: '127.0.0.92', uri: 'sip:trunk.invalid' }),
      0,
      6_000,
    ],
  ])('%s', async (_, dead, msMin, msMax) => {
    const alive = await psap({ hangUpAfterMs: 50 });
    const sos = await call([
      { psap: await dead(), id: 'dead' },
      { psap: alive, id: 'alive' },
    ]);
    await sos.status('200');
    sos.ack();
    await sos.request('BYE');
    await told(sos, 'ended');
    expect(steps(sos.callId).filter((step) => /sent|failed/.test(step))).toEqual(
      expect.arrayContaining([expect.stringMatching(/^trunk_failed dead/), 'sent alive']) as string[],
    );
    const [dialled, sent] = [
      emergency(sos.callId)[0],
      emergency(sos.callId).find(({ trunk, state }) => trunk === 'alive' && state === 'sent'),
    ];
    const took = Number(sent?.['at_ms']) - Number(dialled?.['at_ms']);
    expect(took).toBeGreaterThanOrEqual(msMin);
    expect(took).toBeLessThan(msMax);
    expect((await pidfOf(await alive.invite())).civic.ROOM).toBe('101');
  });

  it('is still tried when the others have failed, and may take the call', async () => {
    const [refuses, down] = [await psap({ code: 480 }), await psap({ hangUpAfterMs: 50 })];
    const trunks: EmergencyTrunk[] = [
      { psap: down, id: 'down' },
      { psap: refuses, id: 'refuses' },
    ];
    await loadEmergencyPlan(server, emergencyPlan(trunks));
    await kamcmd('dispatcher.set_state', 'i', '2', down.uri);
    phone = await emergencyPhone(server, '2001', { address: '127.0.53.99' });
    open.push(phone.close);
    const sos = phone.invite('911');
    await sos.status('200');
    sos.ack();
    await sos.request('BYE');
    await told(sos, 'ended');
    expect(steps(sos.callId).filter((step) => /sent|failed/.test(step))).toEqual([
      'sent refuses',
      'trunk_failed refuses 480',
      'sent down',
    ]);
    // It had the place in its body: it was not tried before.
    expect((await pidfOf(await down.invite())).civic.ROOM).toBe('101');
  });

  it('leaves the caller with a clear no, and where the next phone is, when there is no other', async () => {
    const [one, two] = [await silent(), await silent()];
    const packets: string[] = [];
    one.socket.on('message', (data) => packets.push(data.toString('latin1')));
    const sos = await call([
      { psap: one, id: 'one' },
      { psap: two, id: 'two' },
    ]);
    const no = await sos.status('503');
    await told(sos, 'failed');
    expect(no.header('x-siphera-nearest-phone')).toBe('2009');
    expect(steps(sos.callId)).toEqual([
      'dialled',
      'sent one',
      'trunk_failed one 408',
      'sent two',
      'trunk_failed two 408',
      'sent one',
      'trunk_failed one 408',
      'sent two',
      'trunk_failed two 408',
      'failed 503',
    ]);
    // The second time without what a network might not let through.
    const invites = packets.filter((packet) => packet.startsWith('INVITE'));
    expect(invites[0]).toContain('</presence>');
    expect(invites.at(-1)).not.toContain('</presence>');
  });

  it('is said at once when there is none', async () => {
    const sos = await call([]);
    const no = await sos.status('503');
    await told(sos, 'failed');
    expect(no.startLine).toBe('SIP/2.0 503 No trunk takes emergency calls');
    expect(steps(sos.callId)).toEqual(['dialled', 'failed 503']);
  });
});

/** Of the kernel's counters of IP: a line of names, a line of numbers. */
function countOf(snmp: string, name: string): number {
  const [names = [], numbers = []] = snmp
    .split('\n')
    .filter((line) => line.startsWith('Ip:'))
    .map((line) => line.split(' '));
  return Number(numbers[names.indexOf(name)]);
}
const kamcmd = (...words: string[]): Promise<string> =>
  runCommand('kamcmd', ['-s', `unix:${join(dir.path, 'kamailio-run', 'ctl')}`, ...words]);
