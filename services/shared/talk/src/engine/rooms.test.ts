import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { arrives, person, recovered, texts, until, type Person } from '../testing/people.ts';
import { closeAll, held } from '../testing/acquainted.ts';
import type { MemoryProfile } from '../testing/memory-place.ts';
import { MemoryServer } from '../testing/memory-server.ts';

afterEach(closeAll);

async function three(): Promise<{ server: MemoryServer; ann: Person; bob: Person; cyd: Person }> {
  const server = new MemoryServer();
  const [ann, bob, cyd] = [await person(server), await person(server), await person(server)];
  for (const one of [ann, bob, cyd]) held(one.first);
  return { server, ann, bob, cyd };
}

const members = async (profile: MemoryProfile, conv: string): Promise<string[] | undefined> =>
  (await profile.engine.conversations()).find((one) => one.id === conv)?.memberIds;

describe('a group', () => {
  it('is made, named, written in by all members, and read so far by each', async () => {
    const { ann, bob, cyd } = await three();
    const conv = await ann.first.engine.createGroup({ name: 'Night', memberIds: [bob.userId, cyd.userId] });
    await ann.first.engine.send(conv, { body: 'evening' });
    for (const one of [bob, cyd]) await arrives(one.first, conv, 'evening');
    await until(async () => (await bob.first.engine.conversations())[0]?.name === 'Night');
    await bob.first.engine.send(conv, { body: 'hello' });
    for (const one of [ann, cyd]) await arrives(one.first, conv, 'hello');
    expect(await texts(cyd.first, conv)).toEqual(['evening', 'hello']);
    const [shown] = await cyd.first.engine.conversations();
    expect(shown?.warnings).toEqual([]);
    expect(shown?.unread).toBe(2);
  });

  it('gives who was removed nothing more, and who was added what was said before', async () => {
    const { server, ann, bob, cyd } = await three();
    const conv = await ann.first.engine.createGroup({ name: 'Day', memberIds: [bob.userId] });
    await ann.first.engine.send(conv, { body: 'old' });
    await arrives(bob.first, conv, 'old');
    await bob.first.engine.addMembers(conv, [cyd.userId]);
    await arrives(cyd.first, conv, 'old');
    await until(async () => (await members(ann.first, conv))?.includes(cyd.userId));
    await ann.first.engine.removeMember(conv, bob.userId);
    await ann.first.engine.send(conv, { body: 'new' });
    await arrives(cyd.first, conv, 'new');
    await until(async () => (await members(bob.first, conv))?.includes(cyd.userId));
    // A server that delivers to him all the same gives him nothing that he could open.
    const { events } = [...server.rooms.values()][0] ?? { events: [] };
    const [device] = server.devicesOf(bob.userId);
    const last = events.at(-1);
    if (!device || !last) throw new Error('nothing sent');
    server.enqueue(device, { kind: 'room_event', event: last });
    await until(() => bob.first.logs.some((line) => line.includes('talk_')) || device.queue.length === 0);
    expect(await texts(bob.first, conv)).toEqual(['old']);
    await expect(bob.first.engine.send(conv, { body: 'let me in' })).rejects.toMatchObject({
      code: 'not_member',
    });
  });

  it('goes on when devices and members change while something is sent', async () => {
    const { server, ann, bob, cyd } = await three();
    const conv = await ann.first.engine.createGroup({ name: 'Busy', memberIds: [bob.userId] });
    await ann.first.engine.send(conv, { body: 'one' });
    await arrives(bob.first, conv, 'one');
    // Ann hears of nothing while a device and a member come.
    ann.first.fate = (route) => (route === 'talkDone' ? 'lost' : 'arrives');
    await ann.first.engine.send(conv, { body: 'two' });
    const bobPhone = held(await recovered(server, bob));
    await bob.first.engine.addMembers(conv, [cyd.userId]);
    await ann.first.engine.send(conv, { body: 'three' });
    await arrives(bobPhone, conv, 'three');
    await arrives(cyd.first, conv, 'three');
    expect(await texts(bobPhone, conv)).toEqual(['one', 'two', 'three']);
  });
});

describe('the room of an incident', () => {
  it('is joined by oneself, and read from its opening by who comes later', async () => {
    const { ann, bob, cyd } = await three();
    const incident = randomUUID();
    const conv = await ann.first.engine.joinIncident(incident);
    for (const body of ['smoke', 'gate 4', 'fire brigade called'])
      await ann.first.engine.send(conv, { body });
    await until(async () =>
      (await ann.first.engine.messages(conv)).items.every((one) => one.delivery !== 'waiting'),
    );
    expect(await bob.first.engine.joinIncident(incident)).toBe(conv);
    await arrives(bob.first, conv, 'fire brigade called');
    expect(await texts(bob.first, conv)).toEqual(['smoke', 'gate 4', 'fire brigade called']);
    await bob.first.engine.send(conv, { body: 'on my way' });
    await arrives(ann.first, conv, 'on my way');
    await cyd.first.engine.joinIncident(incident);
    await arrives(cyd.first, conv, 'smoke');
    await arrives(cyd.first, conv, 'on my way');
    const lines = (await ann.first.engine.messages(conv)).items.flatMap(({ content }) =>
      content.t === 'event' ? [content.what] : [],
    );
    expect(lines).toEqual(['joined', 'joined', 'joined']);
  });
});
