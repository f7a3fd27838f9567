/** What people do in rooms every day that must neither lose a message nor cry wolf: they leave, are disabled, come later. */
import { randomUUID } from 'node:crypto';
import { emptyChain } from '@siphera/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { memoryStorage, readMegolmIndex } from '../side/index.ts';
import { closeAll, deviceOf, find, held, pair, taken } from '../testing/acquainted.ts';
import { MemoryProfile } from '../testing/memory-place.ts';
import { MemoryServer } from '../testing/memory-server.ts';
import { arrives, person, texts, until } from '../testing/people.ts';
import { Ground } from './ground.ts';
import { Machine, openOlm } from './machine.ts';
import { newConversation } from './records.ts';
import { isAskedFor } from './retries.ts';
import { Store } from './store.ts';

afterEach(closeAll);

describe('a member who has left since', () => {
  it('is read with what he wrote before, by a device that was away', async () => {
    const { server, ann, bob } = await pair();
    const cyd = await person(server);
    held(cyd.first);
    const conv = await ann.first.engine.createGroup({ name: 'ours', memberIds: [bob.userId, cyd.userId] });
    await ann.first.engine.send(conv, { body: 'one' });
    for (const one of [bob, cyd]) await arrives(one.first, conv, 'one');
    bob.first.disconnect();
    await cyd.first.engine.send(conv, { body: 'the key is in the safe' });
    await arrives(ann.first, conv, 'the key is in the safe');
    await cyd.first.engine.leave(conv);
    await until(() => server.rooms.get(conv.slice(2))?.statements.length === 2);
    await bob.first.restart();
    await arrives(bob.first, conv, 'the key is in the safe');
    expect(await find(bob.first, conv, 'membership_forged')).toBeUndefined();
  });

  it('loses nothing when the room as it is now comes before what he wrote', async () => {
    const { server, ann, bob } = await pair();
    const cyd = await person(server);
    held(cyd.first);
    const conv = await ann.first.engine.createGroup({ name: 'ours', memberIds: [bob.userId] });
    await ann.first.engine.send(conv, { body: 'one' });
    await arrives(bob.first, conv, 'one');
    // Bob has not heard that Cyd came when her message is there.
    let later: unknown[] = [];
    server.tamper.deliver = (item, to) => {
      if (to.userId !== bob.userId || item.kind !== 'room') return [item];
      later = [...later, item];
      return [];
    };
    await ann.first.engine.addMembers(conv, [cyd.userId]);
    await arrives(cyd.first, conv, 'one');
    await cyd.first.engine.send(conv, { body: 'hello from Cyd' });
    await arrives(ann.first, conv, 'hello from Cyd');
    expect(later).not.toEqual([]);
    await arrives(bob.first, conv, 'hello from Cyd');
    expect(await find(bob.first, conv, 'membership_forged')).toBeUndefined();
  });
});

describe('a room that could not be read when it had to be', () => {
  it('is read later, with what came in it', async () => {
    const { server, ann, bob } = await pair();
    const cyd = await person(server);
    held(cyd.first);
    const conv = await ann.first.engine.createGroup({ name: 'ours', memberIds: [bob.userId] });
    await ann.first.engine.send(conv, { body: 'one' });
    await arrives(bob.first, conv, 'one');
    server.tamper.deliver = (item, to) => (to.userId === bob.userId && item.kind === 'room' ? [] : [item]);
    bob.first.fate = (route) => (route === 'getRoom' ? 'lost' : 'arrives');
    await ann.first.engine.addMembers(conv, [cyd.userId]);
    await arrives(cyd.first, conv, 'one');
    await cyd.first.engine.send(conv, { body: 'hello from Cyd' });
    await until(() => bob.first.logs.some((line) => line.includes('"what":"room"')), 'the first try');
    bob.first.fate = () => 'arrives';
    bob.first.now = () => server.now() + 60_000;
    await arrives(bob.first, conv, 'hello from Cyd');
    expect(await find(bob.first, conv, 'membership_forged')).toBeUndefined();
  });
});

describe('an answer over Olm to what could not be read in a room', () => {
  it('counts from who was a member, and from nobody else', async () => {
    const [me, cyd, mallory] = [randomUUID(), randomUUID(), randomUUID()];
    const { place } = new MemoryProfile(new MemoryServer(), me);
    const olm = await openOlm(`@${me}:${place.orgId}`, 'AAAAAAAAAA');
    const ground = new Ground(place, new Machine(olm, place), new Store(memoryStorage()), () => undefined);
    const roomId = randomUUID();
    const conv = `r:${roomId}` as const;
    const chain = { ...emptyChain(roomId, 'group'), members: [me] };
    const record = newConversation(conv, 'group', {
      ...{ roomId, chain, delivered: [me], ever: [me, cyd], stale: false, lastSeq: 1, reads: {} },
      ...{ oldest: null, complete: false, wantsHistory: false },
    });
    await ground.write(async (draft) => ground.keep(draft, record));
    const asked = async (by: string): Promise<boolean> => {
      const id = randomUUID();
      const envelope = { v: 1 as const, id, conv, n: 1, at: 1, content: {} };
      return ground.write(async (draft) => {
        const text = { t: 'undecryptable', reason: '' };
        const base = { id, conversation: conv, senderId: by, senderDevice: 'BBBBBBBBBB', content: text };
        draft.put('messages', id, base);
        return isAskedFor(ground, draft, envelope, `@${by}:${place.orgId}`, 'BBBBBBBBBB');
      });
    };
    expect(await asked(cyd)).toBe(true);
    expect(await asked(mallory)).toBe(false);
  });
});

describe('a member who is disabled or works at another site now', () => {
  it('is no alarm, and is given no key', async () => {
    const { server, ann, bob } = await pair();
    const cyd = await person(server);
    held(cyd.first);
    const conv = await ann.first.engine.createGroup({ name: 'ours', memberIds: [bob.userId, cyd.userId] });
    await ann.first.engine.send(conv, { body: 'one' });
    for (const one of [bob, cyd]) await arrives(one.first, conv, 'one');
    const room = server.rooms.get(conv.slice(2));
    if (!room) throw new Error('no room');
    room.member_ids = [ann.userId, bob.userId];
    server.announce(room);
    await taken(deviceOf(server, ann));
    const given: string[] = [];
    server.tamper.deliver = (item, to) => {
      if (to.userId === cyd.userId) given.push(item.kind);
      return [item];
    };
    await ann.first.engine.send(conv, { body: 'two' });
    await arrives(bob.first, conv, 'two');
    const sessions = room.events.map((event) => readMegolmIndex(event.content)?.sessionId);
    // What is written now is under a key that she was not given.
    expect(sessions.at(-1)).not.toBe(sessions.at(-2));
    expect(given).toEqual([]);
    for (const one of [ann, bob]) expect(await find(one.first, conv, 'membership_forged')).toBeUndefined();
  });
});

describe('somebody who comes later', () => {
  it('has what was said before as something old, although its keys come after it', async () => {
    const { ann, bob } = await pair();
    const incident = randomUUID();
    const conv = await ann.first.engine.joinIncident(incident);
    for (const body of ['smoke', 'gate 4']) await ann.first.engine.send(conv, { body });
    await until(async () =>
      (await ann.first.engine.messages(conv)).items.every((one) => one.delivery !== 'waiting'),
    );
    ann.first.disconnect();
    await bob.first.engine.joinIncident(incident);
    await until(async () =>
      (await bob.first.engine.messages(conv)).items.some((one) => one.content.t === 'undecryptable'),
    );
    ann.first.connect();
    await arrives(bob.first, conv, 'gate 4');
    expect(await texts(bob.first, conv)).toEqual(['smoke', 'gate 4']);
    const shown = (await bob.first.engine.conversations()).find((one) => one.id === conv);
    expect(shown?.unread).toBe(0);
  });
});
