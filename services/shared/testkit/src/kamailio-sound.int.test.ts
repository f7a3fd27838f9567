/** Sound and keys between real phones, by way of the relays, and many calls at once. */
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Baresip, startBaresip } from './baresip.ts';
import { type SipServer, startSipServer } from './kamailio.ts';
import { type NetworkNamespace, openNetwork } from './network-namespace.ts';
import { createTestCa, type TestCa } from './pki.ts';
import { toneShare } from './sip-tone.ts';
import type { SipPlan } from './sip-plan.ts';
import { runSipp, startSipp } from './sipp.ts';
import { type TempDir, tempDir } from './temp-dir.ts';
import { waitFor } from './wait.ts';

const plan: SipPlan = {
  account: {
    desk101: { number: '101', secret: 'secret-of-101' },
    desk102: { number: '102', secret: 'secret-of-102' },
  },
  number: {
    '101': { kind: 'phone', name: 'Front desk', classes: 'internal', ring: 20 },
    '102': { kind: 'phone', name: 'Gate', classes: 'internal', ring: 20 },
  },
};

let dir: TempDir;
let network: NetworkNamespace;
let ca: TestCa;
let server: SipServer;
let caller: Baresip;
let called: Baresip;

const phone = (number: string, more: { toneHertz: number; transport: 'tcp' | 'tls' }) =>
  startBaresip({
    dir: dir.path,
    network,
    number,
    domain: server.domain,
    server: `${network.address}:${more.transport === 'tls' ? server.tlsPort : server.port}`,
    auth: { username: `desk${number}`, password: `secret-of-${number}` },
    ...more,
  });

beforeAll(async () => {
  dir = await tempDir('sound');
  network = await openNetwork({ hostLink: true });
  ca = await createTestCa(join(dir.path, 'pki'));
  server = await startSipServer({
    dir: dir.path,
    network,
    plan,
    ca,
  });
  [caller, called] = await Promise.all([
    phone('101', { toneHertz: 440, transport: 'tcp' }),
    phone('102', { toneHertz: 700, transport: 'tls' }),
  ]);
  await Promise.all([caller.signedIn(), called.signedIn()]);
});
afterAll(async () => {
  await Promise.all([caller.stop(), called.stop()]);
  await server.stop();
  await network.remove();
  await dir[Symbol.asyncDispose]();
});

it('carries a tone both ways between a phone by TCP and one by TLS, and keys by RFC 4733 to the relay that tells the bridge', async () => {
  const digits: string[] = [];
  const listener = createSocket('udp4').on('message', (data) => digits.push(data.toString()));
  const [host = '', port] = server.dtmfListen.split(':');
  listener.bind(Number(port), host);
  try {
    await caller.dial('102');
    await called.event('CALL_INCOMING');
    await called.accept();
    await caller.event('CALL_ESTABLISHED');
    await called.event('CALL_ESTABLISHED');
    await caller.press('9#');
    await waitFor(
      'the keys at the relay',
      () =>
        digits.some((text) => text.includes('"event":11')) &&
        digits.some((text) => text.includes('"event":9')),
    );
    await waitFor('440 Hz at the one who was called', async () => {
      const [file] = await called.recordings('dec');
      return file !== undefined && (await toneShare(file, 440)) > 0.8;
    });
    await waitFor('700 Hz at the caller', async () => {
      const [file] = await caller.recordings('dec');
      return file !== undefined && (await toneShare(file, 700)) > 0.8;
    });
    await caller.hangup();
    await called.event('CALL_CLOSED');
  } finally {
    listener.close();
  }
}, 120_000);

it('carries twenty calls at once', async () => {
  const answering = await startSipp({
    scenario: 'uas-answer',
    dir: dir.path,
    network,
    address: network.address,
    more: ['-rtp_echo'],
  });
  const at = `${network.address}:${answering.port}`;
  await server.plan({
    ...plan,
    number: {
      ...plan.number,
      '101': { kind: 'phone', name: 'Desk', classes: 'internal,local', cap: 100, out: '+15550100' },
    },
    prefix: { own: 'local' },
    setting: { country_code: 1, out: '+15550100' },
    trunk: { one: { name: 'One', style: 'none', format: 'e164', domain: 'one.example' } },
    destinations: [{ set: 1, uri: `sip:${at}`, priority: 1, trunk: 'one' }],
  });
  const messages = await runSipp({
    scenario: 'uac-call',
    dir: dir.path,
    network,
    address: network.address,
    remote: `${network.address}:${server.port}`,
    keys: { called: '+15551234567', number: '101', domain: server.domain },
    auth: { username: 'desk101', password: 'secret-of-101' },
    calls: 20,
    limit: 20,
    rate: 10,
    more: ['-d', '3000'],
  });
  expect(
    messages.filter(({ status, sent, header }) => !sent && status === 200 && header('cseq') === '2 INVITE'),
  ).toHaveLength(20);
  const trunk = await answering.messages();
  const ports = trunk
    .filter(({ method, sent }) => method === 'INVITE' && !sent)
    .map(({ body }) => /m=audio (\d+)/.exec(body)?.[1]);
  expect(new Set(ports).size).toBe(20);
  await answering.stop();
}, 120_000);

it('shows a renewed certificate, and ends no call for it', async () => {
  const shown = () =>
    network.run('sh', [
      '-c',
      `openssl s_client -connect ${network.address}:${server.tlsPort} </dev/null 2>/dev/null | openssl x509 -noout -serial`,
    ]);
  const before = await shown();
  await caller.dial('102');
  await called.event('CALL_INCOMING');
  await called.accept();
  await caller.event('CALL_ESTABLISHED');
  await ca.issueServer('sip', 'sip', [server.domain, '127.0.0.1', 'another.name']);
  await waitFor('the new certificate', async () => (await shown()) !== before);
  await caller.hangup();
  await called.event('CALL_CLOSED');
}, 120_000);
