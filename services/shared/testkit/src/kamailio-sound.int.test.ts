/** Sound and keys between real phones, by way of the relays. */
import { createSocket } from 'node:dgram';
import { afterAll, beforeAll, it } from 'vitest';
import { type Baresip, startBaresip } from './baresip.ts';
import { type SipServer, startSipServer } from './kamailio.ts';
import { type NetworkNamespace, openNetwork } from './network-namespace.ts';
import { toneShare } from './sip-tone.ts';
import type { SipPlan } from './sip-plan.ts';
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
let server: SipServer;
let caller: Baresip;
let called: Baresip;

const phone = (number: string, more: { toneHertz: number }) =>
  startBaresip({
    dir: dir.path,
    network,
    number,
    domain: server.domain,
    server: `${network.address}:${server.port}`,
    auth: { username: `desk${number}`, password: `secret-of-${number}` },
    ...more,
  });

beforeAll(async () => {
  dir = await tempDir('sound');
  network = await openNetwork({ hostLink: true });
  server = await startSipServer({ dir: dir.path, network, plan });
  [caller, called] = await Promise.all([phone('101', { toneHertz: 440 }), phone('102', { toneHertz: 700 })]);
  await Promise.all([caller.signedIn(), called.signedIn()]);
});
afterAll(async () => {
  await Promise.all([caller.stop(), called.stop()]);
  await server.stop();
  await network.remove();
  await dir[Symbol.asyncDispose]();
});

it('carries a tone both ways, and keys by RFC 4733 to the relay that tells the bridge', async () => {
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
