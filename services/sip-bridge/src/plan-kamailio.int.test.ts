/** The plan with the Kamailio of the box: what is set over REST is what phones and trunks meet. */
import type { ExtensionView, PhoneHealth, Softphone, TrunkView } from '@siphera/contract';
import { systemRandom, toRfc3339, systemClock } from '@siphera/runtime';
import {
  freePort,
  openSipPeer,
  startSipServer,
  tempDir,
  waitFor,
  type SipPeer,
  type SipServer,
  type TempDir,
} from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startBridgeRig, testOrg, type BridgeRig } from './testing/bridge-rig.ts';
import { registrar } from './testing/registrar.ts';

let dir: TempDir;
let server: SipServer;
let rig: BridgeRig;
const open: SipPeer[] = [];

beforeAll(async () => {
  dir = await tempDir('plan');
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
      RTPENGINE_CONTROL: `a=${server.relays.a.control},b=${server.relays.b.control}`,
    },
  });
  await rig.published();
});
afterAll(async () => {
  for (const peer of open) await peer.close();
  await rig.stop();
  await server.stop();
  await dir.remove();
});

async function peer(options: Omit<Parameters<typeof openSipPeer>[0], 'server'>): Promise<SipPeer> {
  const made = await openSipPeer({ server, ...options });
  open.push(made);
  return made;
}
async function post<T>(path: string, body: Record<string, unknown>): Promise<T> {
  const answer = await rig.rest('POST', path, body);
  expect(answer).toMatchObject({ status: expect.toSatisfy((status: number) => status < 300) });
  return answer.body as T;
}
const addPhone = (number: string) =>
  post<{ extension: ExtensionView; secret: string }>('/sip/extensions', {
    number,
    kind: 'phone',
    name: `Phone ${number}`,
  });
const contactsOf = async (number: string) =>
  ((await rig.rest('GET', '/sip/extensions')).body as { items: ExtensionView[] }).items.find(
    (one) => one.number === number,
  )?.contacts;
const trunkState = async (id: string): Promise<TrunkView['state'] | undefined> =>
  ((await rig.rest('GET', '/sip/trunks')).body as { items: TrunkView[] }).items.find((one) => one.id === id)
    ?.state;

describe('phones', () => {
  it('sign in with the secret that was shown, and no longer once it was renewed', async () => {
    const { extension, secret } = await addPhone('201');
    await rig.published();
    const credentials = { username: extension.auth_username, password: secret };
    const phone = await peer({ address: '127.0.0.51', number: '201', credentials });
    expect((await phone.register()).status).toBe(200);
    await waitFor('its contact is shown', async () => (await contactsOf('201'))?.length === 1, 30_000);
    expect(await contactsOf('201')).toMatchObject([
      { address: `127.0.0.51:${phone.port}`, transport: 'udp', softphone: false },
    ]);
    const renewed = await post<{ secret: string }>(`/sip/extensions/${extension.id}/secret`, {});
    await rig.published();
    expect((await phone.register()).status).not.toBe(200);
    const again = await peer({
      address: '127.0.0.52',
      number: '201',
      credentials: { ...credentials, password: renewed.secret },
    });
    expect((await again.register()).status).toBe(200);
    expect(await phone.register(undefined, { anonymous: true })).toMatchObject({ status: 401 });
  });

  it('are gone for Kamailio once their number is', async () => {
    const { extension, secret } = await addPhone('202');
    await rig.published();
    const credentials = { username: extension.auth_username, password: secret };
    const phone = await peer({ address: '127.0.0.53', number: '202', credentials });
    expect((await phone.register()).status).toBe(200);
    expect((await rig.rest('DELETE', `/sip/extensions/${extension.id}`)).status).toBe(204);
    await rig.published();
    expect((await phone.register()).status).not.toBe(200);
    await waitFor(
      'its contact is removed',
      async () => !JSON.stringify(await server.rpc('ul.dump')).includes('127.0.0.53'),
      30_000,
    );
  });
});

describe('softphones', () => {
  it('sign in with the credential that was made, and no longer once the session has ended', async () => {
    const grace = rig.core.directory.addPerson(testOrg, 'Grace', 'guard');
    await waitFor('she is known', () => rig.bridge.ground.people.get(grace.id), 30_000);
    const softphone = async (sid: string): Promise<Softphone> =>
      (await rig.rest('GET', '/sip/softphone', undefined, { as: 'guard', sub: grace.id, sid }))
        .body as Softphone;
    const sid = systemRandom.uuid();
    const made = await softphone(sid);
    await rig.published();
    const phone = await peer({ address: '127.0.0.54', number: made.number, credentials: made });
    expect((await phone.register()).status).toBe(200);
    rig.core.tell({
      kind: 'revocation',
      action: 'created',
      id: sid,
      audience: 'identity.read',
      scopes: [`org:${testOrg}`],
      data: { sid, reason: 'signed out', expires_at: toRfc3339(systemClock.now() + 600_000) },
    });
    await waitFor('Kamailio refuses it', async () => (await phone.register()).status !== 200, 30_000);
    const next = await softphone(systemRandom.uuid());
    const other = await peer({ address: '127.0.0.55', number: next.number, credentials: next });
    expect((await other.register()).status).toBe(200);
  });
});

describe('a trunk', () => {
  it('is registered at, asked, changed and left, with nobody else disturbed', async () => {
    const providers = await Promise.all(
      ['127.0.0.61', '127.0.0.62'].map(async (address) =>
        registrar(await peer({ address, port: await freePort() })),
      ),
    );
    onTestFinished(() => {
      for (const provider of providers) provider.stop();
    });
    const made = await Promise.all(
      providers.map(({ peer: { address, port } }, index) =>
        post<TrunkView>('/sip/trunks', {
          ...{ name: `Trunk ${index}`, host: address, port, kind: 'register', username: `box${index}` },
          ...{ password: `secret${index}`, uses: ['calls', 'emergency'], priority: index },
        }),
      ),
    );
    for (const { id } of made)
      await waitFor(
        `${id} is registered and answers`,
        async () => {
          const state = await trunkState(id);
          return state?.registered === true && state.reachable === true;
        },
        40_000,
      );
    const [first, second] = made;
    const [one, two] = providers;
    expect(one?.users).toEqual(new Set(['box0']));
    const countOfOne = one?.count() ?? 0;
    const { state: _state, ...rest } = second ?? ({} as TrunkView);
    const changed = await rig.rest('PUT', `/sip/trunks/${rest.id}`, { ...rest, username: 'renamed' });
    expect(changed.status).toBe(200);
    await waitFor('it registers anew', () => two?.users.has('renamed'), 40_000);
    expect(one?.count()).toBe(countOfOne);
    const steps = await post<{ steps: { what: string; ok: boolean }[] }>(
      `/sip/trunks/${first?.id ?? ''}/test`,
      {},
    );
    expect(steps.steps.map(({ what, ok }) => ({ what, ok }))).toEqual([
      { what: 'Host name', ok: true },
      { what: 'Answers OPTIONS of the SIP server', ok: true },
      { what: 'Registration', ok: true },
      { what: 'Addresses that its calls are known by', ok: true },
    ]);
    expect((await rig.rest('DELETE', `/sip/trunks/${first?.id ?? ''}`)).status).toBe(204);
    await rig.published();
    const left = (await server.rpc('uac.reg_dump')) as { l_uuid: string }[];
    expect(left.map(({ l_uuid: id }) => id)).toEqual([second?.id]);
  });
});

describe('Kamailio', () => {
  it('keeps a trunk whose name has no address yet', async () => {
    const { id } = await post<TrunkView>('/sip/trunks', {
      ...{ name: 'Not yet', host: 'trunk.invalid', kind: 'address', uses: ['calls'] },
    });
    await rig.published();
    expect(JSON.stringify(await server.rpc('dispatcher.list'))).toContain('trunk.invalid');
    await waitFor('it is seen as lost', async () => (await trunkState(id))?.reachable === false, 60_000);
    expect((await rig.rest('DELETE', `/sip/trunks/${id}`)).status).toBe(204);
    await rig.published();
  });

  it('and both relays are seen, and the plan is applied', async () => {
    const health = (await rig.rest('GET', '/sip/health')).body as PhoneHealth;
    expect(health).toMatchObject({ sip: true, relays: [{ up: true }, { up: true }], plan_applied: true });
    expect(health.registered).toBeGreaterThan(0);
  });

  it('has what brings help in its memory', async () => {
    const dump = JSON.stringify(await server.rpc('htable.dump', ['emergency']));
    for (const number of ['911', '9911', '112', '9112', '933', '*911'])
      expect(dump).toContain(`"name":"${number}"`);
  });

  it('works with the plan after a crash, and with changes that were made while it was away', async () => {
    await server.crash();
    await addPhone('209');
    await expect(rig.published()).rejects.toThrow('does not answer');
    await server.daemon.start();
    await waitFor('the plan is applied', () => rig.bridge.ground.publisher.state().applied, 60_000);
    expect(JSON.stringify(await server.rpc('htable.dump', ['number']))).toContain('Phone 209');
  });
});
