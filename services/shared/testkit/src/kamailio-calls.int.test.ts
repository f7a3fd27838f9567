/** Calls within the house, by Kamailio and the relays as the box has them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SipServer, startSipServer } from './kamailio.ts';
import { phoneSdp } from './sip-message.ts';
import { openSipPeer, type SipPeer } from './sip-peer.ts';
import type { SipPlan } from './sip-plan.ts';
import { type TempDir, tempDir } from './temp-dir.ts';

const plan: SipPlan = {
  account: {
    desk101: { number: '101', secret: 'secret-of-101' },
    desk102: { number: '102', secret: 'secret-of-102' },
    desk103: { number: '103', secret: 'secret-of-103' },
  },
  number: {
    '101': { kind: 'phone', name: 'Front desk of José', classes: 'internal,local', cap: 2, ring: 20 },
    '102': { kind: 'phone', name: 'Gate', classes: 'internal', ring: 20 },
    '103': { kind: 'phone', name: 'Store', classes: 'internal', ring: 20 },
    '600': { kind: 'group', name: 'All guards', ring: 20 },
  },
  member: { '600': '102 103' },
};

let dir: TempDir;
let server: SipServer;
let open: SipPeer[] = [];

beforeAll(async () => {
  dir = await tempDir('sip');
  server = await startSipServer({ dir: dir.path, plan });
});
afterAll(async () => {
  for (const peer of open) await peer.close();
  open = [];
  await server.stop();
  await dir[Symbol.asyncDispose]();
});

async function phone(number: string, address: string): Promise<SipPeer> {
  const peer = await openSipPeer({
    server,
    address,
    number,
    credentials: { username: `desk${number}`, password: `secret-of-${number}` },
  });
  open.push(peer);
  expect((await peer.register()).status).toBe(200);
  return peer;
}

describe('within the house', () => {
  it('signs phones in and carries a call between them, with sound by way of a relay', async () => {
    const [caller, called] = [await phone('101', '127.0.0.11'), await phone('102', '127.0.0.12')];
    const dialled = caller.call('102');
    const invite = await called.nextRequest('INVITE');
    expect(invite.body).toContain('m=audio');
    called.answer(invite, 180);
    called.answer(invite, 200, { body: phoneSdp('127.0.0.12', 21_000) });
    const dialog = await dialled;
    await called.nextRequest('ACK');
    expect(dialog.message.body).toContain('m=audio');
    const bye = caller.within(dialog, 'BYE');
    called.answer(await called.nextRequest('BYE'), 200);
    expect((await bye).status).toBe(200);
    await server.report({ kind: 'call', state: 'ended', call: dialog.callId });
  });
});
