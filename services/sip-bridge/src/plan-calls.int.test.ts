/** Calls with the Kamailio of the box by the plan that the bridge gave it: out with a class, in by a number of a trunk, for help with any prefix. */
import type { ExtensionView, NumberPlan, TrunkView } from '@siphera/contract';
import {
  freePort,
  openSipPeer,
  phoneSdp,
  startSipServer,
  tempDir,
  waitFor,
  type SipPeer,
  type SipServer,
  type TempDir,
} from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startBridgeRig, type BridgeRig } from './testing/bridge-rig.ts';
import { registrar } from './testing/registrar.ts';

let dir: TempDir;
let server: SipServer;
let rig: BridgeRig;
let phone: SipPeer;
let trunk: SipPeer;
/** Who called for help last. */
let stranger: SipPeer;
const open: SipPeer[] = [];
const trunkAddress = '127.0.0.71';

async function post<T>(path: string, body: Record<string, unknown>): Promise<T> {
  const answer = await rig.rest('POST', path, body);
  expect({ path, answer }).toMatchObject({ answer: { status: 201 } });
  return answer.body as T;
}
async function peer(options: Omit<Parameters<typeof openSipPeer>[0], 'server'>): Promise<SipPeer> {
  const made = await openSipPeer({ server, ...options });
  open.push(made);
  return made;
}

beforeAll(async () => {
  dir = await tempDir('calls');
  server = await startSipServer({ dir: dir.path });
  rig = await startBridgeRig({
    realSwitch: true,
    env: {
      SIP_DIR: server.sipDir,
      SIP_DOMAIN: server.domain,
      SIP_SECRET: server.secret,
      KAMAILIO_RPC_URL: server.rpcUrl,
      KAMAILIO_RPC_SECRET: server.rpcSecret,
      KAMAILIO_EVENTS: server.events,
    },
  });
  const made = await post<{ extension: ExtensionView; secret: string }>('/sip/extensions', {
    ...{ number: '201', kind: 'phone', name: 'Gate, north', classes: ['internal', 'local'], ring_s: 20 },
  });
  const port = await freePort();
  trunk = await peer({ address: trunkAddress, port, number: '+15550009999' });
  // The first is what a call for help shows: whoever calls it back rings that caller, and not our phone.
  const numbers = ['+12125550100', '+12125550101'].map((number) => ({ number, extension: '201' }));
  await post<TrunkView>('/sip/trunks', {
    ...{ name: 'Main trunk', host: trunkAddress, port, kind: 'address', uses: ['calls', 'emergency'] },
    ...{ number_format: 'e164', numbers },
  });
  const plan = (await rig.rest('GET', '/sip/plan')).body as NumberPlan;
  const set = { ...plan, area_code: '212', outside_number: '+12125550100' };
  expect((await rig.rest('PUT', '/sip/plan', set)).status).toBe(200);
  await rig.published();
  const credentials = { username: made.extension.auth_username, password: made.secret };
  phone = await peer({ address: '127.0.0.72', number: '201', credentials });
  expect((await phone.register()).status).toBe(200);
});
afterAll(async () => {
  for (const one of open) await one.close();
  await rig.stop();
  await server.stop();
  await dir.remove();
});

/** Dials; @returns the INVITE as the trunk gets it, after both ends have hung up. */
async function dialled(number: string): Promise<string> {
  const call = phone.call(number);
  const invite = await trunk.nextRequest('INVITE', 30_000);
  trunk.answer(invite, 200, { headers: [], body: phoneSdp(trunkAddress, 22_000) });
  const dialog = await call;
  await trunk.nextRequest('ACK', 30_000);
  const bye = phone.within(dialog, 'BYE');
  trunk.answer(await trunk.nextRequest('BYE', 30_000), 200);
  expect((await bye).status).toBe(200);
  return `${invite.startLine}\n${invite.header('p-asserted-identity') ?? ''}`;
}
const explained = async (number: string): Promise<unknown> =>
  (await rig.rest('POST', '/sip/plan/explain', { dialled: number, from: '201' })).body;

describe('by the plan', () => {
  it.each(['95550177', '5550177', '912125550177', '+12125550177'])(
    '%s goes out as the page explains it, with the number of the house',
    async (number) => {
      expect(await explained(number)).toMatchObject({
        kind: 'outside',
        number: '+12125550177',
        class: 'local',
        allowed: true,
      });
      const invite = await dialled(number);
      expect(invite).toMatch(/^INVITE sip:\+12125550177@/);
      expect(invite).toContain('sip:+12125550100@');
    },
  );

  it.each([
    ['13125550177', 403],
    ['19005550177', 403],
    ['011441234567890', 403],
    ['22', 404],
  ])('%s is refused as the page explains it', async (number, status) => {
    expect(await explained(number)).toMatchObject({ allowed: false });
    await expect(phone.call(number)).rejects.toThrow(String(status));
  });

  it.each(['911', '9911', '112', '9112'])(
    '%s reaches help from a stranger who may dial nothing',
    async (number) => {
      stranger = await peer({ address: '127.0.0.73', number: '999' });
      const call = stranger.call(number, { anonymous: true });
      const invite = await trunk.nextRequest('INVITE', 30_000);
      expect(invite.startLine).toMatch(/^INVITE sip:911@/);
      trunk.answer(invite, 200, { body: phoneSdp(trunkAddress, 22_000) });
      const dialog = await call;
      await trunk.nextRequest('ACK', 30_000);
      const bye = stranger.within(dialog, 'BYE', { anonymous: true });
      trunk.answer(await trunk.nextRequest('BYE', 30_000), 200);
      expect((await bye).status).toBe(200);
    },
  );

  it('a number of the trunk rings its phone', async () => {
    const call = trunk.call('+12125550101');
    const invite = await phone.nextRequest('INVITE', 30_000);
    phone.answer(invite, 200, { body: phoneSdp('127.0.0.72', 23_000) });
    const dialog = await call;
    await phone.nextRequest('ACK', 30_000);
    const bye = trunk.within(dialog, 'BYE');
    phone.answer(await phone.nextRequest('BYE', 30_000), 200);
    expect((await bye).status).toBe(200);
    await expect(trunk.call('+12125550199')).rejects.toThrow('404');
  });

  it('a provider that we register at rings by the contact we gave it', async () => {
    const provider = registrar(
      await peer({ address: '127.0.0.75', port: await freePort(), number: '+15550001111' }),
    );
    onTestFinished(provider.stop);
    const { address, port } = provider.peer;
    await post<TrunkView>('/sip/trunks', {
      ...{ name: 'Provider', host: address, port, kind: 'register', username: 'box', password: 'secret' },
      ...{ uses: ['calls'], priority: 90, numbers: [{ number: '+12125550122', extension: '201' }] },
    });
    const contact = await waitFor('it is registered', () => provider.contact() || undefined, 40_000);
    await rig.published();
    // The first is a number of ours; the second is what the last call for help showed, and rings whoever called.
    const wanted = [
      { to: '<sip:+12125550122@provider.test>', rings: phone },
      { to: '<sip:+12125550100@provider.test>', rings: stranger },
    ];
    for (const { to, rings } of wanted) {
      const call = provider.peer.call('', { uri: contact, to });
      const invite = await rings.nextRequest('INVITE', 30_000);
      rings.answer(invite, 200, { body: phoneSdp('127.0.0.72', 23_000) });
      const dialog = await call;
      await rings.nextRequest('ACK', 30_000);
      const bye = provider.peer.within(dialog, 'BYE');
      rings.answer(await rings.nextRequest('BYE', 30_000), 200);
      expect((await bye).status).toBe(200);
    }
  });

  it('goes on while the plan is changed', async () => {
    const call = phone.call('5550177');
    trunk.answer(await trunk.nextRequest('INVITE', 30_000), 200, { body: phoneSdp(trunkAddress, 22_000) });
    const dialog = await call;
    await trunk.nextRequest('ACK', 30_000);
    await post('/sip/extensions', { number: '205', kind: 'phone', name: 'Store' });
    const port = await freePort();
    const spare = { name: 'Spare', host: '127.0.0.74', port, kind: 'address', uses: ['calls'] };
    await post<TrunkView>('/sip/trunks', spare);
    await rig.published();
    await waitFor('the number is there', async () =>
      JSON.stringify(await server.rpc('htable.dump', ['number'])).includes('Store'),
    );
    const bye = phone.within(dialog, 'BYE');
    trunk.answer(await trunk.nextRequest('BYE', 30_000), 200);
    expect((await bye).status).toBe(200);
  });
});
