/** What somebody can do who has stolen an access token: he makes a device of his own, gives it keys and attaches it. */
import { emptyChain } from '@siphera/contract';
import { systemRandom } from '@siphera/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { confirm, publish } from './testing/identity-kit.ts';
import { makeGroup, say, send, sign, uuid } from './testing/room-kit.ts';
import {
  okOf,
  startTalkRig,
  type RestAnswer,
  type TalkRig,
  type TestDevice,
  type TestUser,
} from './testing/talk-rig.ts';
import { makeOneTimeKeys, signed, type Identity } from './testing/test-keys.ts';

let rig: TalkRig;
beforeAll(async () => {
  rig = await startTalkRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

const refused = { status: 403, body: { code: 'forbidden', reason: 'not_verified' } };
const toDevice = (from: TestDevice, to: TestDevice, type: string): Promise<RestAnswer> =>
  from.user.call('sendToDevice', {
    params: { type, txn: systemRandom.uuid() },
    body: { messages: { [to.user.talkId]: { [to.id]: { text: 'x' } } } },
  });
const direct = (from: TestDevice, to: TestUser, devices: readonly TestDevice[]): Promise<RestAnswer> => {
  const messages: Record<string, Record<string, object>> = {};
  for (const { user, id } of devices) messages[user.talkId] = { ...messages[user.talkId], [id]: {} };
  return from.user.call('sendDirect', { body: { message_id: uuid(), to: to.talkId, messages } });
};

/** A guard with a confirmed phone and all that is kept for him, a colleague, and a thief with a device that the guard never signed. */
async function theft() {
  const [guard, colleague] = [await rig.user(), await rig.user()];
  const phone = await guard.device('Phone');
  const identity = await publish(phone);
  await confirm(phone, identity);
  const other = await colleague.device();
  const version = await keepAll(phone);
  const group = await makeGroup(phone, [colleague]);
  const planted = await (await guard.session()).device('Planted');
  return { phone, identity, other, version, group, planted };
}

async function keepAll({ user }: TestDevice): Promise<string> {
  okOf(await user.call('putSecrets', { body: { box: 'real', version: 0 } }));
  okOf(await user.call('putArchive', { body: { items: [{ id: archived, box: 'real' }] } }));
  const body = { algorithm: 'a', auth_data: { public_key: 'real' } };
  return (okOf(await user.call('createBackup', { body })) as { version: string }).version;
}
const archived = systemRandom.uuid();
const key = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: {} };

describe('a stolen token with a device of its own', () => {
  it('replaces nothing that is kept for the person', async () => {
    const { phone, version, planted } = await theft();
    const { user } = planted;
    const secrets = { body: { box: 'false', version: 1 } };
    expect(await user.call('putSecrets', secrets)).toMatchObject(refused);
    const backup = { body: { algorithm: 'a', auth_data: { public_key: 'false' } } };
    expect(await user.call('createBackup', backup)).toMatchObject(refused);
    const keys = { params: { version }, body: { rooms: { '!r:o': { sessions: { s: key } } } } };
    expect(await user.call('putBackupKeys', keys)).toMatchObject(refused);
    const items = [{ id: archived, box: 'false' }];
    expect(await user.call('putArchive', { body: { items } })).toMatchObject(refused);
    expect((await phone.user.call('getSecrets')).body).toMatchObject({ box: 'real', version: 1 });
    expect((await phone.user.call('getBackup')).body).toMatchObject({ version, count: 0 });
    expect((await phone.user.call('getArchive')).body).toMatchObject({ items: [{ box: 'real' }] });
  });

  it('says nothing in the name of the person', async () => {
    const { phone, other, group, planted } = await theft();
    const id = uuid();
    const statement = sign(planted, emptyChain(id, 'group'), 'create', [other.user]);
    expect(await planted.user.call('createRoom', { body: { id, statement } })).toMatchObject(refused);
    expect(await say(planted, group, 'remove', [other.user])).toMatchObject(refused);
    expect(await send(planted, group)).toMatchObject(refused);
    const read = { params: { id: group.id }, body: { seq: 1 } };
    expect(await planted.user.call('readRoom', read)).toMatchObject(refused);
    expect(await direct(planted, other.user, [other, phone])).toMatchObject(refused);
    for (const type of ['m.room.encrypted', 'siphera.retry', 'm.key.verification.request'])
      expect(await toDevice(planted, other, type)).toMatchObject(refused);
    expect(await toDevice(planted, phone, 'm.room.encrypted')).toMatchObject(refused);
    const file = { query: { user_ids: other.user.id }, upload: Buffer.from('x') };
    expect(await planted.user.call('uploadTalkFile', file)).toMatchObject(refused);
    expect((await phone.user.call('getTalkQuota')).body).toMatchObject({ files_bytes: 0 });
  });
});

describe('a device that is being recovered', () => {
  it('reads what it needs, gives keys, is compared with another one, and may do all once it is signed', async () => {
    const { phone, identity, other, version, planted } = await theft();
    const { user } = planted;
    const ids = { [phone.user.talkId]: [], [other.user.talkId]: [] };
    okOf(await user.call('queryKeys', { body: { device_keys: ids } }));
    const claim = { [phone.user.talkId]: { [phone.id]: 'signed_curve25519' } };
    okOf(await user.call('claimKeys', { body: { one_time_keys: claim } }));
    const more = makeOneTimeKeys(user.talkId, planted.id, planted.pair, ['AAAAAx']);
    okOf(await user.call('uploadKeys', { body: { device_id: planted.id, one_time_keys: more } }));
    for (const route of ['getSecrets', 'getBackup', 'getArchive', 'listRooms'] as const)
      okOf(await user.call(route));
    okOf(await user.call('getBackupKeys', { params: { version } }));
    for (const type of ['m.key.verification.request', 'm.key.verification.mac', 'm.secret.request'])
      okOf(await toDevice(planted, phone, type));
    await signMaster(planted, identity);
    await confirm(planted, identity);
    okOf(await user.call('putSecrets', { body: { box: 'new', version: 1 } }));
    okOf(await direct(planted, other.user, [other, phone]));
  });
});

/** As a device does at the end of a comparison: it signs the master key of its own person. */
async function signMaster({ user, id, pair }: TestDevice, { body }: Identity): Promise<void> {
  const [masterId = ''] = Object.values(body.master_key.keys);
  const object = signed(body.master_key, user.talkId, `ed25519:${id}`, pair);
  const answer = await user.call('uploadSignatures', { body: { [user.talkId]: { [masterId]: object } } });
  expect(okOf(answer)).toEqual({ failures: {} });
}
