import { emptyChain, type MembershipStatement, type TalkReads, type TalkRoom } from '@siphera/contract';
import { waitFor } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { grant, orgScope } from './testing/feed-server.ts';
import {
  chainOf,
  codeOf,
  devicesUpto,
  eventsOf,
  makeGroup,
  resign,
  roomOf,
  say,
  send,
  sign,
  state,
  uuid,
} from './testing/room-kit.ts';
import {
  startTalkRig,
  type TalkRig,
  type TestDevice,
  type TestQueue,
  type TestUser,
} from './testing/talk-rig.ts';

let rig: TalkRig;
beforeAll(async () => {
  rig = await startTalkRig();
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});

/** So many people with a device each. */
const devices = async (count: number): Promise<TestDevice[]> => {
  const made: TestDevice[] = [];
  for (let index = 0; index < count; index += 1) made.push(await (await rig.user()).device());
  return made;
};
const usersOf = (list: readonly TestDevice[]): TestUser[] => list.map(({ user }) => user);
const roomsIn = (queue: TestQueue): TalkRoom[] =>
  queue.items.flatMap((item) => (item.kind === 'room' ? [item.room] : []));
const textsIn = (queue: TestQueue): unknown[] =>
  queue.items.flatMap((item) => (item.kind === 'room_event' ? [item.event.content['ciphertext']] : []));
const refusal = async (answer: ReturnType<typeof state>): Promise<unknown> => codeOf(await answer);

describe('a group', () => {
  it('is made, changed and left by statements, which all members hear, and who goes too', async () => {
    const [ada, bob, cyd] = (await devices(3)) as [TestDevice, TestDevice, TestDevice];
    using bobs = await bob.open();
    using cyds = await cyd.open();
    const made = await makeGroup(ada, [bob.user]);
    expect(made).toMatchObject({ kind: 'group', incident_id: null, last_seq: 0 });
    expect(chainOf(made).members).toEqual([ada.user.id, bob.user.id]);
    await waitFor('the group', () => roomsIn(bobs).length === 1);
    expect(roomsIn(bobs)[0]).toEqual(made);
    expect(roomsIn(cyds)).toEqual([]);

    const added = roomOf(await say(bob, made, 'add', [cyd.user]));
    expect(added.member_ids.toSorted()).toEqual(
      usersOf([ada, bob, cyd])
        .map(({ id }) => id)
        .toSorted(),
    );
    await waitFor('who was added', () => roomsIn(cyds).length === 1);
    expect(chainOf(roomsIn(cyds)[0]!)).toEqual(chainOf(added));

    const removed = roomOf(await say(ada, added, 'remove', [bob.user]));
    await waitFor('who was removed', () => roomsIn(bobs).length === 3);
    expect(roomsIn(bobs)[2]!.member_ids).not.toContain(bob.user.id);
    expect((await bob.user.call('getRoom', { params: { id: made.id } })).status).toBe(404);
    expect(await refusal(say(bob, removed, 'add', [bob.user]))).toBe('not_found');

    const left = roomOf(await say(cyd, removed, 'leave'));
    expect(chainOf(left).members).toEqual([ada.user.id]);
    expect((await cyd.user.call('listRooms')).body).toEqual({ items: [] });
    expect((await ada.user.call('listRooms')).body).toMatchObject({
      items: [{ id: made.id, statements: { length: 4 } }],
    });
  });

  it('tells who left, when he comes back to his queue, of nothing that was said after he had gone', async () => {
    const [ada, bob, cyd] = (await devices(3)) as [TestDevice, TestDevice, TestDevice];
    const room = await makeGroup(ada, [bob.user]);
    const without = roomOf(await say(ada, room, 'remove', [bob.user]));
    await say(ada, without, 'add', [cyd.user]);
    using bobs = await bob.open();
    await waitFor('both', () => roomsIn(bobs).length === 2);
    expect(roomsIn(bobs).map(({ statements }) => statements.length)).toEqual([1, 2]);
    expect(roomsIn(bobs)[1]!.member_ids).toEqual([ada.user.id]);
  });

  it('takes only so many changes of one person, who could else use the room up; he may always leave', async () => {
    const [ada, bob] = (await devices(2)) as [TestDevice, TestDevice];
    const room = await makeGroup(ada, []);
    const insert = rig.signaling.ground.db.prepare('INSERT INTO statements VALUES (?, ?, ?, ?)');
    const body = JSON.stringify({ by_user: ada.user.id });
    for (let n = 1_000; n < 1_099; n += 1) insert.run(room.id, n, 'f'.repeat(64), body);
    expect(await refusal(say(ada, room, 'add', [bob.user]))).toBe('unprocessable');
    expect((await say(ada, room, 'leave')).status).toBe(200);
  });

  it('takes nobody of another organisation, nobody without talk, and nobody who does not work here', async () => {
    const [ada] = (await devices(1)) as [TestDevice];
    const viewer = await rig.user({ grants: [grant(orgScope, 'event.read', 'incident.read')] });
    const foreign = await rig.user();
    rig.core.putPerson({ ...rig.core.people.get(foreign.id)!, org_id: uuid() });
    const disabled = await rig.user();
    rig.core.putPerson({ ...rig.core.people.get(disabled.id)!, active: false, grants: [] });
    await waitFor('them', () => rig.signaling.ground.people.get(disabled.id)?.active === false);
    const room = await makeGroup(ada, []);
    for (const user of [viewer, foreign, disabled, { id: uuid() }]) {
      expect(await refusal(say(ada, room, 'add', [user]))).toBe('unprocessable');
      const id = uuid();
      const statement = sign(ada, emptyChain(id, 'group'), 'create', [user]);
      expect(await refusal(ada.user.call('createRoom', { body: { id, statement } }))).toBe('unprocessable');
      expect((await ada.user.call('getRoom', { params: { id } })).status).toBe(404);
    }
    expect((await viewer.call('listRooms')).status).toBe(403);
    expect((await foreign.call('getRoom', { params: { id: room.id } })).status).toBe(404);
  });

  it('takes no statement that is forged, out of its chain, of a stranger or of another device', async () => {
    const [ada, bob, eve] = (await devices(3)) as [TestDevice, TestDevice, TestDevice];
    const adas = await (await ada.user.session()).device('Desk');
    const room = await makeGroup(ada, [bob.user]);
    const good = sign(ada, chainOf(room), 'add', [eve.user]);
    const tries: [string, TestDevice, MembershipStatement][] = [
      ['forbidden', ada, { ...good, user_ids: [] }],
      [
        'forbidden',
        ada,
        { ...good, signature: good.signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')) },
      ],
      ['forbidden', ada, { ...good, signature: '' }],
      ['forbidden', ada, { ...good, signature: eve.pair.sign('siphera') }],
      // By whom it says, but sent by somebody else, or by another of his own devices.
      ['forbidden', bob, good],
      ['forbidden', adas, good],
      ['forbidden', bob, resign(bob, good, { by_device: bob.id })],
      ['conflict', ada, resign(ada, good, { prev: 'a'.repeat(64) })],
      ['conflict', ada, resign(ada, good, { n: 0, prev: '' })],
      ['conflict', ada, resign(ada, good, { n: 7 })],
      ['unprocessable', ada, resign(ada, good, { room_id: uuid() })],
      ['unprocessable', ada, resign(ada, good, { action: 'create' })],
      ['unprocessable', ada, resign(ada, good, { user_ids: [eve.user.id, eve.user.id] })],
      ['not_found', eve, sign(eve, chainOf(room), 'add', [eve.user])],
      ['not_found', eve, sign(eve, chainOf(room), 'join')],
      ['not_found', eve, sign(eve, chainOf(room), 'leave')],
    ];
    for (const [code, device, statement] of tries)
      expect([code, await refusal(state(device, room, statement))]).toEqual([code, code]);
    expect(roomOf(await bob.user.call('getRoom', { params: { id: room.id } })).statements).toEqual(
      room.statements,
    );
    expect((await state(ada, room, good)).status).toBe(200);
  });

  it('makes no room of a statement about another, or over one that is there', async () => {
    const [ada, eve] = (await devices(2)) as [TestDevice, TestDevice];
    const room = await makeGroup(ada, []);
    const create = (device: TestDevice, id: string, statement: MembershipStatement) =>
      device.user.call('createRoom', { body: { id, statement } });
    expect(await refusal(create(ada, uuid(), room.statements[0]!))).toBe('unprocessable');
    expect(await refusal(create(eve, room.id, sign(eve, emptyChain(room.id, 'group'), 'create')))).toBe(
      'duplicate',
    );
    const id = uuid();
    expect(await refusal(create(ada, id, sign(ada, emptyChain(id, 'incident'), 'join')))).toBe(
      'unprocessable',
    );
    expect(await refusal(create(eve, id, sign(ada, emptyChain(id, 'group'), 'create')))).toBe('forbidden');
    expect((await create(ada, room.id, room.statements[0]!)).body).toEqual(room);
  });

  it('takes a statement again when its answer was lost, and never a second time', async () => {
    const [ada, bob, cyd] = (await devices(3)) as [TestDevice, TestDevice, TestDevice];
    const room = await makeGroup(ada, [bob.user]);
    const leave = sign(bob, chainOf(room), 'leave');
    const left = roomOf(await state(bob, room, leave));
    expect(roomOf(await state(bob, room, leave))).toEqual(left);
    const back = roomOf(await say(ada, left, 'add', [bob.user, cyd.user]));
    // What he once said does not put him out again, whoever brings it.
    expect(await refusal(state(bob, room, leave))).toBe('conflict');
    expect(await refusal(state(ada, room, leave))).toBe('forbidden');
    expect(roomOf(await bob.user.call('getRoom', { params: { id: room.id } }))).toEqual(back);
  });

  it('lets one of two come first who change it at once, and tells the other', async () => {
    const [ada, bob, cyd, dan] = (await devices(4)) as [TestDevice, TestDevice, TestDevice, TestDevice];
    const room = await makeGroup(ada, [bob.user]);
    const answers = await Promise.all([say(ada, room, 'add', [cyd.user]), say(bob, room, 'add', [dan.user])]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const lost = answers[0].status === 409 ? ([ada, cyd] as const) : ([bob, dan] as const);
    expect(answers.find(({ status }) => status === 409)!.body).toMatchObject({
      code: 'conflict',
      statements: 2,
    });
    const now = roomOf(await lost[0].user.call('getRoom', { params: { id: room.id } }));
    const both = roomOf(await say(lost[0], now, 'add', [lost[1].user]));
    expect(chainOf(both).members.toSorted()).toEqual(
      usersOf([ada, bob, cyd, dan])
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  it('needs the device: a session that has not proved it makes and says nothing', async () => {
    const [ada] = (await devices(1)) as [TestDevice];
    const room = await makeGroup(ada, []);
    const thief = { ...ada, user: await ada.user.session() };
    expect(await refusal(say(thief, room, 'leave'))).toBe('forbidden');
    expect(await refusal(send(thief, room))).toBe('forbidden');
    expect(await refusal(thief.user.call('readRoom', { params: { id: room.id }, body: { seq: 1 } }))).toBe(
      'forbidden',
    );
  });
});

describe('messages of a room', () => {
  it('reach all devices of all members but the one that sends, in order, also after a restart', async () => {
    const [ada, bob] = (await devices(2)) as [TestDevice, TestDevice];
    const desk = await (await ada.user.session()).device('Desk');
    const room = await makeGroup(ada, [bob.user]);
    const first = await send(ada, room, { text: 'one' });
    expect(first.body).toMatchObject({ seq: 1, sender: ada.user.talkId, sender_device: ada.id });
    await send(bob, room, { text: 'two' });
    await rig.restart();
    await send(ada, room, { text: 'three' });
    using bobs = await bob.open();
    using desks = await desk.open();
    using adas = await ada.open();
    await waitFor('the messages', () => textsIn(bobs).length === 2 && textsIn(desks).length === 3);
    expect(textsIn(bobs)).toEqual(['one', 'three']);
    expect(textsIn(desks)).toEqual(['one', 'two', 'three']);
    expect(textsIn(adas)).toEqual(['two']);
  });

  it('are one for one id, however often they are sent', async () => {
    const [ada, bob] = (await devices(2)) as [TestDevice, TestDevice];
    using bobs = await bob.open();
    const room = await makeGroup(ada, [bob.user]);
    const event_id = uuid();
    const sent = await send(ada, room, { event_id, text: 'first' });
    expect((await send(ada, room, { event_id, text: 'again' })).body).toEqual(sent.body);
    expect(codeOf(await send(bob, room, { event_id, text: 'mine' }))).toBe('idempotency_mismatch');
    await send(ada, room, { text: 'last' });
    await waitFor('the last', () => textsIn(bobs).includes('last'));
    expect(textsIn(bobs)).toEqual(['first', 'last']);
    expect((await eventsOf(bob.user, room)).items).toHaveLength(2);
  });

  it('are refused when members or their devices are others than the sender knew, and say which', async () => {
    const [ada, bob, cyd] = (await devices(3)) as [TestDevice, TestDevice, TestDevice];
    const room = await makeGroup(ada, [bob.user]);
    const devices_upto = await devicesUpto(ada.user);
    const grown = roomOf(await say(bob, room, 'add', [cyd.user]));
    const old = await send(ada, room);
    expect(old).toMatchObject({
      status: 409,
      body: { code: 'conflict', changed: ['members'], statements: 2 },
    });
    expect((await send(ada, grown, { devices_upto })).status).toBe(200);
    await (await cyd.user.session()).device('Another phone');
    expect(await send(ada, grown, { devices_upto })).toMatchObject({
      status: 409,
      body: { code: 'conflict', changed: ['devices'], users: [cyd.user.talkId] },
    });
    expect((await send(ada, grown)).status).toBe(200);
    expect((await eventsOf(ada.user, room)).items).toHaveLength(2);
  });

  it('go to nobody who was removed, and are not his to read', async () => {
    const [ada, bob] = (await devices(2)) as [TestDevice, TestDevice];
    using bobs = await bob.open();
    const room = await makeGroup(ada, [bob.user]);
    await send(ada, room, { text: 'with him' });
    const without = roomOf(await say(ada, room, 'remove', [bob.user]));
    await send(ada, without, { text: 'without him' });
    const again = roomOf(await say(ada, without, 'add', [bob.user]));
    await send(ada, again, { text: 'with him again' });
    await waitFor('the last', () => textsIn(bobs).includes('with him again'));
    expect(textsIn(bobs)).toEqual(['with him', 'with him again']);
    const gone = roomOf(await say(ada, again, 'remove', [bob.user]));
    expect((await send(bob, gone)).status).toBe(404);
    expect((await bob.user.call('listRoomEvents', { params: { id: room.id } })).status).toBe(404);
  });

  it('are not held up by a phone in a drawer, whose queue is full; nor is its owner held in the room', async () => {
    const [ada, bob] = (await devices(2)) as [TestDevice, TestDevice];
    const room = await makeGroup(ada, [bob.user]);
    rig.signaling.ground.db.prepare('UPDATE devices SET queue_rows = 20000 WHERE id = ?').run(bob.id);
    expect((await send(ada, room, { text: 'all the same' })).status).toBe(200);
    expect((await eventsOf(bob.user, room)).items.map(({ content }) => content['ciphertext'])).toEqual([
      'all the same',
    ]);
    expect((await say(ada, room, 'remove', [bob.user])).status).toBe(200);
  });

  it('are read page by page, newest first, back to the opening', async () => {
    const [ada, bob] = (await devices(2)) as [TestDevice, TestDevice];
    const room = await makeGroup(ada, []);
    const devices_upto = await devicesUpto(ada.user);
    for (let n = 1; n <= 7; n += 1) await send(ada, room, { text: `${n}`, devices_upto });
    await say(ada, room, 'add', [bob.user]);
    const seqs = async (query: Record<string, string>) => {
      const page = await eventsOf(bob.user, room, query);
      return { seqs: page.items.map(({ seq }) => seq), more: page.more };
    };
    expect(await seqs({ limit: '3' })).toEqual({ seqs: [7, 6, 5], more: true });
    expect(await seqs({ limit: '3', before: '5' })).toEqual({ seqs: [4, 3, 2], more: true });
    expect(await seqs({ limit: '3', before: '2' })).toEqual({ seqs: [1], more: false });
    expect(await seqs({ limit: '7' })).toEqual({ seqs: [7, 6, 5, 4, 3, 2, 1], more: false });
    const { items } = await eventsOf(bob.user, room, { limit: '1' });
    expect(items[0]).toMatchObject({ content: { ciphertext: '7' }, sender: ada.user.talkId });
  });

  it('tell members how far each has read, only forward, and nobody else', async () => {
    const [ada, bob, eve] = (await devices(3)) as [TestDevice, TestDevice, TestDevice];
    using adas = await ada.open();
    using eves = await eve.open();
    const heard: { who: string; reads: z.infer<typeof TalkReads> }[] = [];
    adas.socket.on('reads', (reads) => heard.push({ who: 'ada', reads }));
    eves.socket.on('reads', (reads) => heard.push({ who: 'eve', reads }));
    const room = await makeGroup(ada, [bob.user]);
    await send(ada, room);
    await send(ada, room);
    const read = (seq: number) => bob.user.call('readRoom', { params: { id: room.id }, body: { seq } });
    for (const seq of [1, 2, 1, 99]) expect((await read(seq)).status).toBe(204);
    expect((await eve.user.call('readRoom', { params: { id: room.id }, body: { seq: 1 } })).status).toBe(404);
    await send(ada, room);
    await read(3);
    await waitFor('the reads', () => heard.length >= 3);
    expect(heard).toEqual(
      [1, 2, 3].map((seq) => ({ who: 'ada', reads: { room_id: room.id, user_id: bob.user.id, seq } })),
    );
    const { reads } = roomOf(await ada.user.call('getRoom', { params: { id: room.id } }));
    expect(reads).toEqual([{ user_id: bob.user.id, seq: 3 }]);
  });
});

describe('a message to a room', () => {
  it('wakes the other members, unless it says not to', async () => {
    const [ada, bob, cyd] = (await devices(3)) as [TestDevice, TestDevice, TestDevice];
    const room = await makeGroup(ada, [bob.user, cyd.user]);
    const woken: string[] = [];
    const deafen = rig.signaling.ground.signals.on((signal) => {
      if (signal.kind === 'wake') woken.push(signal.userId);
    });
    await send(ada, room, { wake: 'none' });
    expect(woken).toEqual([]);
    await send(ada, room, { wake: 'message' });
    expect(woken.toSorted()).toEqual([bob.user.id, cyd.user.id].toSorted());
    deafen();
  });
});

describe('somebody who was disabled', () => {
  it('gets nothing and reads nothing, while the statements stay; the others are told, and when he is back', async () => {
    const [ada, bob] = (await devices(2)) as [TestDevice, TestDevice];
    using adas = await ada.open();
    const room = await makeGroup(ada, [bob.user]);
    const person = rig.core.people.get(bob.user.id)!;
    const known = (active: boolean) =>
      waitFor('core’s word', () => rig.signaling.ground.people.get(bob.user.id)?.active === active);
    rig.core.putPerson({ ...person, active: false, grants: [] });
    await known(false);
    await waitFor('word of it', () => roomsIn(adas).length === 2);
    expect(roomsIn(adas)[1]!.member_ids).toEqual([ada.user.id]);
    expect(roomsIn(adas)[1]!.statements).toEqual(room.statements);
    expect((await send(ada, room, { text: 'while he was out' })).status).toBe(200);
    // His token is good until core's revocation comes; it opens no room.
    expect((await bob.user.call('getRoom', { params: { id: room.id } })).status).toBe(404);
    expect((await bob.user.call('listRooms')).body).toEqual({ items: [] });
    expect((await send(bob, room)).status).toBe(404);

    rig.core.putPerson(person);
    await known(true);
    await waitFor('word of his return', () => roomsIn(adas).length === 3);
    expect(roomsIn(adas)[2]!.member_ids).toContain(bob.user.id);
    using bobs = await bob.open();
    await send(ada, room, { text: 'after his return' });
    await waitFor('the message', () => textsIn(bobs).length > 0);
    expect(textsIn(bobs)).toEqual(['after his return']);
  });
});
