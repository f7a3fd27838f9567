/** What a room has and the queue did not bring; and what a device reads that has just come. */
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConversationId } from '../content.ts';
import { closeAll, held, pair } from '../testing/acquainted.ts';
import { arrives, newDevice, texts, until } from '../testing/people.ts';

afterEach(closeAll);

describe('an event of a room that the queue skipped', () => {
  it('is read from the room, whether another follows it or only the room says that there is more', async () => {
    const { server, ann, bob } = await pair();
    const conv = await ann.first.engine.createGroup({ name: 'ours', memberIds: [bob.userId] });
    await ann.first.engine.send(conv, { body: 'one' });
    await arrives(bob.first, conv, 'one');
    let skips = true;
    server.tamper.deliver = (item, to) =>
      skips && to.userId === bob.userId && item.kind === 'room_event' ? [] : [item];
    for (const body of ['two', 'three']) await ann.first.engine.send(conv, { body });
    const room = server.rooms.get(conv.slice(2));
    if (!room) throw new Error('no room');
    await until(() => room.last_seq === 4, 'all to be sent');
    skips = false;
    await ann.first.engine.send(conv, { body: 'four' });
    await arrives(bob.first, conv, 'two');
    expect(await texts(bob.first, conv)).toEqual(['one', 'two', 'three', 'four']);
    skips = true;
    await ann.first.engine.send(conv, { body: 'five' });
    await until(() => room.last_seq === 6, 'all to be sent');
    server.announce(room);
    await arrives(bob.first, conv, 'five');
    const [shown] = await bob.first.engine.conversations();
    expect(shown).toMatchObject({ unread: 5, warnings: [] });
    // Asked for once, and not again.
    const asked = bob.first.logs.filter((line) => line.includes('talk_gap')).length;
    await bob.first.engine.send(conv, { body: 'six' });
    await arrives(ann.first, conv, 'six');
    expect(bob.first.logs.filter((line) => line.includes('talk_gap'))).toHaveLength(asked);
  });
});

describe('keys of what was said before', () => {
  it('are fetched once more when they could not be fetched at once', async () => {
    const { server, ann, bob } = await pair();
    const incident = randomUUID();
    const conv = await ann.first.engine.joinIncident(incident);
    await ann.first.engine.send(conv, { body: 'smoke' });
    await until(async () =>
      (await ann.first.engine.messages(conv)).items.every((one) => one.delivery !== 'waiting'),
    );
    let failed = 0;
    bob.first.downloadFails = () => (failed += 1) <= 1;
    await bob.first.engine.joinIncident(incident);
    await until(() => failed > 0, 'the first try');
    const start = server.now;
    bob.first.now = () => start() + 60_000;
    await bob.first.restart();
    await arrives(bob.first, conv, 'smoke');
  });
});

describe('keys of before that were asked for in vain', () => {
  it('are asked for again', async () => {
    const { server, ann, bob } = await pair();
    const incident = randomUUID();
    const conv = await ann.first.engine.joinIncident(incident);
    await ann.first.engine.send(conv, { body: 'smoke' });
    await until(async () =>
      (await ann.first.engine.messages(conv)).items.every((one) => one.delivery !== 'waiting'),
    );
    let dropped = 0;
    server.tamper.deliver = (item, to) => {
      if (to.userId !== ann.userId || item.kind !== 'to_device') return [item];
      dropped += 1;
      return [];
    };
    await bob.first.engine.joinIncident(incident);
    await until(() => dropped > 0, 'the first question');
    await until(async () =>
      (await bob.first.engine.messages(conv)).items.some((one) => one.content.t === 'undecryptable'),
    );
    server.tamper = {};
    bob.first.now = () => server.now() + 61_000;
    await arrives(bob.first, conv, 'smoke');
  });
});

describe('a new device', () => {
  it('reads a backup of many pages, and lets a part that fails keep back nothing else', async () => {
    const { server, ann, bob } = await pair();
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'direct' });
    await arrives(bob.first, `d:${ann.userId}`, 'direct');
    const convs: ConversationId[] = [];
    for (const name of ['a', 'b', 'c']) {
      const conv = await ann.first.engine.createGroup({ name, memberIds: [bob.userId] });
      await ann.first.engine.send(conv, { body: `in ${name}` });
      await arrives(bob.first, conv, `in ${name}`);
      convs.push(conv);
    }
    await until(() => Object.keys(server.backups.get(bob.userId)?.rooms ?? {}).length === 3, 'the backup');
    await until(() => server.archives.get(bob.userId)?.size === 1, 'the archive');
    for (const one of [ann, bob]) one.first.disconnect();
    server.backupPageMax = 1;
    let pages = 0;
    const fresh = held(await newDevice(server, bob.userId));
    fresh.fate = (route) => (route === 'getBackupKeys' && (pages += 1) > 1 ? 'lost' : 'arrives');
    await fresh.engine.recover(bob.secret);
    await arrives(fresh, `d:${ann.userId}`, 'direct');
    await until(async () => (await fresh.engine.conversations()).length === 4, 'the rooms');
    fresh.fate = () => 'arrives';
    fresh.disconnect();
    fresh.connect();
    for (const [at, name] of ['a', 'b', 'c'].entries())
      await arrives(fresh, convs[at] ?? 'r:none', `in ${name}`);
  });
});
