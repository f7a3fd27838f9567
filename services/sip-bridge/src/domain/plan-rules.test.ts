import { ExtensionInput, TrunkInput } from '@siphera/contract';
import { fakeRandom } from '@siphera/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlannedExtension, PlannedTrunk } from '../plan.part.ts';
import {
  ha1Of,
  missingOf,
  newAuthUsername,
  newSecret,
  nextFreeNumber,
  ofItsKind,
  usesOfNumber,
} from './extensions.ts';
import { defaultPlan, planFaults } from './number-plan.ts';
import { dispatcherLines } from './plan-merge.ts';
import { planTables } from './plan-tables.ts';
import { classesOfExtension } from './role-classes.ts';
import { softphoneCredential } from './softphone.ts';
import { contactsOf, destinationsOf, keysOf, registrationsOf } from './switch-dumps.ts';
import { destinationHosts, numberDispute, trunkFault, trunkTables } from './trunk.ts';

const id = (n: number): string => `0192f000-0000-7000-8000-00000000000${n}`;
const extension = (change: Partial<PlannedExtension> & { number: string }): PlannedExtension => ({
  ...ExtensionInput.parse({ kind: 'phone', name: `Phone ${change.number}`, ...change }),
  id: id(1),
  org_id: id(9),
  revision: 1,
  auth_username: `ph-${change.number}`,
  has_secret: true,
  ...change,
});
const trunk = (change: Record<string, unknown> = {}): PlannedTrunk => ({
  ...TrunkInput.parse({ name: 'Main', host: 'sip.example', kind: 'address', uses: ['calls'], ...change }),
  id: id(2),
  org_id: id(9),
  revision: 1,
  has_password: false,
});
const person = (role: 'guard' | 'admin', change: { active?: boolean; on_duty?: boolean } = {}) => ({
  id: id(3),
  org_id: id(9),
  name: 'Grace',
  active: true,
  on_duty: false,
  roles: [{ role, scope: `org:${id(9)}`, scope_name: 'All' }],
  site_ids: [],
  grants: [],
  ...change,
});
const plan = defaultPlan('US');

describe('numbers of the house', () => {
  it('drop what belongs to another kind', () => {
    const input = ExtensionInput.parse({
      ...{ number: '201', kind: 'door', name: 'Gate', user_id: id(3), members: ['202'], duty: true },
      ...{ camera_id: id(4), rings: '600', open_digit: '9' },
    });
    expect(ofItsKind(input)).toMatchObject({
      user_id: null,
      members: [],
      duty: false,
      rings: '600',
      open_digit: '9',
    });
    expect(ofItsKind({ ...input, kind: 'phone' })).toMatchObject({
      rings: null,
      open_digit: null,
      camera_id: null,
    });
  });

  it('tell who rings them, and what is missing', () => {
    const others = [
      extension({ number: '600', kind: 'group', name: 'Crew', members: ['201'] }),
      extension({ number: '300', kind: 'door', name: 'Gate', rings: '201', fallback: '201' }),
    ];
    const trunks = [trunk({ numbers: [{ number: '+15550100', extension: '201' }] })];
    expect(usesOfNumber('201', { desk: '201' }, others, trunks)).toHaveLength(5);
    expect(usesOfNumber('202', { desk: '201' }, others, trunks)).toEqual([]);
    const input = ExtensionInput.parse({
      number: '201',
      kind: 'group',
      name: 'A',
      members: ['201', '7'.repeat(3)],
    });
    expect(missingOf(input, new Set(['201']), new Set())).toEqual([
      'members: nobody in the house has 777.',
      '201 cannot ring itself.',
    ]);
  });

  it('are given in turn, past those that are taken or dialled for help', () => {
    const range = { first: 9_110, last: 9_113 };
    const nine = { country: 'US', outside_prefixes: ['9'], emergency_numbers: [] };
    expect(nextFreeNumber(range, new Set(['9110']), nine)).toBe('9111');
    expect(nextFreeNumber({ first: 9_112, last: 9_113 }, new Set(), nine)).toBe('9113');
    expect(nextFreeNumber({ first: 911, last: 911 }, new Set(), nine)).toBeUndefined();
  });

  it('have secrets that can be typed and not guessed', () => {
    const random = fakeRandom(7);
    const made = new Set(Array.from({ length: 200 }, () => newSecret(random)));
    expect(made.size).toBe(200);
    for (const secret of made) expect(secret).toMatch(/^[a-km-np-z2-9]{20}$/);
    expect(newAuthUsername(random)).toMatch(/^ph-[a-km-np-z2-9]{8}$/);
    // RFC 2617 §3.5.
    expect(ha1Of('Mufasa', 'testrealm@host.com', 'Circle Of Life')).toBe('939e7578ed9e3c518a452acee763bce9');
  });
});

describe('what may be dialled', () => {
  it('follows from roles, unless the number says otherwise', () => {
    const user = extension({ number: '2001', kind: 'user', user_id: id(3) });
    expect(classesOfExtension(plan, user, person('guard'))).toEqual(['internal', 'local']);
    expect(classesOfExtension(plan, user, person('admin'))).toEqual([
      'internal',
      'local',
      'national',
      'international',
    ]);
    expect(classesOfExtension(plan, { ...user, classes: ['premium'] }, person('guard'))).toEqual([
      'internal',
      'premium',
    ]);
    expect(
      classesOfExtension(plan, { ...user, classes: ['premium'] }, person('guard', { active: false })),
    ).toEqual(['internal']);
    expect(classesOfExtension(plan, extension({ number: '201' }), undefined)).toEqual(['internal']);
  });

  it('is refused as a plan that contradicts itself', () => {
    const faults = planFaults({
      ...plan,
      outside_prefixes: ['9', '9'],
      emergency_numbers: [{ dialled: '911', number: '110' }],
      prefixes: [
        { prefix: '1', class: 'local' },
        { prefix: '1', class: 'premium' },
      ],
    });
    expect(faults.join(' ')).toMatch(/twice.*two classes.*911 already reaches 911/);
    expect(planFaults(plan)).toEqual([]);
  });
});

describe('tables of numbers', () => {
  const made = (change: Partial<Parameters<typeof planTables>[0]> = {}) =>
    planTables({
      plan: { ...plan, outside_number: '+15550100', desk: '201' },
      extensions: [
        extension({ number: '201', outside_number: '+15550111' }),
        extension({ number: '2001', id: id(5), kind: 'user', user_id: id(3) }),
        extension({ number: '600', id: id(6), kind: 'group', duty: true, members: ['201', '999'] }),
      ],
      accounts: [
        { extensionId: id(1), authUsername: 'ph-a', ha1: 'f'.repeat(32) },
        { extensionId: id(5), authUsername: 'ph-b', ha1: 'e'.repeat(32) },
      ],
      person: () => person('guard', { on_duty: true }),
      locate: ({ number }) => (number === '201' ? { loc: id(7), by: 'area' } : undefined),
      outsideNumbers: new Set(['+15550100']),
      ...change,
    }).tables ?? {};

  it('show outside a number that rings here, and place the phone', () => {
    const { number, setting } = made();
    expect(number?.['201']).toContain(`;loc=${id(7)};locby=area;ring=30`);
    expect(number?.['201']).not.toContain('out=');
    expect(setting).toMatchObject({ out: '+15550100', desk: '201', outside_prefixes: '9', calls_max: '50' });
    expect(made({ outsideNumbers: new Set() }).setting).not.toHaveProperty('out');
  });

  it('ring whoever is on duty, and let nobody sign in who has left', () => {
    expect(made().member).toEqual({ '600': '201 2001' });
    expect(Object.keys(made().account ?? {})).toEqual(['ph-a', 'ph-b']);
    const left = made({ person: () => person('guard', { active: false, on_duty: true }) });
    expect(left.member).toEqual({ '600': '201' });
    expect(Object.keys(left.account ?? {})).toEqual(['ph-a']);
  });
});

describe('trunks', () => {
  it('go to the addresses their name last had, except by TLS, and higher is first', () => {
    const one = trunk({ uses: ['calls', 'emergency'], priority: 10, transport: 'tcp' });
    const { destinations, addresses, registrations } = trunkTables([
      { trunk: one, password: '', resolved: ['192.0.2.7', '2001:db8::7'] },
    ]);
    expect(destinations?.map(({ set, uri, priority }) => `${set} ${uri} ${priority}`)).toEqual([
      '1 sip:192.0.2.7:5060;transport=tcp 90',
      '2 sip:192.0.2.7:5060;transport=tcp 90',
    ]);
    expect(addresses?.map(({ network, tag }) => `${network} ${tag}`)).toEqual([
      `192.0.2.7 ${id(2)}`,
      `2001:db8::7 ${id(2)}`,
    ]);
    expect(registrations).toEqual([]);
    expect(destinationHosts(one, ['2001:db8::7'])).toEqual(['2001:db8::7']);
    expect(destinationHosts(trunk({ transport: 'tls' }), ['192.0.2.7'])).toEqual(['sip.example']);
    expect(destinationHosts(trunk({ host: '[2001:db8::1]' }), ['192.0.2.7'])).toEqual(['[2001:db8::1]']);
  });

  it('are in no table when they are switched off', () => {
    const off = trunk({
      enabled: false,
      kind: 'register',
      username: 'box',
      numbers: [{ number: '+15550100', extension: '201' }],
    });
    expect(trunkTables([{ trunk: off, password: 'x', resolved: [] }])).toEqual({
      tables: { trunk: {}, did: {} },
      addresses: [],
      destinations: [],
      registrations: [],
    });
  });

  it('are refused when Kamailio could not be given them', () => {
    const base = TrunkInput.parse({
      name: 'A',
      host: 'sip.example',
      kind: 'register',
      username: 'box',
      uses: ['calls'],
    });
    expect(trunkFault({ ...base, password: 'good' })).toBeUndefined();
    expect(trunkFault({ ...base, password: 'a;b' })).toMatch(/must not hold/);
    expect(trunkFault({ ...base, username: '' })).toMatch(/needs the username/);
    const number = { number: '+15550100', extension: '201' };
    expect(trunkFault({ ...base, numbers: [number, number] })).toMatch(/twice/);
    expect(
      numberDispute(trunk({ numbers: [number] }), [trunk({ numbers: [{ ...number, extension: '202' }] })]),
    ).toMatch(/rings 202 by the trunk Main/);
    expect(numberDispute(trunk({ numbers: [number] }), [trunk({ numbers: [number] })])).toBeUndefined();
  });
});

describe('what is let in', () => {
  it('never keeps the plan from being made', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 60 });
    fc.assert(
      fc.property(text, text, text, (name, username, password) => {
        const parsed = TrunkInput.safeParse({
          ...{ name, host: 'sip.example', kind: 'register', username, uses: ['calls', 'emergency'] },
        });
        if (!parsed.success || trunkFault({ ...parsed.data, password }) !== undefined) return;
        const made = { ...trunk(), ...parsed.data };
        const { tables } = trunkTables([{ trunk: made, password, resolved: [] }]);
        expect(tables?.trunk?.[id(2)]?.split(';').length).toBeLessThanOrEqual(6);
        expect(dispatcherLines(trunkTables([{ trunk: made, password, resolved: [] }]) as never)).toHaveLength(
          2,
        );
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(text, (name) => {
        const parsed = ExtensionInput.safeParse({ number: '201', kind: 'phone', name });
        if (!parsed.success) return;
        const one = extension({ ...parsed.data });
        const input = { plan, extensions: [one], accounts: [], person: () => undefined };
        const { tables } = planTables({ ...input, locate: () => undefined, outsideNumbers: new Set() });
        expect(tables?.number?.['201']).toMatch(
          /^kind=phone;classes=internal;cap=100;ring=30(;name=[^;=]+)?$/,
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('credentials of softphones', () => {
  it('are what auth_ephemeral takes, for an hour, and later than those that are refused', () => {
    const made = softphoneCredential('secret', '2001', 1_000_000);
    expect(made).toMatchObject({ username: '4600:2001', expiresSeconds: 4_600 });
    // printf '4600:2001' | openssl dgst -sha1 -hmac secret -binary | base64
    expect(made.password).toMatch(/^[A-Za-z0-9+/]{27}=$/);
    expect(softphoneCredential('secret', '2001', 1_000_000, 4_600).expiresSeconds).toBe(4_601);
  });
});

describe('what Kamailio says of its state', () => {
  it('is read, whatever else is in it', () => {
    const contact = (change: object) => ({
      Contact: {
        Address: 'sip:201@10.0.0.5:5060',
        Expires: 90,
        Socket: 'udp:10.0.0.1:5060',
        New: 1,
        ...change,
      },
    });
    const Contacts = [
      contact({}),
      contact({
        Address: 'sip:x@y.invalid;transport=ws',
        Received: 'sip:10.0.0.9:4711;transport=ws',
        'User-Agent': 'JsSIP',
      }),
      contact({ Expires: 'expired' }),
    ];
    const dump = { Domains: [{ Domain: { AoRs: [{ Info: { AoR: '201@box', Contacts } }] } }] };
    expect(
      contactsOf(dump).map(({ number, address, transport }) => ({ number, address, transport })),
    ).toEqual([
      { number: '201', address: '10.0.0.5:5060', transport: 'udp' },
      { number: '201', address: '10.0.0.9:4711', transport: 'ws' },
    ]);
    expect(() => contactsOf({})).toThrow();
    const DEST = { URI: 'sip:a', FLAGS: 'IP', ATTRS: { BODY: 'trunk=t1;style=none' } };
    const SET = { ID: 2, TARGETS: [{ DEST }, { DEST: { ...DEST, FLAGS: 'AX', ATTRS: null } }] };
    expect(destinationsOf({ NRSETS: 1, RECORDS: [{ SET }] })).toEqual([
      { set: 2, uri: 'sip:a', trunk: 't1', isUp: false, isProbed: true },
      { set: 2, uri: 'sip:a', trunk: '', isUp: true, isProbed: false },
    ]);
    const record = { l_uuid: 't1', flags: 20, auth_password: 'secret' };
    expect([...registrationsOf([record, { ...record, l_uuid: 't2', flags: 18 }])]).toEqual([
      ['t1', true],
      ['t2', false],
    ]);
    expect(keysOf([{ entry: 1, size: 1, slot: [{ name: '10.0.0.1', value: 1, type: 'int' }] }])).toEqual([
      '10.0.0.1',
    ]);
  });
});
