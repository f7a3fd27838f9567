/** Trunks and the number plan over REST, down to what Kamailio is given of them, and what core is told when one is lost. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { NumberPlan, TrunkView } from '@siphera/contract';
import { AppError } from '@siphera/runtime';
import { freePort, waitFor } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPlanPart } from './plan.part.ts';
import { startBridgeRig, type BridgeRig } from './testing/bridge-rig.ts';

let rig: BridgeRig;
/** What the name server says; a throw is its silence. */
let names: Record<string, string[]> = { 'sip.example': ['192.0.2.7'] };
let port = 0;
let provider: Socket;
let listening: Record<string, boolean> = {};

beforeAll(async () => {
  port = await freePort();
  provider = createSocket('udp4').bind(port, '127.0.0.1');
  await once(provider, 'listening');
  provider.on('message', (bytes, from) => {
    const callId = /Call-ID: (\S+)/.exec(bytes.toString())?.[1] ?? '';
    provider.send(`SIP/2.0 200 OK\r\nCall-ID: ${callId}\r\n\r\n`, from.port, from.address);
  });
  rig = await startBridgeRig({
    parts: (ground) => [
      createPlanPart(ground, {
        resolve: (host) => {
          const found = names[host];
          return found ? Promise.resolve(found) : Promise.reject(new Error('SERVFAIL'));
        },
      }).part,
    ],
  });
  rig.kamailio.answers.set('dispatcher.list', () => {
    const TARGETS = rig.planTargets().map(({ uri, attrs }) => {
      const up = listening[/trunk=([^;]+)/.exec(attrs)?.[1] ?? ''];
      return {
        DEST: { URI: uri, FLAGS: up === undefined ? 'AX' : up ? 'AP' : 'IP', ATTRS: { BODY: attrs } },
      };
    });
    // So Kamailio says when there are none.
    if (TARGETS.length === 0) throw new AppError('unprocessable', 'No Destination Sets');
    return { RECORDS: [{ SET: { ID: 1, TARGETS } }] };
  });
});
afterAll(async () => {
  await rig.stop();
  provider.close();
});

const put = async (
  method: 'POST' | 'PUT',
  path: string,
  body: Record<string, unknown>,
): Promise<TrunkView> => {
  const { status, body: made } = await rig.rest(method, path, body);
  expect({ status, made }).toMatchObject({ status: method === 'POST' ? 201 : 200 });
  return made as TrunkView;
};
const add = (body: Record<string, unknown>): Promise<TrunkView> =>
  put('POST', '/sip/trunks', {
    name: 'Main',
    host: 'sip.example',
    kind: 'address',
    uses: ['calls'],
    ...body,
  });
const remove = async ({ id }: TrunkView): Promise<void> => {
  expect((await rig.rest('DELETE', `/sip/trunks/${id}`)).status).toBe(204);
};
const detailOf = (body: unknown): string => (body as { detail: string }).detail;
const stateOf = async (id: string): Promise<TrunkView['state'] | undefined> =>
  ((await rig.rest('GET', '/sip/trunks')).body as { items: TrunkView[] }).items.find((one) => one.id === id)
    ?.state;

describe('a trunk', () => {
  it('registers with a password that is sealed here and never shown', async () => {
    const trunk = await add({ kind: 'register', username: 'box', password: 'p4ss-of-the-provider' });
    expect(trunk).toMatchObject({ has_password: true, state: { reachable: null } });
    await rig.published();
    expect(rig.planRows('SELECT l_uuid, auth_password, r_domain FROM uacreg')).toEqual([
      { l_uuid: trunk.id, auth_password: 'p4ss-of-the-provider', r_domain: 'sip.example' },
    ]);
    expect(rig.table('trunk')[trunk.id]).toBe(
      'style=none;format=e164;user=box;password=p4ss-of-the-provider;domain=sip.example;name=Main',
    );
    const shown = JSON.stringify([await rig.rest('GET', '/sip/trunks'), rig.log, rig.core.audits]);
    expect(shown).not.toContain('p4ss-of-the-provider');
    const kept = rig.bridge.ground.db.prepare<[], { password: Buffer }>('SELECT password FROM trunks').get();
    expect(kept?.password.includes('p4ss')).toBe(false);
    const { state: _state, ...rest } = trunk;
    const changed = await put('PUT', `/sip/trunks/${trunk.id}`, { ...rest, name: 'Renamed' });
    expect(changed).toMatchObject({ name: 'Renamed', has_password: true, revision: 2 });
    await remove(trunk);
    await rig.published();
    expect(rig.kamailio.count('uac.reg_remove', [trunk.id])).toBe(1);
  });

  it('is known by the addresses of its name, and keeps them while the name server is gone', async () => {
    const trunk = await add({ addresses: ['198.51.100.0/24'], uses: ['calls', 'emergency', 'drill'] });
    const addresses = (): unknown[] =>
      rig.planRows('SELECT ip_addr, mask FROM address WHERE grp = 1 ORDER BY id');
    await waitFor('its name is resolved', () => addresses().length === 2, 30_000);
    expect(addresses()).toEqual([
      { ip_addr: '192.0.2.7', mask: 32 },
      { ip_addr: '198.51.100.0', mask: 24 },
    ]);
    expect(rig.planTargets().map(({ set, uri }) => `${set} ${uri}`)).toEqual([
      '1 sip:192.0.2.7:5060',
      '2 sip:192.0.2.7:5060',
      '3 sip:192.0.2.7:5060',
    ]);
    names = {};
    await rig.restart();
    await rig.published();
    expect(addresses()).toHaveLength(2);
    const tried = await rig.rest('POST', `/sip/trunks/${trunk.id}/test`);
    expect(tried.body).toMatchObject({
      steps: [
        { what: 'Host name', ok: false, detail: expect.stringMatching(/calls go on to 192\.0\.2\.7/) },
        {},
        {},
      ],
    });
    names = { 'sip.example': ['192.0.2.7'] };
    const refused = await rig.rest('DELETE', `/sip/trunks/${trunk.id}`);
    expect([refused.status, detailOf(refused.body)]).toEqual([
      409,
      expect.stringMatching(/last trunk that takes emergency/),
    ]);
    const { state: _state, ...rest } = trunk;
    const off = await rig.rest('PUT', `/sip/trunks/${trunk.id}`, { ...rest, enabled: false });
    expect(off.status).toBe(409);
    const spare = await add({ name: 'Spare', uses: ['emergency'] });
    await remove(trunk);
    expect((await rig.rest('DELETE', `/sip/trunks/${spare.id}`)).status).toBe(409);
  });

  it('is refused when Kamailio could not be given it, or its number rings nobody', async () => {
    const base = { name: 'A', host: 'sip.example', kind: 'register', username: 'box', uses: ['calls'] };
    const ask = (change: Record<string, unknown>) => rig.rest('POST', '/sip/trunks', { ...base, ...change });
    expect(detailOf((await ask({ password: 'a;b' })).body)).toMatch(/must not hold/);
    const numbers = [{ number: '+15550100', extension: '2999' }];
    expect(detailOf((await ask({ numbers })).body)).toMatch(/2999, which nobody has/);
    expect((await ask({ host: 'bad host' })).status).toBe(400);
  });

  it('is tried step by step, without a call', async () => {
    const trunk = await add({ name: 'Local', host: '127.0.0.1', port });
    const { body } = await rig.rest('POST', `/sip/trunks/${trunk.id}/test`);
    expect(body).toEqual({
      steps: [
        { what: 'Host name', ok: true, detail: '127.0.0.1 is an address' },
        { what: 'Answers OPTIONS', ok: true, detail: 'It answers 200 OK' },
        { what: 'Addresses that its calls are known by', ok: true, detail: '127.0.0.1' },
      ],
    });
    const { state: _state, ...rest } = trunk;
    const tcp = await put('PUT', `/sip/trunks/${trunk.id}`, { ...rest, transport: 'tcp' });
    expect((await rig.rest('POST', `/sip/trunks/${tcp.id}/test`)).body).toMatchObject({
      steps: [
        {},
        { what: 'TCP connection', ok: false, detail: `127.0.0.1 port ${port}: ECONNREFUSED` },
        {},
        {},
      ],
    });
    rig.kamailio.down = true;
    expect((await rig.rest('POST', `/sip/trunks/${tcp.id}/test`)).body).toMatchObject({
      steps: [{}, {}, { what: 'SIP server', ok: false }, {}],
    });
    rig.kamailio.down = false;
    await remove(tcp);
  });

  it('is told to core when it is lost, once, over a restart too, and once more when it is back', async () => {
    const trunk = await add({ name: 'Fibre', host: '127.0.0.1', port });
    const told = (): string[] =>
      rig.core.events
        .filter(({ data }) => data['trunk'] === 'Fibre')
        .map(({ type, data }) => `${type}: ${String(data['reason'])}`);
    const report = (state: 'up' | 'down'): void =>
      rig.kamailio.report({ kind: 'trunk', at_ms: 1, trunk: trunk.id, state });
    listening = { [trunk.id]: false };
    report('down');
    await waitFor('core hears of the loss', () => told().length === 1, 30_000);
    expect(await stateOf(trunk.id)).toMatchObject({ reachable: false, registered: null });
    await rig.restart();
    await waitFor('it is looked at anew', async () => (await stateOf(trunk.id))?.reachable === false, 30_000);
    listening = { [trunk.id]: true };
    report('up');
    await waitFor('core hears that it is back', () => told().length === 2, 30_000);
    expect(told()).toEqual(['phone.trunk_lost: Does not answer OPTIONS', 'phone.trunk_restored: Answers']);
    listening = {};
    await remove(trunk);
  });
});

describe('the number plan', () => {
  it('is that of a country until somebody changes it, with the revision that was read', async () => {
    const { body } = await rig.rest('GET', '/sip/plan');
    const plan = body as NumberPlan;
    expect(plan).toMatchObject({ country: 'US', outside_prefixes: ['9'], revision: 0 });
    const next = { ...plan, area_code: '212', outside_prefixes: ['9', '8'] };
    expect((await rig.rest('PUT', '/sip/plan', next)).body).toMatchObject({ revision: 1 });
    expect((await rig.rest('PUT', '/sip/plan', next)).status).toBe(409);
    await rig.published();
    expect(rig.table('setting')).toMatchObject({
      area_code: '212',
      outside_prefixes: '9,8',
      country_code: '1',
    });
    expect(rig.table('emergency')).toMatchObject({
      '911': 'to=911;mode=emergency',
      '9911': 'to=911;mode=emergency',
      '8911': 'to=911;mode=emergency',
      '112': 'to=911;mode=emergency',
      '933': 'to=933;mode=test',
      '*911': 'to=911;mode=drill',
    });
    expect(rig.table('prefix')).toMatchObject({
      own: 'national',
      any: 'international',
      '1212': 'local',
      '1900': 'premium',
    });
  });

  it('is refused where a number of ours would hide an emergency number, with the reason', async () => {
    const made = await rig.rest('POST', '/sip/extensions', { number: '7911', name: 'Store', kind: 'phone' });
    expect(made.status).toBe(201);
    const plan = (await rig.rest('GET', '/sip/plan')).body as NumberPlan;
    const refused = await rig.rest('PUT', '/sip/plan', { ...plan, outside_prefixes: ['7'] });
    expect([refused.status, detailOf(refused.body)]).toEqual([
      422,
      expect.stringMatching(/Store has the number 7911: 7911 is dialled for help \(911\)/),
    ]);
    const desk = await rig.rest('PUT', '/sip/plan', { ...plan, desk: '4444' });
    expect(detailOf(desk.body)).toMatch(/nobody in the house has 4444/);
  });

  it('offers what a country begins with, to be saved or not', async () => {
    const { body } = await rig.rest('GET', '/sip/plan/defaults?country=AT');
    expect(body).toMatchObject({ country: 'AT', country_code: '43', national_prefix: '0', revision: 1 });
    expect((await rig.rest('GET', '/sip/plan/defaults?country=at')).status).toBe(400);
    expect((await rig.rest('GET', '/sip/plan')).body).toMatchObject({ country: 'US' });
  });

  it('explains what a dialled number leads to, for whoever asks or another number', async () => {
    const explain = async (dialled: string, from?: string) =>
      (await rig.rest('POST', '/sip/plan/explain', { dialled, ...(from ? { from } : {}) })).body;
    expect(await explain('8911')).toMatchObject({ kind: 'emergency', number: '911', allowed: true });
    expect(await explain('7911')).toMatchObject({ kind: 'internal', number: '7911' });
    expect(await explain('95550100', '7911')).toMatchObject({
      kind: 'outside',
      number: '+12125550100',
      class: 'local',
      allowed: false,
    });
  });
});
