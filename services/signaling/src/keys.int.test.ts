/** Public keys: one-time keys that are given out once, fallback keys, identities and signatures over them. */
import { TalkOpened } from '@siphera/contract';
import { waitFor } from '@siphera/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  okOf,
  startTalkRig,
  type RestAnswer,
  type TalkRig,
  type TestDevice,
  type TestUser,
} from './testing/talk-rig.ts';
import {
  makeIdentity,
  makeOneTimeKeys,
  makePair,
  signed,
  type Identity,
  type SigningPair,
} from './testing/test-keys.ts';

let rig: TalkRig;
beforeAll(async () => {
  rig = await startTalkRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

const codeOf = (answer: RestAnswer): unknown => (answer.body as { code?: string }).code;
type Keys = Record<string, Record<string, Record<string, { key: string; fallback?: boolean }>>>;
const claim = async (by: TestUser, device: TestDevice): Promise<[string, { key: string }] | undefined> => {
  const body = { one_time_keys: { [device.user.talkId]: { [device.id]: 'signed_curve25519' } } };
  const { one_time_keys: keys } = okOf(await by.call('claimKeys', { body })) as { one_time_keys: Keys };
  return Object.entries(keys[device.user.talkId]?.[device.id] ?? {})[0];
};
const upload = (device: TestDevice, body: Record<string, unknown>, as = device.user) =>
  as.call('uploadKeys', { body: { device_id: device.id, ...body } });
const otk = (device: TestDevice, ids: string[], pair: SigningPair = device.pair) =>
  makeOneTimeKeys(device.user.talkId, device.id, pair, ids);

describe('one-time keys', () => {
  it('are given out once each, then the fallback key again and again, and their device is told', async () => {
    const [alice, bob] = [await (await rig.user()).device(), await (await rig.user()).device()];
    using queue = await bob.open();
    expect(queue.batches[0]).toMatchObject({
      one_time_key_counts: { signed_curve25519: 3 },
      unused_fallback_key_types: ['signed_curve25519'],
    });
    const given = [];
    for (let n = 0; n < 5; n += 1) given.push((await claim(alice.user, bob))?.[0]);
    expect(given).toEqual([
      'signed_curve25519:AAAAAQ',
      'signed_curve25519:AAAAAg',
      'signed_curve25519:AAAAAw',
      'signed_curve25519:AAAABA',
      'signed_curve25519:AAAABA',
    ]);
    await waitFor('bob to be told', () =>
      queue.batches.some(
        (batch) =>
          batch.one_time_key_counts['signed_curve25519'] === 0 &&
          batch.unused_fallback_key_types.length === 0,
      ),
    );
  });

  it('are never given out twice when many ask at once', async () => {
    const bob = await (await rig.user()).device();
    okOf(await upload(bob, { one_time_keys: otk(bob, ['B1', 'B2', 'B3', 'B4', 'B5']) }));
    const askers = await Promise.all([1, 2, 3, 4].map(async () => (await rig.user()).device()));
    const given = await Promise.all(askers.flatMap(({ user }) => [claim(user, bob), claim(user, bob)]));
    expect(new Set(given.map((key) => key?.[0])).size).toBe(8);
  });

  it('are not taken in again once they were given out', async () => {
    const [alice, bob] = [await (await rig.user()).device(), await (await rig.user()).device()];
    const keys = otk(bob, ['CCCCAQ']);
    okOf(await upload(bob, { one_time_keys: keys }));
    for (let n = 0; n < 4; n += 1) await claim(alice.user, bob);
    expect(await upload(bob, { one_time_keys: keys })).toMatchObject({
      status: 200,
      body: { one_time_key_counts: { signed_curve25519: 0 } },
    });
    expect((await claim(alice.user, bob))?.[0]).toBe('signed_curve25519:AAAABA');
    expect(codeOf(await upload(bob, { one_time_keys: otk(bob, ['CCCCAQ']) }))).toBe('duplicate');
  });

  it('must be signed by the device, at most a hundred, and come from its own session', async () => {
    const bob = await (await rig.user()).device();
    const forged = otk(bob, ['DDDDAQ'], makePair());
    expect(codeOf(await upload(bob, { one_time_keys: forged }))).toBe('validation_failed');
    expect(codeOf(await upload(bob, { fallback_keys: otk(bob, ['DDDDAQ']) }))).toBe('validation_failed');
    const many = otk(
      bob,
      Array.from({ length: 98 }, (_, n) => `E${n}`),
    );
    expect(codeOf(await upload(bob, { one_time_keys: many }))).toBe('unprocessable');
    const thief = await bob.user.session();
    expect(codeOf(await upload(bob, { one_time_keys: otk(bob, ['F1']) }, thief))).toBe('forbidden');
    expect(await upload(bob, {})).toMatchObject({ body: { one_time_key_counts: { signed_curve25519: 3 } } });
  });

  it('are given to sessions that are a device alone', async () => {
    const bob = await (await rig.user()).device();
    const nobody = await rig.user();
    const body = { one_time_keys: { [bob.user.talkId]: { [bob.id]: 'signed_curve25519' } } };
    expect(codeOf(await nobody.call('claimKeys', { body }))).toBe('forbidden');
  });

  it('of devices that are not there are left out of the answer', async () => {
    const [alice, bob] = [await (await rig.user()).device(), await rig.user()];
    const body = { one_time_keys: { [bob.talkId]: { ABCDEFGHIJ: 'signed_curve25519' } } };
    expect(okOf(await alice.user.call('claimKeys', { body }))).toEqual({ one_time_keys: {}, failures: {} });
  });
});

describe('hostile bodies', () => {
  it('are refused in words and change nothing', async () => {
    const bob = await (await rig.user()).device();
    const good = otk(bob, ['G1']);
    const json = fc.jsonValue({ maxDepth: 4 });
    const bodies = fc.oneof(
      json,
      fc.record({ device_id: fc.constant(bob.id), one_time_keys: json }),
      fc.record({ device_id: fc.constant(bob.id), device_keys: json, fallback_keys: json }),
      fc.record({
        device_id: fc.constant(bob.id),
        one_time_keys: fc.dictionary(fc.constant('signed_curve25519:G1'), json),
      }),
      fc.record({
        device_id: fc.constant(bob.id),
        one_time_keys: fc.record({
          'signed_curve25519:G1': fc.record({
            key: fc.string({ minLength: 43, maxLength: 43 }),
            signatures: fc.oneof(json, fc.constant(good['signed_curve25519:G1']?.signatures)),
            extra: json,
          }),
        }),
      }),
      fc.record({ device_keys: fc.dictionary(fc.constantFrom(bob.user.talkId, '@x:y', '__proto__'), json) }),
    );
    await fc.assert(
      fc.asyncProperty(bodies, fc.constantFrom('uploadKeys', 'queryKeys'), async (body, route) => {
        const answer = await bob.user.call(route, { body });
        if (answer.status === 429) return;
        expect(answer.status).toBeLessThan(500);
        expect([200, 400, 422, 403, 404, 409]).toContain(answer.status);
      }),
      { numRuns: 150 },
    );
    const counts = okOf(
      await (await rig.user()).call('queryKeys', { body: { device_keys: { [bob.user.talkId]: [] } } }),
    ) as { device_keys: Record<string, Record<string, unknown>> };
    expect(Object.keys(counts.device_keys[bob.user.talkId] ?? {})).toEqual([bob.id]);
  });
});

type Queried = Record<
  'device_keys' | 'master_keys' | 'self_signing_keys' | 'user_signing_keys',
  Record<string, { signatures?: Record<string, Record<string, string>> } & Record<string, unknown>>
> & { upto: number };
const query = async (by: TestUser, of: TestUser): Promise<Queried> =>
  okOf(await by.call('queryKeys', { body: { device_keys: { [of.talkId]: [] } } })) as Queried;

/** A device whose owner has an identity. */
async function withIdentity(password?: string): Promise<{ device: TestDevice; identity: Identity }> {
  const user = await rig.user(password === undefined ? {} : { password });
  const device = await user.device();
  const identity = makeIdentity(user.talkId);
  okOf(await user.call('uploadSigningKeys', { body: identity.body }));
  return { device, identity };
}

describe('an identity', () => {
  it('is published by an attached session, and all but the user-signing key is seen by others', async () => {
    const { device, identity } = await withIdentity();
    const other = await rig.user();
    const seen = await query(other, device.user);
    expect(seen.master_keys[device.user.talkId]).toEqual(identity.body.master_key);
    expect(seen.self_signing_keys[device.user.talkId]).toEqual(identity.body.self_signing_key);
    expect(seen.user_signing_keys).toEqual({});
    const own = await query(device.user, device.user);
    expect(own.user_signing_keys[device.user.talkId]).toEqual(identity.body.user_signing_key);
    expect(own.device_keys[device.user.talkId]?.[device.id]).toMatchObject({
      unsigned: { device_display_name: 'Phone' },
    });
    expect(seen.device_keys[device.user.talkId]?.[device.id]).not.toHaveProperty('unsigned');
    const thief = await device.user.session();
    const answer = await thief.call('uploadSigningKeys', { body: makeIdentity(device.user.talkId).body });
    expect(codeOf(answer)).toBe('forbidden');
  });

  it('is refused when its keys are not signed by its master key, are somebody else’s or are one key', async () => {
    const device = await (await rig.user()).device();
    const [mine, other] = [makeIdentity(device.user.talkId), makeIdentity(device.user.talkId)];
    const foreign = makeIdentity((await rig.user()).talkId);
    const { body } = mine;
    for (const bad of [
      { ...body, self_signing_key: other.body.self_signing_key },
      { ...body, user_signing_key: other.body.user_signing_key },
      { ...body, master_key: other.body.master_key },
      { ...body, self_signing_key: body.user_signing_key },
      foreign.body,
      { ...body, master_key: { ...body.master_key, keys: {} } },
    ])
      expect(codeOf(await device.user.call('uploadSigningKeys', { body: bad }))).toBe('validation_failed');
    expect((await query(device.user, device.user)).master_keys).toEqual({});
  });

  it('that stands is replaced only with the password, and the old signatures go', async () => {
    const { device, identity } = await withIdentity('the right password');
    const { user } = device;
    await signDevice(device, identity);
    okOf(await user.call('uploadSigningKeys', { body: identity.body }));
    const next = makeIdentity(user.talkId).body;
    const replace = (password?: string) =>
      user.call('uploadSigningKeys', {
        body: { ...next, ...(password === undefined ? {} : { reset: { password } }) },
      });
    expect((await replace()).body).toMatchObject({ code: 'forbidden', reason: 'password_needed' });
    expect(codeOf(await replace('a wrong one'))).toBe('bad_credentials');
    expect((await query(user, user)).master_keys[user.talkId]).toEqual(identity.body.master_key);
    expect((await replace('the right password')).status).toBe(204);
    const now = await query(user, user);
    expect(now.master_keys[user.talkId]).toEqual(next.master_key);
    const signatures = now.device_keys[user.talkId]?.[device.id] as { signatures: Record<string, object> };
    expect(Object.keys(signatures.signatures[user.talkId] ?? {})).toEqual([`ed25519:${device.id}`]);
  });
});

/** Signs the device with the identity and uploads that. */
async function signDevice(device: TestDevice, identity: Identity): Promise<unknown> {
  const { user } = device;
  const keys = (await query(user, user)).device_keys[user.talkId]?.[device.id] as Record<string, unknown>;
  const { publicKey } = identity.selfSigning;
  const object = signed(keys, user.talkId, `ed25519:${publicKey}`, identity.selfSigning);
  return okOf(await user.call('uploadSignatures', { body: { [user.talkId]: { [device.id]: object } } }));
}

describe('signatures', () => {
  it('over an own device by the self-signing key are seen by all, who are told', async () => {
    const { device, identity } = await withIdentity();
    const watcher = await (await rig.user()).device();
    using queue = await watcher.open();
    const before = queue.batches.length;
    expect(await signDevice(device, identity)).toEqual({ failures: {} });
    const seen = await query(watcher.user, device.user);
    const keys = seen.device_keys[device.user.talkId]?.[device.id] as {
      signatures: Record<string, Record<string, string>>;
    };
    expect(Object.keys(keys.signatures[device.user.talkId] ?? {}).sort()).toEqual(
      [`ed25519:${device.id}`, `ed25519:${identity.selfSigning.publicKey}`].sort(),
    );
    await waitFor('the watcher to be told', () =>
      queue.batches.slice(before).some((one) => one.device_lists.changed.includes(device.user.talkId)),
    );
  });

  it('over somebody else’s identity are seen by the signer alone, on all of his devices', async () => {
    const [alice, bob] = [await withIdentity(), await withIdentity()];
    const [{ user }, target] = [alice.device, bob.device.user];
    const sibling = await (await user.session()).device('Desk');
    const stranger = await (await rig.user()).device();
    using own = await sibling.open();
    using other = await stranger.open();
    const [ownBefore, otherBefore] = [own.batches.length, other.batches.length];
    const key = bob.identity.body.master_key;
    const keyId = `ed25519:${alice.identity.userSigning.publicKey}`;
    const object = signed(key, user.talkId, keyId, alice.identity.userSigning);
    const master = bob.identity.master.publicKey;
    const body = { [target.talkId]: { [master]: object } };
    expect(okOf(await user.call('uploadSignatures', { body }))).toEqual({ failures: {} });
    const mine = (await query(user, target)).master_keys[target.talkId];
    expect(mine?.signatures?.[user.talkId]).toEqual(object.signatures[user.talkId]);
    expect((await query(target, target)).master_keys[target.talkId]).toEqual(key);
    expect((await query(stranger.user, target)).master_keys[target.talkId]).toEqual(key);
    const told = (batches: typeof own.batches): boolean =>
      batches.some((batch) => batch.device_lists.changed.includes(target.talkId));
    await waitFor('the sibling to be told', () => told(own.batches.slice(ownBefore)));
    expect(told(other.batches.slice(otherBefore))).toBe(false);
  });

  it('over the own master key by a device are taken', async () => {
    const { device, identity } = await withIdentity();
    const { user, id, pair } = device;
    const object = signed(identity.body.master_key, user.talkId, `ed25519:${id}`, pair);
    const body = { [user.talkId]: { [identity.master.publicKey]: object } };
    expect(okOf(await user.call('uploadSignatures', { body }))).toEqual({ failures: {} });
    expect((await query(user, user)).master_keys[user.talkId]).toEqual(object);
  });

  it('that are forged or by the wrong key are named as failures and not kept', async () => {
    const [alice, bob] = [await withIdentity(), await withIdentity()];
    const { user, id } = alice.device;
    const target = bob.device.user;
    const key = bob.identity.body.master_key;
    const forger = makePair();
    const userSigning = `ed25519:${alice.identity.userSigning.publicKey}`;
    const bad = [
      { [target.talkId]: { [bob.identity.master.publicKey]: signed(key, user.talkId, userSigning, forger) } },
      {
        [target.talkId]: {
          [bob.device.id]: signed(key, user.talkId, userSigning, alice.identity.userSigning),
        },
      },
      {
        [user.talkId]: {
          [id]: signed({ a: 1 }, user.talkId, `ed25519:${alice.identity.selfSigning.publicKey}`, forger),
        },
      },
      // By the right key, over something else than the device.
      {
        [user.talkId]: {
          [id]: signed(
            { device_id: id, user_id: user.talkId },
            user.talkId,
            `ed25519:${alice.identity.selfSigning.publicKey}`,
            alice.identity.selfSigning,
          ),
        },
      },
      { [user.talkId]: { ABCDEFGHIJ: signed({ a: 1 }, user.talkId, 'ed25519:x', forger) } },
      {
        [target.talkId]: { [bob.identity.master.publicKey]: signed(key, target.talkId, userSigning, forger) },
      },
    ];
    for (const body of bad) {
      const { failures } = okOf(await user.call('uploadSignatures', { body })) as { failures: object };
      expect(Object.keys(failures)).toEqual(Object.keys(body));
    }
    expect((await query(user, target)).master_keys[target.talkId]).toEqual(key);
    const keys = (await query(user, user)).device_keys[user.talkId]?.[id] as {
      signatures: Record<string, object>;
    };
    expect(Object.keys(keys.signatures[user.talkId] ?? {})).toEqual([`ed25519:${id}`]);
  });
});

describe('a query', () => {
  it('answers with no devices for who has none, so that gone ones are noticed', async () => {
    const [alice, bob] = [await rig.user(), await rig.user()];
    const body = { name: 'Phone', kind: 'personal' };
    TalkOpened.parse(okOf(await bob.call('createTalkDevice', { body })));
    expect((await query(alice, bob)).device_keys).toEqual({ [bob.talkId]: {} });
  });
});
