/** Pushes for messages and calls: that something is there, and nothing else. */
import { systemRandom } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { describe, expect, it } from 'vitest';
import { pushOf, startPushRig, type PushRig } from './testing/push-rig.ts';
import { okOf, type TestUser } from './testing/talk-rig.ts';

const wake = (rig: PushRig, user: TestUser, what: 'message' | 'call'): void =>
  rig.talk.signaling.ground.signals.emit({ kind: 'wake', userId: user.id, what });
const kinds = (phone: { received: { payload: Record<string, unknown> }[] }): unknown[] =>
  phone.received.map(({ payload }) => payload['kind']);

describe('a message', () => {
  it('rings phones of who has no queue open, and carries nothing of it, not even by its length', async () => {
    await using rig = await startPushRig();
    const [sender, reader] = [await rig.talk.user({ name: 'Sam Sender' }), await rig.talk.user()];
    const [from, to] = [await sender.device(), await reader.device()];
    const phone = await rig.phone(reader);
    const send = async () =>
      okOf(
        await from.user.call('sendDirect', {
          body: {
            message_id: systemRandom.uuid(),
            to: reader.talkId,
            messages: { [reader.talkId]: { [to.id]: { ciphertext: 'secret words' } } },
            wake: 'message',
          },
        }),
      );
    await send();
    const push = await pushOf(phone);
    expect(Object.keys(push.payload).sort()).toEqual(['kind', 'receipt']);
    expect(push.payload['kind']).toBe('message');
    expect(push.headers).toMatchObject({ ttl: '86400', urgency: 'normal' });
    for (const word of ['secret', 'Sam', sender.id]) expect(push.plaintext.toString()).not.toContain(word);
    okOf(await reader.call('setPresence', { body: { on_duty: true } }));
    rig.incident();
    expect((await pushOf(phone, 2)).body).toHaveLength(push.body.length);
    // On a console with his queue open he has it already.
    using _queue = await to.open();
    rig.advance(60_000);
    await send();
    okOf(await reader.call('testPushSubscription', { params: { id: phone.id } }));
    await waitFor('the test', () => kinds(phone).includes('test'));
    expect(kinds(phone)).toEqual(['message', 'alarm', 'test']);
  });

  it('is told once a minute, and those of the minute when it is over', async () => {
    await using rig = await startPushRig();
    const user = await rig.talk.user();
    const phone = await rig.phone(user);
    wake(rig, user, 'message');
    await pushOf(phone);
    for (const _ of [1, 2, 3]) wake(rig, user, 'message');
    wake(rig, user, 'call');
    await pushOf(phone, 2);
    okOf(await user.call('testPushSubscription', { params: { id: phone.id } }));
    await pushOf(phone, 3);
    rig.advance(60_000);
    const fourth = await pushOf(phone, 4);
    wake(rig, user, 'call');
    await pushOf(phone, 5);
    expect(kinds(phone)).toEqual(['message', 'call', 'test', 'message', 'call']);
    expect(fourth.headers['topic']).toBe(phone.received[0]?.headers['topic']);
    expect(phone.received[1]?.headers).toMatchObject({ urgency: 'high', ttl: '30' });
  });

  it('is told of by a push of its own when it comes while one is under way', async () => {
    await using rig = await startPushRig();
    const user = await rig.talk.user();
    const phone = await rig.phone(user);
    for (const [what, gapMs] of [
      ['message', 60_000],
      ['call', 5_000],
    ] as const) {
      const [before, requests] = [phone.received.length, rig.push.requests];
      phone.answerWith({ status: 201, delayMs: 300 });
      wake(rig, user, what);
      await waitFor('the push to be under way', () => rig.push.requests > requests);
      wake(rig, user, what);
      await pushOf(phone, before + 1);
      phone.answerWith(undefined);
      rig.advance(gapMs);
      await pushOf(phone, before + 2);
    }
    expect(kinds(phone)).toEqual(['message', 'message', 'call', 'call']);
  });

  it('is silent while its person is not to be disturbed, or has switched it off; alarms are not', async () => {
    await using rig = await startPushRig();
    const user = await rig.guard();
    const [phone, off] = [await rig.phone(user), await rig.phone(user, { messages: false, calls: false })];
    wake(rig, user, 'message');
    await pushOf(phone);
    okOf(
      await user.call('setPresence', {
        body: { dnd_until: new Date(Date.now() + 3_600_000).toISOString() },
      }),
    );
    rig.advance(60_000);
    wake(rig, user, 'message');
    wake(rig, user, 'call');
    rig.incident();
    await Promise.all([pushOf(phone, 2), pushOf(off)]);
    okOf(await user.call('setPresence', { body: { dnd_until: null } }));
    wake(rig, user, 'call');
    await pushOf(phone, 3);
    expect([kinds(phone), kinds(off)]).toEqual([['message', 'alarm', 'call'], ['alarm']]);
  });
});
