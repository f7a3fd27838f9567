/** Devices of talk: made, proved, listed, removed; who may do what with which. */
import { internalPaths, TalkOpened, type TalkDevice } from '@siphera/contract';
import { systemRandom } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grant, orgScope } from './testing/feed-server.ts';
import { callTalk, okOf, startTalkRig, testOrg, type TalkRig } from './testing/talk-rig.ts';
import { makeDeviceKeys, makeIdentity, makePair, signed } from './testing/test-keys.ts';

let rig: TalkRig;
beforeAll(async () => {
  rig = await startTalkRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

type User = Awaited<ReturnType<TalkRig['user']>>;
const codeOf = (answer: { body: unknown }): unknown => (answer.body as { code?: string }).code;
const devicesOf = async (user: User, query = {}): Promise<TalkDevice[]> =>
  (okOf(await user.call('listTalkDevices', { query })) as { items: TalkDevice[] }).items;

describe('a device', () => {
  it('is made, proved, and listed as the one of this session', async () => {
    const guard = await rig.user();
    const device = await guard.device('Desk 2', 'shared');
    expect(device.id).toMatch(/^[A-Z]{10}$/);
    expect(Buffer.from(device.share, 'base64')).toHaveLength(32);
    const other = await guard.session();
    expect(await devicesOf(guard)).toMatchObject([
      { id: device.id, name: 'Desk 2', kind: 'shared', has_keys: true, current: true, online: false },
    ]);
    expect(await devicesOf(other)).toMatchObject([{ id: device.id, current: false }]);
    using _queue = await device.open();
    expect(await devicesOf(other)).toMatchObject([{ id: device.id, online: true }]);
  });

  it('gives the same half of the store key to each later session of its owner', async () => {
    const guard = await rig.user();
    const device = await guard.device();
    const later = await guard.session();
    const opened = TalkOpened.parse(okOf(await later.call('openTalkDevice', { params: { id: device.id } })));
    expect(opened).toMatchObject({ store_share: device.share, has_keys: true, user_id: guard.talkId });
  });

  it('is proved only by its own key over the challenge of this session', async () => {
    const guard = await rig.user();
    const device = await guard.device();
    const thief = await guard.session();
    const opened = TalkOpened.parse(okOf(await thief.call('openTalkDevice', { params: { id: device.id } })));
    const mine = TalkOpened.parse(okOf(await guard.call('openTalkDevice', { params: { id: device.id } })));
    const attach = (challenge: string, signature: string) =>
      thief.call('attachTalkDevice', { params: { id: device.id }, body: { challenge, signature } });
    const text = `siphera-attach:${opened.challenge}:${thief.sid}`;
    for (const [challenge, signature] of [
      [opened.challenge, makePair().sign(text)],
      [opened.challenge, device.pair.sign(`siphera-attach:${opened.challenge}:${guard.sid}`)],
      [mine.challenge, device.pair.sign(`siphera-attach:${mine.challenge}:${guard.sid}`)],
      [mine.challenge, device.pair.sign(`siphera-attach:${mine.challenge}:${thief.sid}`)],
      [opened.challenge, ''],
      ['', device.pair.sign(`siphera-attach::${thief.sid}`)],
      ['9'.repeat(15), device.pair.sign(`siphera-attach:${'9'.repeat(15)}:${thief.sid}`)],
    ] as const)
      expect(codeOf(await attach(challenge, signature))).toBe('forbidden');
    expect((await attach(opened.challenge, device.pair.sign(text))).status).toBe(204);
  });

  it('is remembered for the last fifty sessions that were it', async () => {
    const guard = await rig.user();
    const device = await guard.device();
    for (let n = 0; n < 55; n += 1) okOf(await device.attach(await guard.session()));
    const count = rig.signaling.ground.db
      .prepare<[string], number>('SELECT count(*) FROM attachments WHERE device_id = ?')
      .pluck()
      .get(device.id);
    expect(count).toBe(50);
    okOf(await device.attach());
    using _queue = await device.open();
  });

  it('cannot be opened, renamed, proved or removed by somebody else', async () => {
    const [owner, stranger] = [await rig.user(), await rig.user()];
    const device = await owner.device();
    const params = { id: device.id };
    const body = { challenge: 'x', signature: 'y' };
    expect(codeOf(await stranger.call('openTalkDevice', { params }))).toBe('not_found');
    expect(codeOf(await stranger.call('attachTalkDevice', { params, body }))).toBe('not_found');
    expect(codeOf(await stranger.call('renameTalkDevice', { params, body: { name: 'Mine' } }))).toBe(
      'not_found',
    );
    expect(codeOf(await stranger.call('removeTalkDevice', { params }))).toBe('not_found');
    expect(codeOf(await stranger.call('listTalkDevices', { query: { user_id: owner.id } }))).toBe(
      'forbidden',
    );
    expect(await devicesOf(owner)).toHaveLength(1);
  });

  it('can be renamed by its owner', async () => {
    const guard = await rig.user();
    const device = await guard.device('Old');
    const params = { id: device.id };
    expect(await guard.call('renameTalkDevice', { params, body: { name: 'New' } })).toMatchObject({
      status: 200,
      body: { name: 'New', current: true },
    });
    expect(await devicesOf(guard)).toMatchObject([{ name: 'New' }]);
  });

  it('is one of twelve at most, and one that never got keys gives way', async () => {
    const guard = await rig.user();
    const body = { name: 'Phone', kind: 'personal' };
    const first = TalkOpened.parse(okOf(await guard.call('createTalkDevice', { body })));
    okOf(await guard.call('createTalkDevice', { body }));
    expect(await devicesOf(guard)).toHaveLength(1);
    expect(codeOf(await guard.call('openTalkDevice', { params: { id: first.device_id } }))).toBe('gone');
    for (let n = 0; n < 12; n += 1) await (await guard.session()).device();
    const more = await guard.session();
    expect(codeOf(await more.call('createTalkDevice', { body }))).toBe('unprocessable');
  });
});

describe('keys of a device', () => {
  it('are taken from the session that made it, once, and never replaced', async () => {
    const guard = await rig.user();
    const made = TalkOpened.parse(
      okOf(await guard.call('createTalkDevice', { body: { name: 'Phone', kind: 'personal' } })),
    );
    const id = made.device_id;
    const [pair, forged] = [makePair(), makePair()];
    const keys = makeDeviceKeys(guard.talkId, id, pair);
    const upload = (user: User, device_keys: unknown, device_id = id) =>
      user.call('uploadKeys', { body: { device_id, device_keys } });
    expect(codeOf(await upload(await guard.session(), keys))).toBe('forbidden');
    expect(codeOf(await upload(await rig.user(), keys))).toBe('not_found');
    const mallory = await rig.user();
    for (const bad of [
      { ...keys, signatures: makeDeviceKeys(guard.talkId, id, forged).signatures },
      { ...keys, device_id: 'ABCDEFGHIJ' },
      makeDeviceKeys(mallory.talkId, id, pair),
      { ...keys, extra: 1.5 },
      { ...keys, extra: 'changed after signing' },
      { ...keys, keys: { ...keys.keys, [`ed25519:OTHERDEVIC`]: forged.publicKey } },
      { ...keys, algorithms: [] },
    ])
      expect(codeOf(await upload(guard, bad))).toBe('validation_failed');
    expect((await upload(guard, keys)).status).toBe(200);
    expect((await upload(guard, keys)).status).toBe(200);
    expect(codeOf(await upload(guard, makeDeviceKeys(guard.talkId, id, forged)))).toBe('conflict');
    expect(codeOf(await upload(await guard.session(), keys))).toBe('forbidden');
  });

  it('are told to the other devices of the person, with the address, when they first come', async () => {
    const guard = await rig.user();
    const phone = await guard.device('Phone');
    using queue = await phone.open();
    const desk = await (await guard.session()).device('Desk', 'shared');
    await waitFor('the notice', () => queue.items.length > 0);
    expect(queue.items).toMatchObject([
      { kind: 'device_new', device: { id: desk.id, name: 'Desk', kind: 'shared' }, address: '127.0.0.1' },
    ]);
    await waitFor('the lists', () =>
      queue.batches.some(({ device_lists }) => device_lists.changed.includes(guard.talkId)),
    );
  });
});

describe('removing a device', () => {
  it('ends its sessions, sockets, keys and queue, and its client is told to wipe', async () => {
    const guard = await rig.user();
    const lost = await guard.device('Lost phone');
    const desk = await guard.session();
    await desk.device('Desk', 'shared');
    using queue = await lost.open();
    using plain = await guard.connect();
    expect((await desk.call('removeTalkDevice', { params: { id: lost.id } })).status).toBe(204);
    await waitFor('the sockets to be cut', () => !queue.socket.connected && !plain.socket.connected);
    expect(queue.gone).toContainEqual({ reason: 'removed' });
    expect(plain.gone).toEqual([{ reason: 'removed' }]);
    expect(queue.byes).toEqual([{ reason: 'revoked' }]);
    expect(codeOf(await guard.call('listTalkDevices'))).toBe('session_expired');
    await waitFor('core to be told', () =>
      rig.core.calls.some(
        ({ path, body }) =>
          path === internalPaths.revokeSession && (body as { sid: string }).sid === guard.sid,
      ),
    );
    await waitFor('the audit', () =>
      rig.core.calls.some(
        ({ path, body }) =>
          path === internalPaths.audit &&
          (body as { action: string; target: string }).action === 'talk.device_removed' &&
          (body as { target: string }).target === lost.id,
      ),
    );
    const back = await guard.session();
    expect(codeOf(await back.call('openTalkDevice', { params: { id: lost.id } }))).toBe('gone');
    using again = await back.connect();
    const answer = await again.socket.timeout(30_000).emitWithAck('talkOpen', { device_id: lost.id });
    expect(answer).toEqual({ ok: false, reason: 'removed' });
    expect(again.gone).toEqual([{ reason: 'removed' }]);
  });

  it('needs more than a token: a device that its owner has confirmed, or an admin', async () => {
    const guard = await rig.user();
    const phone = await guard.device('Phone');
    const identity = makeIdentity(guard.talkId);
    okOf(await guard.call('uploadSigningKeys', { body: identity.body }));
    const thief = await guard.session();
    const remove = (user: User, id: string) => user.call('removeTalkDevice', { params: { id } });
    expect((await remove(thief, phone.id)).body).toMatchObject({ code: 'forbidden', reason: 'not_attached' });
    const planted = await thief.device('Planted');
    expect((await remove(thief, phone.id)).body).toMatchObject({ code: 'forbidden', reason: 'not_verified' });
    expect((await devicesOf(guard)).map(({ id }) => id).sort()).toEqual([phone.id, planted.id].sort());
    const { publicKey } = identity.selfSigning;
    const keys = makeDeviceKeys(guard.talkId, phone.id, phone.pair);
    const kept = okOf(
      await guard.call('queryKeys', { body: { device_keys: { [guard.talkId]: [phone.id] } } }),
    ) as { device_keys: Record<string, Record<string, typeof keys>> };
    const own = kept.device_keys[guard.talkId]?.[phone.id] ?? keys;
    const object = signed(own, guard.talkId, `ed25519:${publicKey}`, identity.selfSigning);
    const body = { [guard.talkId]: { [phone.id]: object } };
    expect(okOf(await guard.call('uploadSignatures', { body }))).toEqual({ failures: {} });
    expect((await remove(guard, planted.id)).status).toBe(204);
    await waitFor(
      'the thief to be out',
      async () => codeOf(await thief.call('listTalkDevices')) === 'session_expired',
    );
  });

  it('is for an admin too, who sees the devices of his organisation', async () => {
    const guard = await rig.user();
    const device = await guard.device();
    const admin = await rig.user({ grants: [grant(orgScope, 'talk.use', 'talk.manage')] });
    expect(await devicesOf(admin, { user_id: guard.id })).toMatchObject([{ id: device.id }]);
    const local = await rig.user({
      grants: [grant(`site:${systemRandom.uuid()}`, 'talk.use', 'talk.manage')],
    });
    expect(codeOf(await local.call('removeTalkDevice', { params: { id: device.id } }))).toBe('not_found');
    expect((await admin.call('removeTalkDevice', { params: { id: device.id } })).status).toBe(204);
    expect(await devicesOf(admin, { user_id: guard.id })).toEqual([]);
  });

  it('signs nobody out who gives up setting one up', async () => {
    const guard = await rig.user();
    const made = TalkOpened.parse(
      okOf(await guard.call('createTalkDevice', { body: { name: 'Phone', kind: 'personal' } })),
    );
    expect((await guard.call('removeTalkDevice', { params: { id: made.device_id } })).status).toBe(204);
    expect(await devicesOf(guard)).toEqual([]);
  });

  it('comes with the person who is deleted', async () => {
    const [guard, admin] = [
      await rig.user(),
      await rig.user({ grants: [grant(orgScope, 'talk.use', 'talk.manage')] }),
    ];
    await guard.device();
    rig.core.append({ kind: 'user', action: 'deleted', id: guard.id, audience: 'identity.manage' });
    await waitFor(
      'the device to go',
      async () => (await devicesOf(admin, { user_id: guard.id })).length === 0,
    );
  });
});

describe('who is let in', () => {
  it('is nobody who asks too often, and is told when to come again', async () => {
    const guard = await rig.user();
    const body = { name: 'Phone', kind: 'personal' };
    const answers = [];
    for (let n = 0; n < 15; n += 1) answers.push(await guard.call('createTalkDevice', { body }));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.body).toMatchObject({ code: 'rate_limited' });
    expect((refused[0]?.body as { retry_after_seconds: number }).retry_after_seconds).toBeGreaterThan(0);
    expect((await (await guard.session()).call('createTalkDevice', { body })).status).toBe(201);
  });

  it('is nobody without a token, with an API key, with a service token or without talk.use', async () => {
    const list = (token?: string) => callTalk(rig, token, 'listTalkDevices');
    expect(codeOf(await list())).toBe('unauthenticated');
    expect(codeOf(await list(await rig.core.forgedToken()))).toBe('unauthenticated');
    for (const kind of ['api_key', 'service'] as const) {
      const token = await rig.core.token({ kind, grants: [grant(orgScope, 'talk.use')] });
      expect(codeOf(await list(token))).toBe('forbidden');
    }
    expect(codeOf(await list(await rig.core.token({ grants: [grant(orgScope, 'event.read')] })))).toBe(
      'forbidden',
    );
  });

  it('is nobody whose session was ended', async () => {
    const guard = await rig.user();
    rig.core.revoke({ sid: guard.sid });
    await waitFor('the end', async () => codeOf(await guard.call('listTalkDevices')) === 'session_expired');
  });

  it('keeps what belongs to another organisation out of sight', async () => {
    const guard = await rig.user();
    await guard.device();
    const foreign = `@${guard.id}:${systemRandom.uuid()}`;
    const answer = okOf(await guard.call('queryKeys', { body: { device_keys: { [foreign]: [] } } }));
    expect(answer).toMatchObject({ device_keys: {}, master_keys: {} });
    expect(guard.talkId.endsWith(testOrg)).toBe(true);
  });
});
