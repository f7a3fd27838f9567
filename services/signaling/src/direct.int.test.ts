/** Messages to devices and to people: exactly once, to exactly those devices that there are. */
import { talkLimits, type QueueItem } from '@siphera/contract';
import { systemRandom } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { createDevicesPart } from './devices.part.ts';
import type { TalkSignal } from './ground.ts';
import {
  addUser,
  okOf,
  startTalkRig,
  type RestAnswer,
  type TalkRig,
  type TestDevice,
  type TestUser,
} from './testing/talk-rig.ts';
import { startRig, type Rig } from './testing/rig.ts';

let rig: TalkRig;
const signals: TalkSignal[] = [];
beforeAll(async () => {
  rig = await startTalkRig({
    parts: (ground) => {
      ground.signals.on((signal) => signals.push(signal));
      return [createDevicesPart(ground).part];
    },
  });
});
afterAll(() => rig[Symbol.asyncDispose]());

const codeOf = (answer: RestAnswer): unknown => (answer.body as { code?: string }).code;
type Item = z.infer<typeof QueueItem>;
const texts = (items: readonly Item[]): unknown[] =>
  items.flatMap((item) => (item.kind === 'to_device' ? [item.event.content['text']] : []));
const sealedFor = (devices: readonly TestDevice[], text: string) => {
  const messages: Record<string, Record<string, object>> = {};
  for (const { user, id } of devices)
    messages[user.talkId] = { ...messages[user.talkId], [id]: { text, for: id } };
  return messages;
};
const direct = (
  from: TestDevice,
  to: TestUser,
  messages: object,
  id = systemRandom.uuid(),
  wake?: string,
): Promise<RestAnswer> =>
  from.user.call('sendDirect', {
    body: { message_id: id, to: to.talkId, messages, ...(wake === undefined ? {} : { wake }) },
  });
const name = ({ user, id }: TestDevice) => ({ user_id: user.talkId, device_id: id });

/** Two people with two devices each. */
async function fourDevices(): Promise<[TestDevice, TestDevice, TestDevice, TestDevice]> {
  const [alice, bob] = [await rig.user(), await rig.user()];
  return [
    await alice.device(),
    await (await alice.session()).device(),
    await bob.device(),
    await (await bob.session()).device(),
  ];
}

describe('a direct message', () => {
  it('reaches every device of the recipient and the other ones of the sender, once', async () => {
    const [phone, desk, one, two] = await fourDevices();
    const id = systemRandom.uuid();
    const messages = sealedFor([desk, one, two], 'hello');
    const first = await direct(phone, one.user, messages, id);
    expect(first.status).toBe(200);
    expect(await direct(phone, one.user, messages, id)).toEqual(first);
    for (const device of [desk, one, two]) {
      using queue = await device.open();
      expect(queue.items.filter(({ kind }) => kind === 'to_device')).toMatchObject([
        {
          event: {
            type: 'm.room.encrypted',
            sender: phone.user.talkId,
            sender_device: phone.id,
            message_id: id,
            content: { text: 'hello', for: device.id },
          },
        },
      ]);
    }
    using own = await phone.open();
    expect(texts(own.items)).toEqual([]);
  });

  it('is refused to all when a device is missing, gone or not one of theirs, and says which', async () => {
    const [phone, desk, one, two] = await fourDevices();
    const [stranger] = await fourDevices();
    const answer = await direct(phone, one.user, sealedFor([one, stranger, phone], 'x'));
    expect(answer.status).toBe(409);
    const { code, missing, gone } = answer.body as { code: string; missing: object[]; gone: object[] };
    expect(code).toBe('conflict');
    expect(missing).toHaveLength(2);
    expect(missing).toEqual(expect.arrayContaining([name(two), name(desk)]));
    expect(gone).toHaveLength(2);
    expect(gone).toEqual(expect.arrayContaining([name(stranger), name(phone)]));
    okOf(await one.user.call('removeTalkDevice', { params: { id: two.id } }));
    expect(await direct(phone, one.user, sealedFor([desk, one, two], 'x'))).toMatchObject({
      status: 409,
      body: { missing: [], gone: [name(two)] },
    });
    okOf(await direct(phone, one.user, sealedFor([desk, one], 'at last')));
    using queue = await one.open();
    expect(texts(queue.items)).toEqual(['at last']);
  });

  it('goes to nobody who left, who may not talk, who has no device or is of another organisation', async () => {
    const alice = await (await rig.user()).device();
    const left = await rig.user();
    const device = await left.device();
    const person = rig.core.people.get(left.id)!;
    rig.core.putPerson({ ...person, active: false });
    await waitFor('the news', () => rig.signaling.ground.people.get(left.id)?.active === false);
    expect(codeOf(await direct(alice, left, sealedFor([device], 'x')))).toBe('not_found');
    rig.core.putPerson({ ...person, grants: [] });
    await waitFor('the news', () => rig.signaling.ground.people.get(left.id)?.grants.length === 0);
    expect(codeOf(await direct(alice, left, sealedFor([device], 'x')))).toBe('not_found');
    expect(codeOf(await direct(alice, await rig.user(), {}))).toBe('unprocessable');
    const foreign = { ...left, talkId: `@${left.id}:${systemRandom.uuid()}` };
    expect(codeOf(await direct(alice, foreign, {}))).toBe('not_found');
  });

  it('wakes the recipient when it is to, and not when it comes twice', async () => {
    const [alice, bob] = [await (await rig.user()).device(), await (await rig.user()).device()];
    const [messages, id] = [sealedFor([bob], 'ring'), systemRandom.uuid()];
    const woken = () => signals.filter((signal) => signal.kind === 'wake' && signal.userId === bob.user.id);
    okOf(await direct(alice, bob.user, messages));
    expect(woken()).toEqual([]);
    okOf(await direct(alice, bob.user, messages, id, 'call'));
    okOf(await direct(alice, bob.user, messages, id, 'call'));
    expect(woken()).toEqual([{ kind: 'wake', userId: bob.user.id, what: 'call' }]);
  });

  it('is sent by a session that is a device alone', async () => {
    const [alice, bob] = [await (await rig.user()).device(), await (await rig.user()).device()];
    const thief = { ...alice, user: await alice.user.session() };
    expect(codeOf(await direct(thief, bob.user, sealedFor([bob], 'x')))).toBe('forbidden');
  });

  it('is refused when a ciphertext is larger than an event may be', async () => {
    const [alice, bob] = [await (await rig.user()).device(), await (await rig.user()).device()];
    const messages = sealedFor([bob], 'x'.repeat(talkLimits.eventBytesMax));
    expect(codeOf(await direct(alice, bob.user, messages))).toBe('validation_failed');
  });
});

describe('a to-device message', () => {
  it('sent twice under one name is one, and names devices that are not there', async () => {
    const [alice, bob] = [await (await rig.user()).device(), await (await rig.user()).device()];
    const messages = { [bob.user.talkId]: { [bob.id]: { text: 'key' }, ABCDEFGHIJ: { text: 'lost' } } };
    const send = (type: string) =>
      alice.user.call('sendToDevice', { params: { type, txn: 'a.1' }, body: { messages } });
    const unknown = { unknown: [{ user_id: bob.user.talkId, device_id: 'ABCDEFGHIJ' }] };
    expect(okOf(await send('m.room_key'))).toEqual(unknown);
    expect(okOf(await send('m.room_key'))).toEqual(unknown);
    okOf(await send('m.other'));
    using queue = await bob.open();
    expect(queue.items).toMatchObject([
      { event: { type: 'm.room_key', sender: alice.user.talkId, sender_device: alice.id } },
      { event: { type: 'm.other' } },
    ]);
  });

  it('for all devices of a person, as secrets are asked for, reaches each but the sending one', async () => {
    const [phone, desk, one] = await fourDevices();
    const third = await (await phone.user.session()).device();
    const messages = {
      [phone.user.talkId]: { '*': { text: 'all' }, [third.id]: { text: 'yours' } },
      [one.user.talkId]: { [one.id]: { text: 'named' } },
    };
    const params = { type: 'm.secret.request', txn: 'all.1' };
    okOf(await phone.user.call('sendToDevice', { params, body: { messages } }));
    for (const [device, text] of [
      [desk, 'all'],
      [third, 'yours'],
      [one, 'named'],
    ] as const) {
      using queue = await device.open();
      expect(texts(queue.items)).toEqual([text]);
    }
    using own = await phone.open();
    expect(texts(own.items)).toEqual([]);
  });
});

describe('a service that is killed again and again', () => {
  it('loses nothing and changes no order', async () => {
    await using process = await startRig();
    const target = { url: process.url };
    const [alice, bob] = [await addUser(target, process.core), await addUser(target, process.core)];
    const [from, to] = [await alice.device(), await bob.device()];
    const sent: string[] = [];
    const got: { pos: number; text: unknown }[] = [];
    for (let round = 0; round < 4; round += 1) {
      let killed: Promise<void> | undefined;
      for (let n = 0; n < 60; n += 1) {
        // Half of each round waits while nobody listens, and it is killed while messages come and go.
        if (n === 30 && round === 3) await listen(to, got, Infinity);
        // One under which it is killed may not even get in.
        else if (n === 30) void listen(to, got, 1).catch(() => undefined);
        if (n === 45 && round < 3) killed = killAndStart(process);
        const [text, id] = [`${round}.${n}`, systemRandom.uuid()];
        await waitFor('it to be taken', async () => {
          const answer = await direct(from, bob, sealedFor([to], text), id);
          return answer.status === 200;
        });
        sent.push(text);
      }
      await killed;
    }
    await waitFor('all', () => new Set(got.map(({ text }) => text)).size === sent.length);
    const once = [...new Map(got.map(({ pos, text }) => [pos, text])).entries()];
    expect(once.toSorted(([a], [b]) => a - b).map(([, text]) => text)).toEqual(sent);
  });
});

async function killAndStart({ signaling }: Rig): Promise<void> {
  await signaling.daemon.kill9();
  await signaling.daemon.start();
}

/** Takes `batches` batches and is gone without a word, or listens for good. */
async function listen(
  device: TestDevice,
  got: { pos: number; text: unknown }[],
  batches: number,
): Promise<void> {
  const connection = await device.user.connect();
  let left = batches;
  connection.socket.on('talk', (batch) => {
    for (const item of batch.items)
      if (item.kind === 'to_device') got.push({ pos: item.pos, text: item.event.content['text'] });
    left -= 1;
    if (left > 0) connection.socket.emit('talkDone', batch.upto);
    else connection.socket.disconnect();
  });
  connection.socket.emit('talkOpen', { device_id: device.id }, () => undefined);
}
