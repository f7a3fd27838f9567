import { afterEach, describe, expect, it } from 'vitest';
import { TalkError } from '../api.ts';
import { arrives, newDevice, person, recovered, texts, until } from '../testing/people.ts';
import { closeAll, held } from '../testing/acquainted.ts';
import { MemoryServer } from '../testing/memory-server.ts';

afterEach(closeAll);
const kept = (server: MemoryServer, userId: string): number => server.archives.get(userId)?.size ?? 0;

describe('a new device', () => {
  it('reads with the recovery secret all that was said, directly and in rooms', async () => {
    const server = new MemoryServer();
    const [ann, bob] = [await person(server), await person(server)];
    held(ann.first);
    held(bob.first);
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'to you' });
    await arrives(bob.first, `d:${ann.userId}`, 'to you');
    await bob.first.engine.send(`d:${ann.userId}`, { body: 'and back' });
    await arrives(ann.first, `d:${bob.userId}`, 'and back');
    const conv = await ann.first.engine.createGroup({ name: 'Night', memberIds: [bob.userId] });
    await bob.first.engine.send(conv, { body: 'in the room' }).catch(() => undefined);
    await ann.first.engine.send(conv, { body: 'of mine' });
    await arrives(bob.first, conv, 'of mine');
    await until(
      () =>
        kept(server, bob.userId) >= 2 &&
        server.backups.get(bob.userId)?.rooms[`!${conv.slice(2)}:${server.orgId}`],
    );
    await bob.first.engine.close();
    const fresh = held(await newDevice(server, bob.userId));
    expect(await fresh.engine.state()).toEqual({ is: 'needs_recovery' });
    await expect(fresh.engine.recover('AAAA-AAAA-AAAA-AAAA-AAAA-AAAA')).rejects.toMatchObject({
      code: 'wrong_secret',
    });
    await expect(fresh.engine.send(`d:${ann.userId}`, { body: 'too early' })).rejects.toBeInstanceOf(
      TalkError,
    );
    await fresh.engine.recover(bob.secret);
    expect(await fresh.engine.state()).toMatchObject({
      is: 'ready',
      verified: true,
      recoveryConfirmed: true,
    });
    await arrives(fresh, `d:${ann.userId}`, 'and back');
    expect(await texts(fresh, `d:${ann.userId}`)).toEqual(['to you', 'and back']);
    await arrives(fresh, conv, 'of mine');
    // Its key came from the backup, into which whoever knows the public key can put one: so it says that it is not proven.
    const { items } = await fresh.engine.messages(conv);
    expect(items.filter((one) => one.content.t === 'text').every((one) => one.unproven === true)).toBe(true);
    await fresh.engine.send(`d:${ann.userId}`, { body: 'from the new one' });
    await arrives(ann.first, `d:${bob.userId}`, 'from the new one');
    const shown = await ann.first.engine.conversations();
    expect(shown.flatMap((one) => one.warnings)).toEqual([]);
  });

  it('is told of on the devices that were there', async () => {
    const server = new MemoryServer();
    const ann = await person(server);
    held(ann.first);
    held(await newDevice(server, ann.userId, 'stolen token'));
    const told = await until(() => ann.first.changes.find((change) => change.what === 'new_own_device'));
    expect(told).toMatchObject({ name: 'stolen token', address: '192.0.2.1' });
    const { devices } = await ann.first.engine.devices(ann.userId);
    await until(async () => (await ann.first.engine.devices(ann.userId)).devices.length === 2);
    expect(devices.filter((one) => one.current)).toHaveLength(1);
  });
});

describe('the recovery secret', () => {
  it('opens nothing any more once there is a new one', async () => {
    const server = new MemoryServer();
    const ann = await person(server);
    held(ann.first);
    const second = await ann.first.engine.newRecoverySecret();
    const fresh = held(await newDevice(server, ann.userId));
    await expect(fresh.engine.recover(ann.secret)).rejects.toMatchObject({ code: 'wrong_secret' });
    await fresh.engine.recover(second);
    expect(await fresh.engine.state()).toMatchObject({ is: 'ready' });
  });

  it('is confirmed once it was written down', async () => {
    const server = new MemoryServer();
    const ann = await person(server);
    held(ann.first);
    expect(await ann.first.engine.state()).toMatchObject({ recoveryConfirmed: false });
    await ann.first.engine.confirmRecovery();
    await ann.first.restart();
    expect(await ann.first.engine.state()).toMatchObject({ is: 'ready', recoveryConfirmed: true });
  });
});

describe('an identity that was reset', () => {
  it('is warned of, and gets nothing until somebody has looked', async () => {
    const server = new MemoryServer();
    const [ann, bob] = [await person(server), await person(server)];
    held(ann.first);
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'before' });
    await arrives(bob.first, `d:${ann.userId}`, 'before');
    await bob.first.engine.close();
    const fresh = held(await newDevice(server, bob.userId));
    const { recoverySecret } = await fresh.engine.resetIdentity('password');
    expect(recoverySecret).not.toBe(bob.secret);
    expect(await fresh.engine.state()).toMatchObject({ is: 'ready' });
    const conv = `d:${bob.userId}` as const;
    await until(async () => (await ann.first.engine.devices(bob.userId)).trust === 'changed');
    const [shown] = await ann.first.engine.conversations();
    expect(shown?.warnings).toContainEqual({ kind: 'keys_changed', userId: bob.userId, wasVerified: false });
    await ann.first.engine.send(conv, { body: 'is it you?' });
    await until(() => ann.first.logs.some((line) => line.includes('talk_send_failed')));
    expect(await texts(fresh, `d:${ann.userId}`)).toEqual([]);
    await ann.first.engine.acceptKeys(bob.userId);
    await arrives(fresh, `d:${ann.userId}`, 'is it you?');
    expect((await ann.first.engine.devices(bob.userId)).trust).toBe('known');
  });
});

describe('a device', () => {
  it('that was removed is wiped', async () => {
    const server = new MemoryServer();
    const ann = await person(server);
    const second = held(await recovered(server, ann));
    held(ann.first);
    const { devices } = await ann.first.engine.devices(ann.userId);
    expect(devices.length).toBeGreaterThan(0);
    const state = await second.engine.state();
    if (state.is !== 'ready') throw new Error('not ready');
    server.removeDevice(state.deviceId);
    await until(async () => (await second.engine.state()).is === 'removed');
    expect(second.keep.size).toBe(0);
    await expect(second.engine.conversations()).rejects.toMatchObject({ code: 'not_ready' });
  });

  it('is closed at a change of guard and opens again with what it had', async () => {
    const server = new MemoryServer();
    const [ann, bob] = [await person(server), await person(server)];
    held(ann.first);
    held(bob.first);
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'kept' });
    await arrives(bob.first, `d:${ann.userId}`, 'kept');
    await bob.first.restart();
    expect(await texts(bob.first, `d:${ann.userId}`)).toEqual(['kept']);
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'after' });
    await arrives(bob.first, `d:${ann.userId}`, 'after');
  });

  it('opens offline with what it had, where it is personal', async () => {
    const server = new MemoryServer();
    const [ann, bob] = [await person(server), await person(server)];
    held(ann.first);
    held(bob.first);
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'kept' });
    await arrives(bob.first, `d:${ann.userId}`, 'kept');
    bob.first.fate = () => 'lost';
    await bob.first.restart();
    expect(await bob.first.engine.state()).toMatchObject({ is: 'ready' });
    expect(await texts(bob.first, `d:${ann.userId}`)).toEqual(['kept']);
    await bob.first.engine.send(`d:${ann.userId}`, { body: 'written offline' });
    bob.first.fate = () => 'arrives';
    bob.first.disconnect();
    bob.first.connect();
    await arrives(ann.first, `d:${bob.userId}`, 'written offline');
  });

  it('that is signed off leaves nothing here, and the server knows', async () => {
    const server = new MemoryServer();
    const ann = await person(server);
    await ann.first.engine.wipe();
    expect(await ann.first.engine.state()).toEqual({ is: 'absent' });
    expect(server.devicesOf(ann.userId)).toEqual([]);
    expect(ann.first.keep.size).toBe(0);
  });
});
