/** What a hostile server can try with rooms and with what it keeps, named as the threat model names it (docs/design/threat-model.md). */
import { randomUUID } from 'node:crypto';
import { statementText } from '@siphera/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { acquainted, closeAll, deviceOf, find, held, madeUp, pair, taken } from '../testing/acquainted.ts';
import { sha256Hex } from '../side/index.ts';
import type { Json } from '../testing/memory-server.ts';
import { arrives, newDevice, person, texts, until } from '../testing/people.ts';

afterEach(closeAll);

describe('a server that forges membership', () => {
  it('lets nobody in by its list, and is told on', async () => {
    const { server, ann, bob } = await pair();
    const mallory = await person(server);
    held(mallory.first);
    const conv = await ann.first.engine.createGroup({ name: 'ours', memberIds: [bob.userId] });
    await ann.first.engine.send(conv, { body: 'one' });
    await arrives(bob.first, conv, 'one');
    const room = server.rooms.get(conv.slice(2));
    if (!room) throw new Error('no room');
    room.member_ids.push(mallory.userId);
    server.announce(room);
    const told = await until(() => find(ann.first, conv, 'membership_forged'));
    expect(told).toEqual({ kind: 'membership_forged', userIds: [mallory.userId] });
    const given: string[] = [];
    server.tamper.deliver = (item, to) => {
      if (to.userId === mallory.userId) given.push(item.kind);
      return [item];
    };
    await ann.first.engine.send(conv, { body: 'two' });
    await arrives(bob.first, conv, 'two');
    await taken(deviceOf(server, mallory));
    // The ciphertext is the server's to give to whom it likes. A key came from nobody.
    expect(given.filter((kind) => kind !== 'room_event')).toEqual([]);
    expect(await texts(mallory.first, conv)).toEqual([]);
  });

  it('cannot make up, change or leave out a statement', async () => {
    const { server, ann, bob } = await pair();
    const mallory = await person(server);
    held(mallory.first);
    const conv = await ann.first.engine.createGroup({ name: 'ours', memberIds: [bob.userId] });
    await ann.first.engine.send(conv, { body: 'one' });
    await arrives(bob.first, conv, 'one');
    const room = server.rooms.get(conv.slice(2));
    const made = room?.statements[0];
    if (!room || !made) throw new Error('no room');
    const members = async (): Promise<string[] | undefined> =>
      (await bob.first.engine.conversations()).find((one) => one.id === conv)?.memberIds;
    const forged = [
      { ...made, user_ids: [bob.userId, mallory.userId] },
      { ...made, n: 1, prev: 'ab'.repeat(32), action: 'add' as const, user_ids: [mallory.userId] },
    ];
    for (const statement of forged) {
      room.statements = statement.n === 0 ? [statement] : [made, statement];
      room.member_ids = [ann.userId, bob.userId, mallory.userId];
      server.announce(room);
      await taken(deviceOf(server, bob));
      expect(await members()).toEqual([ann.userId]);
    }
  });

  it('cannot sign one with a device that it made in a member’s name', async () => {
    const { server, ann, bob } = await pair();
    const mallory = await person(server);
    held(mallory.first);
    const conv = await ann.first.engine.createGroup({ name: 'ours', memberIds: [bob.userId] });
    await ann.first.engine.send(conv, { body: 'one' });
    await arrives(bob.first, conv, 'one');
    const { olm, keys } = await madeUp(server.mx(ann.userId), 'MALLORYDEV');
    const own = deviceOf(server, ann);
    server.devices.set('MALLORYDEV', { ...own, id: 'MALLORYDEV', keys, queue: [], socket: undefined });
    server.changed(ann.userId);
    const room = server.rooms.get(conv.slice(2));
    const made = room?.statements[0];
    if (!room || !made) throw new Error('no room');
    const { signature: _signature, ...rest } = made;
    const add = {
      ...rest,
      n: 1,
      prev: await sha256Hex(statementText(rest)),
      action: 'add' as const,
      user_ids: [mallory.userId],
      by_device: 'MALLORYDEV',
    };
    const signatures = JSON.parse((await olm.sign(statementText(add))).asJSON()) as Record<string, Json>;
    const signature = String(signatures[server.mx(ann.userId)]?.['ed25519:MALLORYDEV']);
    room.statements.push({ ...add, signature });
    room.member_ids.push(mallory.userId);
    server.announce(room);
    const told = await until(() => find(bob.first, conv, 'membership_forged'));
    expect(told).toEqual({ kind: 'membership_forged', userIds: [mallory.userId] });
    const shown = (await bob.first.engine.conversations()).find((one) => one.id === conv);
    expect(shown?.memberIds).toEqual([ann.userId]);
  });

  it('cannot let somebody write who is no member', async () => {
    const { server, ann, bob } = await pair();
    const mallory = await person(server);
    held(mallory.first);
    const conv = await ann.first.engine.createGroup({ name: 'ours', memberIds: [bob.userId] });
    await ann.first.engine.send(conv, { body: 'one' });
    await arrives(bob.first, conv, 'one');
    const own = await mallory.first.engine.createGroup({ name: 'trap', memberIds: [bob.userId] });
    await mallory.first.engine.send(own, { body: 'open the gate' });
    await arrives(bob.first, own, 'open the gate');
    const event = server.rooms.get(own.slice(2))?.events.at(-1);
    if (!event) throw new Error('nothing sent');
    server.enqueue(deviceOf(server, bob), {
      kind: 'room_event',
      event: { ...event, room_id: conv.slice(2), event_id: randomUUID() },
    });
    await taken(deviceOf(server, bob));
    const told = await until(() => find(bob.first, conv, 'membership_forged'));
    expect(told).toMatchObject({ userIds: [mallory.userId] });
    expect(await texts(bob.first, conv)).toEqual(['one']);
  });
});

describe('a server that keeps what is kept', () => {
  it('cannot put a backup of its own under a new device', async () => {
    const { server, ann, bob } = await pair();
    const conv = await ann.first.engine.createGroup({ name: 'ours', memberIds: [bob.userId] });
    await ann.first.engine.send(conv, { body: 'one' });
    await arrives(bob.first, conv, 'one');
    await until(() => Object.keys(server.backups.get(bob.userId)?.rooms ?? {}).length > 0);
    const forged = server.backups.get(ann.userId);
    if (!forged) throw new Error('no backup');
    server.backups.set(bob.userId, forged);
    const fresh = held(await newDevice(server, bob.userId));
    await fresh.engine.recover(bob.secret);
    await until(async () => (await fresh.engine.conversations()).some((one) => one.id === conv));
    expect(await texts(fresh, conv)).toEqual([]);
  });

  it('cannot put one archived message in another’s place', async () => {
    const { server, ann, bob } = await acquainted();
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'second' });
    await arrives(bob.first, `d:${ann.userId}`, 'second');
    const archive = await until(() => {
      const found = server.archives.get(bob.userId);
      return found?.size === 2 ? found : undefined;
    });
    const [[a, x], [b, y]] = [...archive] as [
      [string, { seq: number; box: string }],
      [string, { seq: number; box: string }],
    ];
    archive.set(a, { ...x, box: y.box });
    archive.set(b, { ...y, box: x.box });
    const fresh = held(await newDevice(server, bob.userId));
    await fresh.engine.recover(bob.secret);
    expect(await texts(fresh, `d:${ann.userId}`)).toEqual([]);
  });
});
