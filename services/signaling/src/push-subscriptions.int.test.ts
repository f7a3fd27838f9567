/** Who may set up what to be rung up, what a test shows, and what reports are worth. */
import { createECDH, randomBytes } from 'node:crypto';
import type { TalkRouteName } from '@siphera/contract';
import { systemRandom } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { describe, expect, it } from 'vitest';
import { grant, orgScope } from './testing/feed-server.ts';
import { listOf, publicKeyOf, pushOf, startPushRig, type PushRig } from './testing/push-rig.ts';
import { callTalk, okOf, type RestInput, type TestUser } from './testing/talk-rig.ts';

const keysOf = () => ({
  p256dh: createECDH('prime256v1').generateKeys('base64url'),
  auth: randomBytes(16).toString('base64url'),
});
const quiet = { from: '22:00', until: '06:00', time_zone: 'Europe/Vienna', except_from: 'high' };
const preferences = { alarms_from: 'high', messages: false, calls: true, quiet };
const put = (user: TestUser, body: Record<string, unknown>) =>
  user.call('putPushSubscription', {
    body: { endpoint: 'https://fcm.googleapis.com/fcm/send/abc', keys: keysOf(), name: 'Pixel', ...body },
  });
const test = (user: TestUser, id: string) => user.call('testPushSubscription', { params: { id } });
const testedOf = async (rig: PushRig, user: TestUser, id: string) => (await rig.listed(user, id))?.tested;

describe('the routes', () => {
  const id = systemRandom.uuid();
  const calls: [TalkRouteName, RestInput][] = [
    ['getPushKey', {}],
    ['listPushSubscriptions', {}],
    ['putPushSubscription', { body: {} }],
    ['patchPushSubscription', { params: { id }, body: {} }],
    ['deletePushSubscription', { params: { id } }],
    ['testPushSubscription', { params: { id } }],
    ['listPeople', {}],
    ['setPresence', { body: { on_duty: true } }],
  ];

  it('are for people who may talk, but for the report of a phone', async () => {
    await using rig = await startPushRig();
    const viewer = await rig.talk.user({ grants: [grant(orgScope, 'incident.read')] });
    for (const [route, input] of calls) {
      expect([route, (await callTalk(rig.talk, undefined, route, input)).status]).toEqual([route, 401]);
      expect([route, (await viewer.call(route, input)).status]).toEqual([route, 403]);
    }
    const body = { receipt: 'x', state: 'shown' };
    expect((await callTalk(rig.talk, undefined, 'receiptPush', { body })).status).toBe(204);
  });

  it('give everybody his own, and to admins the removal', async () => {
    await using rig = await startPushRig();
    const [owner, other] = [await rig.talk.user(), await rig.talk.user()];
    const siteAdmin = await rig.talk.user({
      grants: [grant(`site:${systemRandom.uuid()}`, 'talk.use', 'talk.manage')],
    });
    const admin = await rig.talk.user({ grants: [grant(orgScope, 'talk.use', 'talk.manage')] });
    const phone = await rig.phone(owner);
    const params = { id: phone.id };
    for (const user of [other, siteAdmin])
      expect([
        (await user.call('patchPushSubscription', { params, body: { name: 'Mine' } })).status,
        (await user.call('testPushSubscription', { params })).status,
        (await user.call('deletePushSubscription', { params })).status,
      ]).toEqual([404, 404, 404]);
    expect((await admin.call('patchPushSubscription', { params, body: { name: 'Mine' } })).status).toBe(404);
    okOf(await owner.call('patchPushSubscription', { params, body: { name: 'Phone', preferences } }));
    expect(await rig.listed(owner, phone.id)).toMatchObject({ name: 'Phone', preferences });
    expect((await admin.call('deletePushSubscription', { params })).status).toBe(204);
    expect(await listOf(owner)).toEqual([]);
  });

  it('show the phones of people of my sites with what their test showed, and no endpoint', async () => {
    await using rig = await startPushRig();
    const [north, south] = [systemRandom.uuid(), systemRandom.uuid()];
    const [me, mate, stranger] = [
      await rig.talk.user({ siteIds: [north, south] }),
      await rig.talk.user({ siteIds: [south] }),
      await rig.talk.user({ siteIds: [systemRandom.uuid()] }),
    ];
    const [mine, mates] = [await rig.phone(me), await rig.phone(mate), await rig.phone(stranger)];
    expect((await listOf(me, 'yes')).map(({ id }) => id)).toEqual([mine.id, mates.id]);
    expect((await listOf(me)).map(({ id }) => id)).toEqual([mine.id]);
    const text = JSON.stringify(
      (await me.call('listPushSubscriptions', { query: { everyone: 'yes' } })).body,
    );
    expect(text).toContain('untested');
    expect(text).not.toContain('/push/');
    expect(text).not.toContain(mates.subscription.keys.auth);
  });
});

describe('a subscription', () => {
  const refused: [string, Record<string, unknown>, number][] = [
    ['of http', { endpoint: 'http://fcm.googleapis.com/fcm/send/abc' }, 422],
    ['at the box', { endpoint: 'https://127.0.0.1/abc' }, 422],
    ['on the LAN', { endpoint: 'https://192.168.1.20/abc' }, 422],
    ['somewhere', { endpoint: 'https://example.org/abc' }, 422],
    ['with a file', { endpoint: 'file:///etc/passwd' }, 422],
    ['with no address', { endpoint: 'abc' }, 400],
    [
      'with a point off the curve',
      { keys: { ...keysOf(), p256dh: Buffer.alloc(65, 4).toString('base64url') } },
      400,
    ],
    ['with a key of another length', { keys: { ...keysOf(), p256dh: 'AAAA' } }, 400],
    ['with no base64', { keys: { ...keysOf(), p256dh: '"><script>' } }, 400],
    ['with a short secret', { keys: { ...keysOf(), auth: 'AAAA' } }, 400],
    [
      'with quiet hours of no zone',
      { preferences: { ...preferences, quiet: { ...quiet, time_zone: 'Mars' } } },
      400,
    ],
    [
      'with quiet hours of no day',
      { preferences: { ...preferences, quiet: { ...quiet, from: '25:00' } } },
      400,
    ],
    ['with a name of two lines', { name: 'a\nb' }, 400],
    ['of a device of somebody else', { talk_device_id: 'ABCDEFGHIJ' }, 422],
  ];

  it('is refused for what a browser never names', async () => {
    await using rig = await startPushRig({ allow: false });
    const user = await rig.talk.user();
    const answers: [string, number][] = [];
    for (const [name, body] of refused) answers.push([name, (await put(user, body)).status]);
    expect(answers).toEqual(refused.map(([name, , status]) => [name, status]));
    expect(await listOf(user)).toEqual([]);
  });

  it('of a known service is taken, twenty of a person at most', async () => {
    await using rig = await startPushRig();
    const user = await rig.talk.user();
    for (let n = 0; n < 20; n += 1)
      okOf(await put(user, { endpoint: `https://updates.push.services.mozilla.com/wpush/v2/${n}` }));
    expect((await put(user, { endpoint: 'https://web.push.apple.com/20' })).status).toBe(422);
    expect(await listOf(user)).toHaveLength(20);
  });

  it('keeps what was chosen when the same browser comes again, with a test to be made anew for new keys', async () => {
    await using rig = await startPushRig();
    const user = await rig.talk.user();
    const keys = keysOf();
    const first = okOf(await put(user, { keys, preferences })) as { id: string };
    expect(okOf(await put(user, { keys, name: 'Renamed' }))).toMatchObject({
      id: first.id,
      name: 'Renamed',
      preferences,
    });
    expect(okOf(await put(user, {}))).toMatchObject({
      id: first.id,
      preferences,
      tested: { state: 'untested' },
    });
    expect(await listOf(user)).toHaveLength(1);
  });

  it('goes to who signs in next in that browser, but not to who only knows its address', async () => {
    await using rig = await startPushRig();
    const [before, next] = [await rig.guard(), await rig.guard()];
    const phone = await rig.phone(before);
    const { endpoint, keys } = phone.subscription;
    expect((await put(next, { endpoint, keys: keysOf() })).status).toBe(409);
    okOf(await put(next, { endpoint, keys }));
    expect(await listOf(before)).toEqual([]);
    const incident = rig.incident();
    await pushOf(phone);
    await waitFor('the one before to be without a phone', () => rig.undelivered().length > 0);
    expect(rig.undelivered().map(({ user_id }) => user_id)).toEqual([before.id]);
    expect(phone.received).toHaveLength(1);
    expect(phone.received[0]?.payload['incident_id']).toBe(incident.id);
  });

  it('rings no more after a sign-out, until the person signs in there again', async () => {
    await using rig = await startPushRig();
    const user = await rig.guard();
    const [phone, other] = [await rig.phone(user), await rig.phone(await rig.guard())];
    const { endpoint, keys } = phone.subscription;
    rig.talk.core.revoke({ sid: user.sid });
    const again = await user.session();
    await waitFor('the end', async () => (await rig.listed(again, phone.id))?.last_error !== null);
    rig.incident();
    await pushOf(other);
    okOf(await put(again, { endpoint, keys }));
    rig.incident();
    await pushOf(other, 2);
    await pushOf(phone);
    expect(phone.received).toHaveLength(1);
  });

  it('is gone with the person, and with the device for talk in that browser', async () => {
    await using rig = await startPushRig();
    const [leaver, user] = [await rig.talk.user(), await rig.talk.user()];
    await rig.phone(leaver);
    const device = await user.device();
    const { endpoint, keys } = rig.push.subscribe(await publicKeyOf(user)).subscription;
    okOf(await put(user, { endpoint, keys, talk_device_id: device.id }));
    expect(await listOf(user)).toMatchObject([{ talk_device_id: device.id }]);
    const second = await user.session();
    await second.device();
    okOf(await second.call('removeTalkDevice', { params: { id: device.id } }));
    expect(await listOf(second)).toEqual([]);
    rig.talk.core.putPerson({ ...rig.talk.core.people.get(leaver.id)!, active: false });
    await waitFor('the phone to be gone', async () => (await listOf(leaver)).length === 0);
  });
});

it('the key pair is kept: after a restart phones ring without being asked anew', async () => {
  await using rig = await startPushRig();
  const user = await rig.talk.user();
  const phone = await rig.phone(user);
  const before = await publicKeyOf(user);
  await rig.talk.restart();
  expect(await publicKeyOf(user)).toBe(before);
  okOf(await test(user, phone.id));
  await pushOf(phone);
});

describe('a test', () => {
  it('waits for the phone, then for the word of its person', async () => {
    await using rig = await startPushRig();
    const user = await rig.talk.user();
    const phone = await rig.phone(user);
    expect(await test(user, phone.id)).toMatchObject({ status: 202, body: { tested: { state: 'waiting' } } });
    expect((await test(user, phone.id)).status).toBe(429);
    const push = await pushOf(phone);
    expect(push.payload).toMatchObject({ kind: 'test', subscription_id: phone.id });
    expect(push.headers).toMatchObject({ ttl: '30', urgency: 'high' });
    await rig.report(push, 'shown');
    const shown = await testedOf(rig, user, phone.id);
    expect(shown).toMatchObject({ state: 'waiting', arrived_ms: expect.any(Number) as number });
    rig.advance(60_000);
    await rig.report(push, 'rings');
    expect(await testedOf(rig, user, phone.id)).toEqual({ ...shown, state: 'rings' });
  });

  it('of which nothing is shown in half a minute is unreachable, also when the push service takes nothing', async () => {
    await using rig = await startPushRig();
    const user = await rig.talk.user();
    const [lost, refused] = [await rig.phone(user), await rig.phone(user)];
    refused.answerWith({ status: 403 });
    okOf(await test(user, lost.id));
    okOf(await test(user, refused.id));
    await pushOf(lost);
    await waitFor(
      'the refusal',
      async () => (await testedOf(rig, user, refused.id))?.state === 'unreachable',
    );
    expect((await testedOf(rig, user, lost.id))?.state).toBe('waiting');
    rig.advance(30_000);
    await waitFor(
      'the end of the test',
      async () => (await testedOf(rig, user, lost.id))?.state === 'unreachable',
    );
  });

  it('that the phone could not show is unreachable', async () => {
    await using rig = await startPushRig();
    const user = await rig.talk.user();
    const phone = await rig.phone(user);
    okOf(await test(user, phone.id));
    await rig.report(await pushOf(phone), 'failed');
    expect(await rig.listed(user, phone.id)).toMatchObject({
      tested: { state: 'unreachable' },
      last_error: expect.stringContaining('could not show') as string,
    });
  });
});

describe('a report', () => {
  it('is answered alike whether its receipt is known or not, and a strange one changes nothing', async () => {
    await using rig = await startPushRig();
    const user = await rig.talk.user();
    const phone = await rig.phone(user);
    okOf(await test(user, phone.id));
    const push = await pushOf(phone);
    const answer = (receipt: string) =>
      callTalk(rig.talk, undefined, 'receiptPush', { body: { receipt, state: 'rings' } });
    const strange = await answer(Buffer.alloc(16, 1).toString('base64url'));
    expect((await testedOf(rig, user, phone.id))?.state).toBe('waiting');
    expect(await answer(String(push.payload['receipt']))).toEqual(strange);
    expect((await testedOf(rig, user, phone.id))?.state).toBe('rings');
  });

  it('of a test before tells nothing of this one', async () => {
    await using rig = await startPushRig();
    const user = await rig.talk.user();
    const phone = await rig.phone(user);
    okOf(await test(user, phone.id));
    const first = await pushOf(phone);
    rig.advance(6_000);
    okOf(await test(user, phone.id));
    const second = await pushOf(phone, 2);
    await rig.report(first, 'rings');
    expect((await testedOf(rig, user, phone.id))?.state).toBe('waiting');
    await rig.report(second, 'banner');
    expect((await testedOf(rig, user, phone.id))?.state).toBe('banner');
  });

  it('is worth nothing after a week', async () => {
    await using rig = await startPushRig();
    const user = await rig.guard();
    const phone = await rig.phone(user);
    rig.incident();
    const push = await pushOf(phone);
    rig.advance(8 * 86_400_000);
    expect(await rig.report(push, 'shown')).toBe(204);
    await waitFor('core to be told', () => rig.undelivered().length > 0);
    expect(rig.lines()).toEqual([]);
  });

  it('comes so often from one address only', async () => {
    await using rig = await startPushRig();
    const send = () =>
      callTalk(rig.talk, undefined, 'receiptPush', { body: { receipt: 'x', state: 'shown' } });
    const answers: number[] = [];
    for (let n = 0; n < 241; n += 1) answers.push((await send()).status);
    expect(answers.slice(0, 240).every((status) => status === 204)).toBe(true);
    expect(answers[240]).toBe(429);
  });
});
