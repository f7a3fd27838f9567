/** Queues of devices: order, batches, acknowledgement, who may open one, and what becomes of it when things end. */
import { talkLimits, type QueueItem } from '@siphera/contract';
import { waitFor } from '@siphera/testkit';
import { systemClock, systemRandom, toRfc3339 } from '@siphera/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { createDevicesPart, type DevicesPart } from './devices.part.ts';
import { queueLimits } from './domain/queue.ts';
import { makeTimeBox } from './testing/room-kit.ts';
import { okOf, startTalkRig, type RestAnswer, type TalkRig, type TestDevice } from './testing/talk-rig.ts';

let rig: TalkRig;
beforeAll(async () => {
  rig = await startTalkRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

type Item = z.infer<typeof QueueItem>;
const codeOf = (answer: RestAnswer): unknown => (answer.body as { code?: string }).code;
let txn = 0;
const send = (from: TestDevice, to: TestDevice, content: object, type = 'm.test'): Promise<RestAnswer> => {
  txn += 1;
  return from.user.call('sendToDevice', {
    params: { type, txn: `t${txn}` },
    body: { messages: { [to.user.talkId]: { [to.id]: content } } },
  });
};
const numbers = (items: readonly Item[]): unknown[] =>
  items.map((item) => (item.kind === 'to_device' ? item.event.content['n'] : item.kind));
const pair = async (on = rig): Promise<[TestDevice, TestDevice]> => [
  await (await on.user()).device(),
  await (await on.user()).device(),
];

describe('a queue', () => {
  it('is sent in the order in which it was filled, in batches, each after the one before was taken', async () => {
    const [alice, bob] = await pair();
    const count = talkLimits.batchItemsMax + 30;
    for (let n = 0; n < count; n += 1) okOf(await send(alice, bob, { n }));
    using connection = await bob.user.connect();
    const { socket, batches } = connection;
    const opened = await socket.timeout(30_000).emitWithAck('talkOpen', { device_id: bob.id });
    expect(opened).toEqual({ ok: true });
    await waitFor('the first batch', () => batches.length === 1);
    expect(batches[0]?.items).toHaveLength(talkLimits.batchItemsMax);
    expect(batches[0]?.end).toBe(false);
    // What it did not get, it cannot acknowledge; nothing of that moves the queue.
    for (const wrong of [batches[0]!.upto + 1, 0, -1, 'x', null]) socket.emit('talkDone', wrong as number);
    okOf(await send(alice, bob, { n: count }));
    expect(batches).toHaveLength(1);
    socket.emit('talkDone', batches[0]!.upto);
    await waitFor('the second batch', () => batches.length === 2);
    expect(batches[1]?.end).toBe(true);
    expect(numbers(batches.flatMap(({ items }) => items))).toEqual(
      Array.from({ length: count + 1 }, (_, n) => n),
    );
    const at = batches.flatMap(({ items }) => items.map(({ pos }) => pos));
    expect(at).toEqual(at.toSorted((a, b) => a - b));
  });

  it('comes again until it was taken, also after a restart, and then never', async () => {
    const [alice, bob] = await pair();
    for (let n = 0; n < 5; n += 1) okOf(await send(alice, bob, { n }));
    {
      using connection = await bob.user.connect();
      connection.socket.emit('talkOpen', { device_id: bob.id }, () => undefined);
      await waitFor('the batch', () => connection.batches.length > 0);
    }
    await rig.restart();
    {
      using again = await bob.open();
      expect(numbers(again.items)).toEqual([0, 1, 2, 3, 4]);
      okOf(await send(alice, bob, { n: 5 }));
      await waitFor('the last', () => again.items.length === 6);
      await waitFor('it to be taken', async () => (await waiting(bob)) === 0);
    }
    using empty = await bob.open();
    expect(empty.batches[0]).toMatchObject({ items: [], end: true });
  });

  it('of large messages goes in batches that no socket is cut for', async () => {
    const [alice, bob] = await pair();
    const text = 'x'.repeat(60_000);
    for (let n = 0; n < 20; n += 1) okOf(await send(alice, bob, { n, text }));
    using queue = await bob.open();
    await waitFor('all', () => queue.items.length === 20);
    expect(queue.batches.length).toBeGreaterThan(2);
    for (const batch of queue.batches)
      expect(JSON.stringify(batch.items).length).toBeLessThan(queueLimits.batchBytesMax * 1.2);
  });

  it('is on one socket at a time: the one before is told that another took over, and stays a console', async () => {
    const [alice, bob] = await pair();
    using first = await bob.open();
    using second = await bob.open();
    await waitFor('the first to be told', () => first.gone.length > 0);
    expect(first.gone).toEqual([{ reason: 'elsewhere' }]);
    expect(first.socket.connected).toBe(true);
    okOf(await send(alice, bob, { n: 1 }));
    await waitFor('the message', () => second.items.length === 1);
    first.socket.emit('talkDone', second.batches.at(-1)!.upto);
    expect(first.items).toEqual([]);
  });

  it('is neither opened nor emptied by a session that has not proved to be the device', async () => {
    const [alice, bob] = await pair();
    okOf(await send(alice, bob, { n: 1 }));
    const thief = await bob.user.session();
    for (const user of [thief, alice.user]) {
      using connection = await user.connect();
      const answer = await connection.socket.timeout(30_000).emitWithAck('talkOpen', { device_id: bob.id });
      expect(answer).toEqual({ ok: false, reason: 'not_attached' });
      expect(connection.gone).toEqual([{ reason: 'not_attached' }]);
      connection.socket.emit('talkDone', Number.MAX_SAFE_INTEGER);
      expect(connection.batches).toEqual([]);
    }
    using odd = await thief.connect();
    for (const input of [undefined, 'x', { device_id: 1 }, { device_id: { $ne: '' } }])
      expect(
        await odd.socket.timeout(30_000).emitWithAck('talkOpen', input as unknown as { device_id: string }),
      ).toEqual({ ok: false, reason: 'validation_failed' });
    using queue = await bob.open();
    expect(numbers(queue.items)).toEqual([1]);
  });

  it('closes when its session is ended, which is the device no more', async () => {
    const [alice, bob] = await pair();
    using queue = await bob.open();
    const other = await bob.user.session();
    rig.core.revoke({ sid: bob.user.sid });
    await waitFor('the end', () => !queue.socket.connected);
    expect(queue.gone).toEqual([{ reason: 'not_attached' }]);
    okOf(await send(alice, bob, { n: 1 }));
    expect(queue.items).toEqual([]);
    okOf(await bob.attach(other));
    using again = await bob.open(other);
    expect(numbers(again.items)).toEqual([1]);
  });

  it('stays with a session that gets a new token after its roles changed', async () => {
    const [, bob] = await pair();
    rig.core.revoke({ sub: bob.user.id, issued_before: toRfc3339(systemClock.now() - 60_000) });
    using queue = await bob.open();
    expect(queue.gone).toEqual([]);
  });

  it('stops on a socket whose renewed token may not talk any more', async () => {
    const [alice, bob] = await pair();
    using queue = await bob.open();
    const { id: sub, sid } = bob.user;
    const token = await rig.core.token({ sub, sid, grants: [] });
    await waitFor('the renewal', async () => {
      const answer: { ok: boolean } = await queue.socket.timeout(30_000).emitWithAck('renew', token);
      return answer.ok;
    });
    okOf(await send(alice, bob, { n: 1 }));
    await waitFor('the end', () => queue.gone.length > 0);
    expect(queue.items).toEqual([]);
  });

  it('that is full is left out and named, and keeps nothing from the others', async () => {
    const [alice, bob] = await pair();
    const desk = await (await alice.user.session()).device();
    const drawer = await (await bob.user.session()).device();
    const { db } = rig.signaling.ground;
    const fill = db.prepare('UPDATE devices SET queue_rows = ? WHERE id = ?');
    fill.run(queueLimits.rowsMax, drawer.id);
    const full = [{ user_id: bob.user.talkId, device_id: drawer.id }];
    const theirs = { [bob.id]: { n: 1 }, [drawer.id]: { n: 1 } };
    const params = { type: 'm.test', txn: 'full' };
    const keys = { params, body: { messages: { [bob.user.talkId]: theirs } } };
    for (let times = 0; times < 2; times += 1)
      expect(okOf(await alice.user.call('sendToDevice', keys))).toEqual({ unknown: [], full });
    const messages = { [bob.user.talkId]: theirs, [alice.user.talkId]: { [desk.id]: { n: 2 } } };
    const body = { message_id: systemRandom.uuid(), to: bob.user.talkId, messages };
    expect(okOf(await alice.user.call('sendDirect', { body }))).toMatchObject({ full });
    fill.run(queueLimits.rowsMax, bob.id);
    const again = { ...body, message_id: systemRandom.uuid() };
    expect((await alice.user.call('sendDirect', { body: again })).body).toMatchObject({
      code: 'overloaded',
      full: [{ device_id: bob.id }, { device_id: drawer.id }],
    });
    expect((await drawer.user.device()).id).not.toBe('');
    fill.run(2, bob.id);
    fill.run(0, drawer.id);
    using queue = await bob.open();
    // Of the drawer phone it was told; of the one that came while it was full it was not.
    expect(numbers(queue.items)).toEqual(['device_new', 1, 1]);
    using own = await desk.open();
    expect(numbers(own.items)).toEqual([2]);
  });

  it('is not filled by one person, whatever number of devices he writes from', async () => {
    const [alice, bob] = await pair();
    const [carol] = await pair();
    const desk = await (await alice.user.session()).device();
    okOf(await send(alice, bob, { n: 0 }));
    const { db } = rig.signaling.ground;
    const use = db.prepare('UPDATE queue_shares SET waiting = ?, bytes = ? WHERE device_id = ?');
    const left = { unknown: [], full: [{ user_id: bob.user.talkId, device_id: bob.id }] };
    for (const share of [
      [queueLimits.rowsBySenderMax, 1_000],
      [1, queueLimits.bytesBySenderMax],
    ]) {
      expect(use.run(...share, bob.id).changes).toBe(1);
      for (const from of [alice, desk]) expect(okOf(await send(from, bob, { n: 'too much' }))).toEqual(left);
    }
    expect(okOf(await send(carol, bob, { n: 1 }))).toEqual({ unknown: [] });
    using queue = await bob.open();
    expect(numbers(queue.items)).toEqual([0, 1]);
    await waitFor('the shares to be free', () => shares(bob) === 0);
    okOf(await send(alice, bob, { n: 2 }));
    await waitFor('what comes then', () => numbers(queue.items).includes(2));
  });
});

const shares = (device: TestDevice): number | undefined =>
  rig.signaling.ground.db
    .prepare<[string], number>('SELECT count(*) FROM queue_shares WHERE device_id = ?')
    .pluck()
    .get(device.id);

const waiting = async (device: TestDevice): Promise<number | undefined> =>
  Promise.resolve(
    rig.signaling.ground.db
      .prepare<[string], number>('SELECT count(*) FROM queue WHERE device_id = ?')
      .pluck()
      .get(device.id),
  );

describe('devices that nobody uses', () => {
  const dayHours = 24;

  it('go after ninety days with their queue, and their owner is told; a clock that jumps removes none', async () => {
    // Goes on by itself too: tokens are dated by the real clock, and one from the future is refused.
    const { clock, jump, pass } = makeTimeBox();
    let devices: DevicesPart | undefined;
    await using own = await startTalkRig({
      clock,
      parts: (ground) => {
        devices = createDevicesPart(ground);
        return [devices.part];
      },
    });
    const [, drawer] = await pair(own);
    const user = drawer.user;
    const desk = await (await user.session()).device('Desk');
    const left = (): string[] =>
      own.signaling.ground.db.prepare<[], string>('SELECT id FROM devices ORDER BY id').pluck().all();
    const before = left();
    jump(400 * dayHours);
    devices?.sweep();
    expect(left()).toEqual(before);
    jump(-400 * dayHours);
    devices?.sweep();
    const open = await (await own.user()).device('Open');
    using _queue = await open.open();
    for (let day = 0; day < 91; day += 1) {
      pass(dayHours);
      own.signaling.ground.db
        .prepare('UPDATE devices SET last_used_ms = ? WHERE id = ?')
        .run(clock.now(), desk.id);
      devices?.sweep();
    }
    expect(left()).toEqual([desk.id, open.id].sort());
    const told = own.signaling.ground.db
      .prepare<[string], string>('SELECT body FROM queue WHERE device_id = ? ORDER BY pos DESC')
      .pluck()
      .get(desk.id);
    expect(JSON.parse(told ?? '')).toMatchObject({
      event: { type: 'siphera.device_expired', content: { device_id: drawer.id, name: 'Phone' } },
    });
  });
});

describe('who may send', () => {
  it('is a session that is a device, to devices of its organisation', async () => {
    const [alice, bob] = await pair();
    const thief = await alice.user.session();
    const stolen = { ...alice, user: thief };
    expect(codeOf(await send(stolen, bob, { n: 1 }))).toBe('forbidden');
    using queue = await bob.open();
    expect(queue.items).toEqual([]);
  });
});
