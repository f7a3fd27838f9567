/** What a hostile server can try with keys and queues, named as the threat model names it (docs/design/threat-model.md). */
import { randomUUID } from 'node:crypto';
import type { QueueItem } from '@siphera/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { acquainted, closeAll, deviceOf, find, held, madeUp, pair, taken } from '../testing/acquainted.ts';
import type { Json } from '../testing/memory-server.ts';
import { arrives, message, person, recovered, texts, until, warnings } from '../testing/people.ts';

afterEach(closeAll);

describe('a server that swaps a device key', () => {
  it('gets no message that it could read', async () => {
    const { server, ann, bob, conv } = await acquainted();
    const device = deviceOf(server, bob);
    const { olm, keys } = await madeUp(server.mx(bob.userId), device.id);
    const own = olm.identityKeys.curve25519.toBase64();
    server.tamper.queryKeys = (answer) => {
      const all = answer['device_keys'] as Record<string, Json>;
      if (all[server.mx(bob.userId)]) all[server.mx(bob.userId)] = { [device.id]: keys };
      return answer;
    };
    const sent: QueueItem[] = [];
    server.tamper.deliver = (item, to) => {
      if (to.userId !== ann.userId) sent.push(item);
      return [item];
    };
    server.changed(bob.userId);
    await ann.first.engine.send(conv, { body: 'secret' });
    await arrives(bob.first, `d:${ann.userId}`, 'secret');
    expect(JSON.stringify(sent)).not.toContain(own);
  });

  it('or adds one in somebody’s name, gets nothing, and is seen', async () => {
    const { server, ann, bob, conv } = await acquainted();
    const { keys } = await madeUp(server.mx(bob.userId), 'MALLORYDEV');
    const taps: unknown[] = [];
    server.devices.set('MALLORYDEV', {
      ...deviceOf(server, bob),
      id: 'MALLORYDEV',
      keys,
      queue: [],
      socket: undefined,
      oneTime: {},
    });
    server.tamper.deliver = (item, to) => {
      if (to.id === 'MALLORYDEV') taps.push(item);
      return [item];
    };
    server.changed(bob.userId);
    await ann.first.engine.send(conv, { body: 'secret' });
    await arrives(bob.first, `d:${ann.userId}`, 'secret');
    expect(taps).toHaveLength(1);
    expect(JSON.stringify(taps)).toContain('siphera.withheld');
    expect(JSON.stringify(taps)).not.toContain('ciphertext');
    expect(await find(ann.first, conv, 'device_unsigned')).toMatchObject({ deviceId: 'MALLORYDEV' });
  });

  it('or the whole identity, is refused until somebody has looked', async () => {
    const { server, ann, bob, conv } = await acquainted();
    const user = server.mx(bob.userId);
    const { olm, keys } = await madeUp(user, 'MALLORYDEV');
    const identity = await olm.bootstrapCrossSigning(true);
    const made = JSON.parse(identity.uploadSigningKeysRequest.body) as Record<string, Json>;
    const signed = JSON.parse(identity.uploadSignaturesRequest.body) as Record<string, Record<string, Json>>;
    const device = signed[user]?.['MALLORYDEV'];
    server.tamper.queryKeys = (answer, caller) => {
      if (caller.userId !== ann.userId) return answer;
      const put = (name: string, value: unknown): void => {
        const all = answer[name] as Json;
        if (user in all) all[user] = value;
      };
      put('device_keys', { MALLORYDEV: device ?? keys });
      put('master_keys', made['master_key']);
      put('self_signing_keys', made['self_signing_key']);
      return answer;
    };
    const sent: QueueItem[] = [];
    server.tamper.deliver = (item, to) => {
      if (to.userId !== ann.userId) sent.push(item);
      return [item];
    };
    server.changed(bob.userId);
    await until(async () => (await ann.first.engine.devices(bob.userId)).trust === 'changed');
    expect(await find(ann.first, conv, 'keys_changed')).toMatchObject({ userId: bob.userId });
    await ann.first.engine.send(conv, { body: 'secret' });
    await until(() => ann.first.logs.some((line) => line.includes('have changed')));
    expect(sent).toEqual([]);
  });
});

describe('a server that replays or reorders the queue', () => {
  it('has each message taken once and in the order of its writer', async () => {
    const { server, ann, bob, conv } = await acquainted();
    let held_back: QueueItem | undefined;
    let again = 10_000_000;
    server.tamper.deliver = (item, to) => {
      if (to.userId !== bob.userId || item.kind !== 'to_device' || item.event.message_id === undefined)
        return [item];
      const twice = { ...item, pos: (again += 1) };
      // Every second one is let past by the one after it, and comes twice.
      if (!held_back) {
        held_back = item;
        return [];
      }
      const first = { ...held_back, pos: (again += 1) };
      held_back = undefined;
      return [item, first, twice];
    };
    const words = ['1', '2', '3', '4', '5', '6'];
    for (const body of words) await ann.first.engine.send(conv, { body });
    await arrives(bob.first, `d:${ann.userId}`, '5');
    await arrives(bob.first, `d:${ann.userId}`, '6');
    await taken(deviceOf(server, bob));
    expect(await texts(bob.first, `d:${ann.userId}`)).toEqual(['hello', ...words]);
    expect(await warnings(bob.first, `d:${ann.userId}`)).toEqual([]);
  });

  it('has a message of a room rejected under another name, and in another room', async () => {
    const { server, ann, bob } = await pair();
    const one = await ann.first.engine.createGroup({ name: 'one', memberIds: [bob.userId] });
    const two = await ann.first.engine.createGroup({ name: 'two', memberIds: [bob.userId] });
    await ann.first.engine.send(one, { body: 'open the gate' });
    await ann.first.engine.send(two, { body: 'other' });
    await arrives(bob.first, one, 'open the gate');
    await arrives(bob.first, two, 'other');
    const device = deviceOf(server, bob);
    const event = server.rooms.get(one.slice(2))?.events.at(-1);
    if (!event) throw new Error('nothing sent');
    server.enqueue(device, { kind: 'room_event', event: { ...event, event_id: randomUUID(), seq: 90 } });
    server.enqueue(device, { kind: 'room_event', event: { ...event, room_id: two.slice(2), seq: 91 } });
    server.enqueue(device, {
      kind: 'room_event',
      event: { ...event, room_id: two.slice(2), event_id: randomUUID(), seq: 92 },
    });
    await taken(device);
    expect(await texts(bob.first, one)).toEqual(['open the gate']);
    expect(await texts(bob.first, two)).toEqual(['other']);
    expect(bob.first.logs.join('\n')).toContain('replayed');
  });

  it('cannot give a message another name than its writer gave it', async () => {
    const { server, ann, bob } = await pair();
    const conv = await ann.first.engine.createGroup({ name: 'one', memberIds: [bob.userId] });
    await ann.first.engine.send(conv, { body: 'hello' });
    await arrives(bob.first, conv, 'hello');
    server.tamper.deliver = (item, to) =>
      to.userId === bob.userId && item.kind === 'room_event'
        ? [{ ...item, event: { ...item.event, event_id: randomUUID() } }]
        : [item];
    const id = await ann.first.engine.send(conv, { body: 'open the gate' });
    await until(async () => (await message(ann.first, conv, id))?.delivery === 'sent');
    await taken(deviceOf(server, bob));
    expect(await texts(bob.first, conv)).toEqual(['hello']);
    expect(bob.first.logs.join('\n')).toContain('of another place');
  });

  it('has what it keeps back noticed by the next one', async () => {
    const { server, ann, bob, conv } = await acquainted();
    server.tamper.deliver = (item, to) =>
      to.userId === bob.userId && item.kind === 'to_device' && item.event.message_id !== undefined
        ? []
        : [item];
    const kept = await ann.first.engine.send(conv, { body: 'kept back' });
    await until(
      async () =>
        (await ann.first.engine.messages(conv)).items.find((one) => one.id === kept)?.delivery === 'sent',
    );
    server.tamper = {};
    await ann.first.engine.send(conv, { body: 'next' });
    await arrives(bob.first, `d:${ann.userId}`, 'next');
    expect(await find(bob.first, `d:${ann.userId}`, 'gap')).toMatchObject({ userId: ann.userId, missing: 1 });
  });

  it('has words in somebody’s name that are not encrypted, or from another, ignored', async () => {
    const { server, ann, bob } = await acquainted();
    const device = deviceOf(server, bob);
    const envelope = {
      v: 1,
      id: randomUUID(),
      conv: `d:${[ann.userId, bob.userId].sort().join(':')}`,
      n: 5,
      at: 1,
      content: { t: 'text', body: 'open the gate' },
    };
    const sender = { sender: server.mx(ann.userId), sender_device: deviceOf(server, ann).id };
    server.enqueue(device, {
      kind: 'to_device',
      event: { ...sender, type: 'siphera.message', content: envelope },
    });
    server.enqueue(device, {
      kind: 'to_device',
      event: { ...sender, type: 'm.room.encrypted', content: envelope },
    });
    await taken(device);
    expect(await texts(bob.first, `d:${ann.userId}`)).toEqual(['hello']);
  });

  it('may ask in anybody’s name for a message again, and gets nothing that it could read', async () => {
    const { server, ann, bob, conv } = await acquainted();
    const sent = (await ann.first.engine.messages(conv)).items[0];
    const mallory = await person(server);
    held(mallory.first);
    const device = deviceOf(server, ann);
    const answers: QueueItem[] = [];
    server.tamper.deliver = (item, to) => {
      if (to.userId !== ann.userId) answers.push(item);
      return [item];
    };
    for (let time = 0; time < 12; time += 1)
      for (const who of [mallory, bob])
        server.enqueue(device, {
          kind: 'to_device',
          event: {
            type: 'siphera.retry',
            sender: server.mx(who.userId),
            sender_device: deviceOf(server, who).id,
            content: { message_id: sent?.id },
          },
        });
    await taken(device);
    await until(() => answers.length >= 5);
    await ann.first.engine.send(conv, { body: 'last' });
    await arrives(bob.first, `d:${ann.userId}`, 'last');
    expect(await texts(bob.first, `d:${ann.userId}`)).toEqual(['hello', 'last']);
    const encrypted = answers.filter(
      (item) => item.kind === 'to_device' && item.event.message_id === undefined,
    );
    expect(encrypted).toHaveLength(5);
    expect(await texts(mallory.first, `d:${ann.userId}`)).toEqual([]);
  });
});

describe('a server that hides a device', () => {
  it('is told on by the devices that know it', async () => {
    const { server, ann, bob, conv } = await acquainted();
    const phone = held(await recovered(server, bob));
    await ann.first.engine.send(conv, { body: 'all of you' });
    await arrives(phone, `d:${ann.userId}`, 'all of you');
    const state = await phone.engine.state();
    if (state.is !== 'ready') throw new Error('not ready');
    server.tamper.hides = (device, caller) => device.id === state.deviceId && caller.userId === ann.userId;
    server.changed(bob.userId);
    for (let time = 0; time < 3; time += 1) {
      await ann.first.engine.send(conv, { body: `hidden ${time}` });
      await arrives(bob.first, `d:${ann.userId}`, `hidden ${time}`);
    }
    const told = await until(() => find(bob.first, `d:${ann.userId}`, 'device_hidden'));
    expect(told).toEqual({ kind: 'device_hidden', userId: bob.userId, deviceIds: [state.deviceId] });
    await bob.first.engine.acceptKeys(bob.userId);
    expect(await find(bob.first, `d:${ann.userId}`, 'device_hidden')).toBeUndefined();
  });

  it('is told on when one of mine vanishes, but not when I removed it', async () => {
    const { server, ann, bob, conv } = await acquainted();
    const [kept, lost] = [await recovered(server, ann), await recovered(server, ann, 'third')].map(held);
    const ids = await Promise.all(
      [kept, lost].map(async (one) => {
        const state = await one?.engine.state();
        return state?.is === 'ready' ? state.deviceId : '';
      }),
    );
    for (const body of ['a', 'b', 'c']) {
      await bob.first.engine.send(`d:${ann.userId}`, { body });
      await arrives(ann.first, conv, body);
    }
    await ann.first.engine.removing(ids[0] ?? '');
    server.removeDevice(ids[0] ?? '');
    server.removeDevice(ids[1] ?? '');
    const told = await until(() => find(ann.first, conv, 'device_hidden'));
    expect(told).toEqual({ kind: 'device_hidden', userId: ann.userId, deviceIds: [ids[1]] });
  });
});
