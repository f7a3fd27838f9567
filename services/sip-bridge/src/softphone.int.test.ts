/** Softphones and who is there: credentials that end with the session, the phone book, phones that vanish, who is shut out. */
import { createHmac } from 'node:crypto';
import type { InternalPerson, PhoneBookEntry, PhoneHealth, Softphone } from '@siphera/contract';
import { AppError, systemClock, systemRandom, toRfc3339, type Clock } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  office,
  sipDomain,
  sipSecret,
  startBridgeRig,
  testOrg,
  testSite,
  type BridgeRig,
} from './testing/bridge-rig.ts';

let rig: BridgeRig;
let ahead = 0;
const clock: Clock = {
  now: () => systemClock.now() + ahead,
  monotonic: () => systemClock.monotonic() + ahead,
};
let grace: InternalPerson;
let ada: InternalPerson;
const sid = systemRandom.uuid();

/** What is registered, as Kamailio would dump it. */
let registered: { number: string; uri: string; received?: string; expires?: number }[] = [];
const contact = ({ uri, received, expires = 60 }: (typeof registered)[number]) => ({
  Contact: {
    Address: uri,
    Expires: expires,
    'User-Agent': 'Tester',
    Received: received ?? '[not set]',
    Socket: 'udp:127.0.0.1:5060',
  },
});
const say = (number: string, state: 'registered' | 'expired'): void =>
  rig.kamailio.report({ kind: 'registration', at_ms: clock.now(), number, state });

beforeAll(async () => {
  rig = await startBridgeRig({
    clock,
    before: ({ directory }, kamailio) => {
      const scope = `site:${testSite}`;
      ada = directory.addPerson(testOrg, 'Ada', 'admin');
      grace = directory.addPerson(testOrg, 'Grace', 'guard', {
        roles: [{ role: 'guard', scope, scope_name: 'Head office' }],
      });
      kamailio.answers.set('ul.dump', () => ({
        Domains: [
          {
            Domain: {
              AoRs: [...Map.groupBy(registered, ({ number }) => number)].map(([AoR, list]) => ({
                Info: { AoR, Contacts: list.map(contact) },
              })),
            },
          },
        ],
      }));
      kamailio.answers.set('ul.rm_contact', ([, number, uri]) => {
        registered = registered.filter((one) => one.number !== number || one.uri !== uri);
        return {};
      });
    },
  });
});
afterAll(() => rig.stop());

const asGrace = (session = sid) => ({
  as: [{ permissions: ['phone.use' as const, 'phone.read' as const], scope: `site:${testSite}` }],
  sub: grace.id,
  sid: session,
  name: 'Grace',
});
async function softphone(session = sid): Promise<Softphone> {
  const { status, body } = await rig.rest('GET', '/sip/softphone', undefined, asGrace(session));
  expect({ status, body }).toMatchObject({ status: 200 });
  return body as Softphone;
}
const book = async (): Promise<PhoneBookEntry[]> =>
  ((await rig.rest('GET', '/sip/phone-book', undefined, asGrace())).body as { items: PhoneBookEntry[] })
    .items;
const entry = async (number: string) => (await book()).find((one) => one.number === number);
const expiryOf = ({ username }: Softphone): number => Number(username.split(':')[0]);

describe('a softphone', () => {
  it('has a number of its own by itself, and credentials that end within the hour', async () => {
    const made = await softphone();
    expect(made).toMatchObject({
      number: '2000',
      name: 'Grace',
      uri: `sip:2000@${sipDomain}`,
      websocket_url: 'wss://siphera.local/sip',
      classes: ['internal', 'local'],
    });
    expect(made.username).toMatch(/^\d+:2000$/);
    expect(made.password).toBe(createHmac('sha1', sipSecret).update(made.username).digest('base64'));
    const life = expiryOf(made) * 1_000 - clock.now();
    expect(life).toBeGreaterThan(3_500_000);
    expect(life).toBeLessThanOrEqual(3_600_000);
    expect((await softphone()).number).toBe('2000');
    await rig.published();
    expect(rig.table('number')['2000']).toMatch(/^kind=user;classes=internal,local;.*name=Grace$/);
  });

  it('is for people who may use phones', async () => {
    const key = await rig.rest('GET', '/sip/softphone', undefined, { ...asGrace(), kind: 'api_key' });
    expect(key.status).toBe(403);
    const viewer = await rig.rest('GET', '/sip/softphone', undefined, { ...asGrace(), as: 'viewer' });
    expect(viewer.status).toBe(403);
    const stranger = { ...asGrace(), sub: systemRandom.uuid() };
    expect((await rig.rest('GET', '/sip/softphone', undefined, stranger)).status).toBe(503);
  });

  it('ends with its session: Kamailio refuses what it had, and what is registered goes; a desk phone stays', async () => {
    const made = await softphone();
    registered = [
      { number: '2000', uri: 'sip:a@b.invalid;transport=ws', received: 'sip:127.0.0.1:4711;transport=ws' },
      { number: '2000', uri: 'sip:2000@10.0.0.5:5060' },
    ];
    rig.core.tell({
      kind: 'revocation',
      action: 'created',
      id: sid,
      audience: 'identity.read',
      scopes: [`org:${testOrg}`],
      data: { sid, reason: 'signed out', expires_at: toRfc3339(clock.now() + 600_000) },
    });
    await waitFor('its registration is removed', () => registered.length === 1, 30_000);
    expect(registered[0]?.uri).toBe('sip:2000@10.0.0.5:5060');
    expect(rig.kamailio.count('htable.seti', ['revoked', '2000', expiryOf(made)])).toBeGreaterThan(0);
    const next = await softphone(systemRandom.uuid());
    expect(expiryOf(next)).toBeGreaterThan(expiryOf(made));
  });

  it('is refused over a restart of the bridge too, and of Kamailio', async () => {
    rig.kamailio.calls.length = 0;
    await rig.restart();
    await waitFor('Kamailio is told again', () => rig.kamailio.count('htable.seti') > 0, 30_000);
    rig.kamailio.calls.length = 0;
    const start = systemClock.monotonic();
    rig.kamailio.comeBack();
    await waitFor('Kamailio is told at once', () => rig.kamailio.count('htable.seti') > 0, 30_000);
    // Not by the look that comes every 15 s anyway.
    expect(systemClock.monotonic() - start).toBeLessThan(10_000);
  });
});

describe('the phone book', () => {
  it('shows who is there and who talks', async () => {
    registered = [{ number: '2000', uri: 'sip:2000@10.0.0.5:5060' }];
    say('2000', 'registered');
    await waitFor('she is there', async () => (await entry('2000'))?.registered, 30_000);
    expect(await entry('2000')).toMatchObject({
      name: 'Grace',
      kind: 'user',
      user_id: grace.id,
      busy: false,
    });
    const call = { kind: 'call' as const, at_ms: clock.now(), call: 'c1', from: '2000', to: '300' };
    rig.kamailio.report({ ...call, state: 'dialled' });
    expect(await entry('2000')).toMatchObject({ busy: true });
    rig.kamailio.report({ ...call, state: 'ended' });
    expect(await entry('2000')).toMatchObject({ busy: false });
    registered = [];
    say('2000', 'expired');
    await waitFor('she is gone', async () => (await entry('2000'))?.registered === false, 30_000);
  });

  it('keeps who has left out', async () => {
    const { body } = await rig.rest('POST', '/sip/extensions', {
      number: '2500',
      name: 'Ada',
      kind: 'user',
      user_id: ada.id,
    });
    expect(body).toMatchObject({ secret: null });
    expect(await entry('2500')).toBeDefined();
    rig.core.directory.changePerson(ada.id, { active: false });
    await waitFor('she is out', async () => (await entry('2500')) === undefined, 30_000);
  });
});

describe('how phones are', () => {
  it('says what stands in the way of calls, and lets an address in again', async () => {
    rig.kamailio.answers.set('htable.dump', () => [
      { entry: 1, size: 1, slot: [{ name: '10.0.0.66', value: 1 }] },
    ]);
    rig.kamailio.report({
      kind: 'shut_out',
      at_ms: clock.now(),
      source: '10.0.0.66',
      reason: 'scanner',
      banned_s: 600,
    });
    const health = async (): Promise<PhoneHealth> =>
      (await rig.rest('GET', '/sip/health')).body as PhoneHealth;
    await rig.published();
    expect(await health()).toMatchObject({
      sip: true,
      relays: [
        { name: 'a', up: false, calls: 0 },
        { name: 'b', up: false, calls: 0 },
      ],
      banned: [{ address: '10.0.0.66', reason: 'scanner' }],
      plan_applied: true,
    });
    rig.kamailio.answers.set('htable.delete', ([table]) => {
      if (table === 'offence') throw new AppError('unprocessable', 'Key not found');
      return {};
    });
    expect((await rig.rest('POST', '/sip/bans/lift', { address: '10.0.0.66' })).status).toBe(204);
    expect(rig.kamailio.count('htable.delete', ['ban', '10.0.0.66'])).toBe(1);
    await waitFor(
      'core has the audit row',
      () => rig.core.audits.some(({ action }) => action === 'phone.ban.lift'),
      30_000,
    );
    rig.kamailio.down = true;
    expect(await health()).toMatchObject({ sip: false, banned: [] });
    rig.kamailio.down = false;
  });
});

describe('a desk phone', () => {
  it('that vanishes is told to core after two of its expiries, once, and once more when it is back', async () => {
    const { body } = await rig.rest('POST', '/sip/extensions', {
      number: '301',
      name: 'Gate',
      kind: 'phone',
      area_id: office,
    });
    expect(body).toMatchObject({ extension: { number: '301' } });
    const told = () => rig.core.events.filter(({ type }) => type.startsWith('phone.registration'));
    const readings = async (): Promise<void> => {
      const before = rig.kamailio.count('ul.dump');
      say('301', 'registered');
      await waitFor('contacts are read', () => rig.kamailio.count('ul.dump') > before, 30_000);
    };
    registered = [{ number: '301', uri: 'sip:301@10.0.0.7:5060', expires: 120 }];
    await readings();
    registered = [];
    ahead += 200_000;
    await readings();
    await readings();
    expect(told()).toEqual([]);
    ahead += 60_000;
    await readings();
    await waitFor('core hears of it', () => told().length === 1, 30_000);
    await readings();
    registered = [{ number: '301', uri: 'sip:301@10.0.0.7:5060', expires: 120 }];
    await readings();
    await waitFor('core hears that it is back', () => told().length === 2, 30_000);
    expect(told().map(({ type, data, areaid }) => ({ type, data, areaid }))).toEqual([
      { type: 'phone.registration_lost', data: { note: '301, Gate' }, areaid: office },
      { type: 'phone.registration_restored', data: { note: '301, Gate' }, areaid: office },
    ]);
  });
});
