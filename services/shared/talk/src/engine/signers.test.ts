/** Rooms whose statements were signed by devices and identities that are no more; and what a server makes of that, which would like to let somebody in. */
import { statementText, type DeviceKeys, type MembershipStatement } from '@siphera/contract';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConversationId } from '../content.ts';
import { sha256Hex } from '../side/index.ts';
import { closeAll, deviceOf, find, held, madeUp, pair } from '../testing/acquainted.ts';
import type { MemoryProfile } from '../testing/memory-place.ts';
import type { Json, MemoryServer, ServerRoom } from '../testing/memory-server.ts';
import { arrives, newDevice, person, recovered, until, type Person } from '../testing/people.ts';

afterEach(closeAll);

const members = async (profile: MemoryProfile, conv: string): Promise<string[]> =>
  ((await profile.engine.conversations()).find((one) => one.id === conv)?.memberIds ?? []).toSorted();

async function group(): Promise<{
  server: MemoryServer;
  ann: Person;
  bob: Person;
  cyd: Person;
  conv: ConversationId;
  room: ServerRoom;
}> {
  const { server, ann, bob } = await pair();
  const cyd = await person(server);
  held(cyd.first);
  const conv = await ann.first.engine.createGroup({ name: 'ours', memberIds: [bob.userId] });
  await ann.first.engine.send(conv, { body: 'one' });
  await arrives(bob.first, conv, 'one');
  const room = server.rooms.get(conv.slice(2));
  if (!room) throw new Error('no room');
  return { server, ann, bob, cyd, conv, room };
}

/** Ann has only this device now, under a new identity. */
async function reset(server: MemoryServer, ann: Person): Promise<MemoryProfile> {
  const old = deviceOf(server, ann);
  await ann.first.engine.close();
  const fresh = held(await newDevice(server, ann.userId));
  await fresh.engine.resetIdentity('password');
  server.removeDevice(old.id);
  return fresh;
}

describe('a room whose founder', () => {
  it('has removed the device that made it is read and written in from a new device', async () => {
    const { server, ann, bob, conv } = await group();
    const old = deviceOf(server, ann);
    const second = held(await recovered(server, ann));
    server.removeDevice(old.id);
    const fresh = held(await recovered(server, bob));
    await until(async () => (await members(fresh, conv)).includes(ann.userId), 'the room');
    await fresh.engine.send(conv, { body: 'from my new phone' });
    await arrives(second, conv, 'from my new phone');
    expect(await find(fresh, conv, 'membership_forged')).toBeUndefined();
  });

  it('has a new identity is read and written in from new devices of anybody', async () => {
    const { server, ann, bob, conv } = await group();
    const annFresh = await reset(server, ann);
    const fresh = held(await recovered(server, bob));
    await until(async () => (await members(fresh, conv)).includes(ann.userId), 'the room');
    await fresh.engine.send(conv, { body: 'welcome back' });
    await arrives(annFresh, conv, 'welcome back');
    expect(await find(fresh, conv, 'membership_forged')).toBeUndefined();
  });

  it('let somebody in before he had a new identity keeps him in for who was away', async () => {
    const { server, ann, bob, cyd, conv } = await group();
    bob.first.disconnect();
    await ann.first.engine.addMembers(conv, [cyd.userId]);
    await arrives(cyd.first, conv, 'one');
    await reset(server, ann);
    await bob.first.restart();
    const both = [ann.userId, cyd.userId].toSorted();
    await until(async () => (await members(bob.first, conv)).length === 2, 'Cyd');
    expect(await members(bob.first, conv)).toEqual(both);
    await bob.first.engine.send(conv, { body: 'hello Cyd' });
    await arrives(cyd.first, conv, 'hello Cyd');
    expect(await find(bob.first, conv, 'membership_forged')).toBeUndefined();
  });
});

describe('a new identity that nobody has looked at', () => {
  it('lets nobody in, and does once somebody has looked', async () => {
    const { server, ann, bob, cyd, conv } = await group();
    const annFresh = await reset(server, ann);
    await until(async () => (await members(annFresh, conv)).includes(bob.userId), 'the room');
    await until(async () => (await bob.first.engine.devices(ann.userId)).trust === 'changed');
    await annFresh.engine.addMembers(conv, [cyd.userId]);
    await until(() => bob.first.logs.some((line) => line.includes('talk_statement_void')));
    expect(await members(bob.first, conv)).toEqual([ann.userId]);
    await bob.first.engine.acceptKeys(ann.userId);
    expect(await members(bob.first, conv)).toEqual([ann.userId, cyd.userId].toSorted());
    expect(await find(bob.first, conv, 'membership_forged')).toBeUndefined();
    await bob.first.engine.send(conv, { body: 'hello Cyd' });
    await arrives(cyd.first, conv, 'hello Cyd');
  });
});

/** The next statement, by a device that the server made in somebody's name, with an identity that it made as well. */
async function forged(
  server: MemoryServer,
  room: ServerRoom,
  by: Person,
  add: string,
): Promise<{ statement: MembershipStatement; signer: DeviceKeys }> {
  const user = server.mx(by.userId);
  const { olm, keys } = await madeUp(user, 'MALLORYDEV');
  const identity = await olm.bootstrapCrossSigning(true);
  const signed = JSON.parse(identity.uploadSignaturesRequest.body) as Record<string, Record<string, Json>>;
  const all = [keys, signed[user]?.['MALLORYDEV'] ?? {}].map((one) => (one as DeviceKeys).signatures[user]);
  const signer = { ...keys, signatures: { [user]: { ...all[0], ...all[1] } } } as unknown as DeviceKeys;
  const last = room.statements.at(-1);
  if (!last) throw new Error('no statement');
  const { signature: _signature, ...rest } = last;
  const text = {
    ...rest,
    n: last.n + 1,
    prev: await sha256Hex(statementText(rest)),
    action: 'add' as const,
    user_ids: [add],
    by_user: by.userId,
    by_device: 'MALLORYDEV',
  };
  const signatures = JSON.parse((await olm.sign(statementText(text))).asJSON()) as Record<string, Json>;
  const signature = String(signatures[user]?.['ed25519:MALLORYDEV']);
  return { statement: { ...text, signature }, signer };
}

describe('a server that serves keys of a device which never was', () => {
  it('lets nobody in by it, is told on, and the room goes on', async () => {
    const { server, ann, bob, cyd, conv, room } = await group();
    const { statement, signer } = await forged(server, room, ann, cyd.userId);
    room.statements.push(statement);
    room.signers = [...(room.signers ?? []), signer];
    room.member_ids.push(cyd.userId);
    server.announce(room);
    const told = await until(() => find(bob.first, conv, 'membership_forged'));
    expect(told).toEqual({ kind: 'membership_forged', userIds: [cyd.userId] });
    expect(await members(bob.first, conv)).toEqual([ann.userId]);
    const given: string[] = [];
    server.tamper.deliver = (item, to) => {
      if (to.userId === cyd.userId && item.kind === 'to_device') given.push(item.kind);
      return [item];
    };
    await bob.first.engine.send(conv, { body: 'two' });
    await arrives(ann.first, conv, 'two');
    expect(given).toEqual([]);
    // What is true goes on over what is not.
    await ann.first.engine.removeMember(conv, bob.userId);
    await until(async () => !(await members(ann.first, conv)).includes(bob.userId));
    expect(await members(ann.first, conv)).toEqual([]);
  });

  it('or takes the proof from a removal, keeps nobody in by that', async () => {
    const { server, ann, bob, cyd, conv, room } = await group();
    await ann.first.engine.addMembers(conv, [cyd.userId]);
    await until(async () => (await members(bob.first, conv)).length === 2);
    bob.first.disconnect();
    await ann.first.engine.removeMember(conv, cyd.userId);
    await until(() => room.statements.length === 3);
    const device = deviceOf(server, ann);
    server.tamper.hides = (one) => one.id === device.id;
    room.signers = [];
    deviceOf(server, bob).queue = [];
    server.changed(ann.userId);
    await bob.first.restart();
    await until(async () => !(await members(bob.first, conv)).includes(cyd.userId));
    expect(bob.first.logs.filter((line) => line.includes('talk_statement_void'))).not.toEqual([]);
  });

  it('or takes a removal back that was built on what it forged, is not followed', async () => {
    const { server, ann, bob, cyd, conv, room } = await group();
    await ann.first.engine.addMembers(conv, [cyd.userId]);
    await until(async () => (await members(bob.first, conv)).length === 2);
    const honest = structuredClone(room.statements);
    const { statement, signer } = await forged(server, room, ann, (await person(server)).userId);
    room.statements.push(statement);
    room.signers = [...(room.signers ?? []), signer];
    server.announce(room);
    await until(() => ann.first.logs.some((line) => line.includes('talk_statement_void')));
    await ann.first.engine.removeMember(conv, cyd.userId);
    await until(async () => !(await members(bob.first, conv)).includes(cyd.userId));
    room.statements = honest;
    room.member_ids = [ann.userId, bob.userId, cyd.userId];
    server.announce(room);
    await until(() => bob.first.logs.some((line) => line.includes('talk_room_not_followed')));
    expect(await members(bob.first, conv)).toEqual([ann.userId]);
    expect(await find(bob.first, conv, 'membership_forged')).toMatchObject({ userIds: [cyd.userId] });
  });
});
