/** What a hostile server can try in a person's own name, and with devices that nobody signed (docs/design/threat-model.md). */
import { randomUUID } from 'node:crypto';
import { RequestType, type OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { QueueItem } from '@siphera/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { acquainted, closeAll, deviceOf, find, held, taken } from '../testing/acquainted.ts';
import type { MemoryProfile } from '../testing/memory-place.ts';
import type { Json, MemoryServer } from '../testing/memory-server.ts';
import { arrives, message, newDevice, texts, type Person, until, warnings } from '../testing/people.ts';
import { openOlm } from './machine.ts';
import type { Session } from './session.ts';

afterEach(closeAll);

/** The device's own signature, and that of its identity. */
function bothSigned(own: Json, crossed: Json | undefined, user: string): Json {
  const all = (keys: Json | undefined): Json =>
    ((keys?.['signatures'] ?? {}) as Record<string, Json>)[user] ?? {};
  return { ...own, signatures: { [user]: { ...all(own), ...all(crossed) } } };
}

/** A device with keys, and an identity that has signed it, made by the server in somebody's name. */
async function ownSwap(
  server: MemoryServer,
  who: Person,
  names: readonly string[],
  told = who,
): Promise<OlmMachine> {
  const user = server.mx(who.userId);
  const olm = await openOlm(user, 'MALLORYDEV');
  const upload = (await olm.outgoingRequests()).find((one) => one.type === RequestType.KeysUpload);
  if (!upload) throw new Error('no keys');
  const keys = JSON.parse(upload.body) as { device_keys: Json; one_time_keys: Record<string, Json> };
  const identity = await olm.bootstrapCrossSigning(true);
  const made = JSON.parse(identity.uploadSigningKeysRequest.body) as Record<string, Json>;
  const signed = JSON.parse(identity.uploadSignaturesRequest.body) as Record<string, Record<string, Json>>;
  server.devices.set('MALLORYDEV', {
    ...deviceOf(server, who),
    id: 'MALLORYDEV',
    keys: bothSigned(keys.device_keys, signed[user]?.['MALLORYDEV'], user),
    queue: [],
    socket: undefined,
    oneTime: keys.one_time_keys,
    fallback: {},
  });
  server.tamper.queryKeys = (answer, caller) => {
    if (caller.userId !== told.userId) return answer;
    for (const name of names) {
      const all = (answer[`${name}_keys`] ??= {}) as Json;
      all[user] = made[`${name}_key`];
    }
    return answer;
  };
  return olm;
}

const whole = ['master', 'self_signing', 'user_signing'];

describe('a server that swaps my own identity', () => {
  it('and adds a sibling that the made-up one signed, gets nothing, and I am told', async () => {
    const { server, ann, bob, conv } = await acquainted();
    const group = await ann.first.engine.createGroup({ name: 'ours', memberIds: [bob.userId] });
    await ann.first.engine.send(group, { body: 'before' });
    await arrives(bob.first, group, 'before');
    const taps: QueueItem[] = [];
    await ownSwap(server, ann, whole);
    server.tamper.deliver = (item, to) => {
      if (to.id === 'MALLORYDEV' && item.kind === 'to_device') taps.push(item);
      return [item];
    };
    server.changed(ann.userId);
    const engine = ann.first.engine;
    const writes: Promise<unknown>[] = [
      engine.send(conv, { body: 'secret' }),
      engine.send(group, { body: 'secret' }),
      engine.sendCall(bob.userId, null, { t: 'call', act: 'ringing', call_id: randomUUID() }),
      engine.sendCall(ann.userId, null, { t: 'call', act: 'ringing', call_id: randomUUID() }),
    ];
    await Promise.allSettled(writes);
    await until(async () => (await engine.state()).is !== 'ready');
    expect(await engine.state()).toEqual({ is: 'needs_recovery', changed: true });
    expect(await find(ann.first, conv, 'keys_changed')).toMatchObject({ userId: ann.userId });
    await taken(deviceOf(server, bob));
    expect(taps).toEqual([]);
    expect(await texts(bob.first, `d:${ann.userId}`)).toEqual(['hello']);
    await expect(engine.recover(ann.secret)).rejects.toMatchObject({ code: 'keys_changed' });

    server.tamper = {};
    server.devices.delete('MALLORYDEV');
    server.changed(ann.userId);
    await engine.recover(ann.secret);
    expect(await engine.state()).toMatchObject({ is: 'ready', verified: true });
    await engine.send(conv, { body: 'again' });
    await arrives(bob.first, `d:${ann.userId}`, 'again');
    expect(await warnings(ann.first, conv)).not.toContain('keys_changed');
  });

  it('before a new device takes the secret, has the secret refused under it', async () => {
    const { server, ann, bob } = await acquainted();
    await ownSwap(server, ann, whole);
    const fresh = held(await newDevice(server, ann.userId));
    await expect(fresh.engine.recover(ann.secret)).rejects.toMatchObject({ code: 'keys_changed' });
    expect((await fresh.engine.state()).is).toBe('needs_recovery');
    await expect(fresh.engine.send(`d:${bob.userId}`, { body: 'x' })).rejects.toMatchObject({
      code: 'not_ready',
    });
  });

  it('has keys accepted only as they were shown', async () => {
    const { server, ann, bob, conv } = await acquainted();
    const before = (await ann.first.engine.devices(bob.userId)).identityKey;
    await ownSwap(server, bob, whole, ann);
    server.changed(bob.userId);
    await until(async () => (await ann.first.engine.devices(bob.userId)).trust === 'changed');
    const shown = (await ann.first.engine.devices(bob.userId)).identityKey;
    expect(shown).not.toBe(before);
    await expect(ann.first.engine.acceptKeys(bob.userId, before ?? '')).rejects.toMatchObject({
      code: 'keys_changed',
    });
    expect(await find(ann.first, conv, 'keys_changed')).toBeDefined();
    await ann.first.engine.acceptKeys(bob.userId, shown ?? '');
    expect((await ann.first.engine.devices(bob.userId)).trust).toBe('known');
  });
});

/** Writes with the keys of a device whatever its owner's console would not. */
async function writes(
  from: MemoryProfile,
  server: MemoryServer,
  to: Person,
  content: unknown,
): Promise<void> {
  const { ground } = (from.engine as unknown as { opened(): Session }).opened();
  const { machine } = ground;
  const user = server.mx(to.userId);
  await machine.track([user]);
  await machine.claim([user]);
  const envelope = {
    v: 1,
    id: randomUUID(),
    conv: `d:${[from.userId, to.userId].sort().join(':')}`,
    n: 0,
    at: 1,
    content,
  };
  const device = deviceOf(server, to);
  const cipher = await machine.encryptFor(user, device.id, envelope);
  const body = { messages: { [user]: { [device.id]: cipher } } };
  await from.place.rest.call('sendToDevice', {
    params: { type: 'm.room.encrypted', txn: envelope.id },
    body,
  });
  await taken(device);
}

describe('a device that somebody made with a stolen session, and nobody signed', () => {
  it('neither edits, deletes, acknowledges nor calls in its owner’s name; once signed it does', async () => {
    const { server, ann, bob, conv } = await acquainted();
    const toAnn = `d:${ann.userId}` as const;
    const his = await bob.first.engine.send(toAnn, { body: 'gate 1' });
    const mine = await ann.first.engine.send(conv, { body: 'understood?', mustAck: true });
    await arrives(ann.first, conv, 'gate 1');
    await arrives(bob.first, toAnn, 'understood?');
    // Receipts are gathered for a moment.
    await until(async () => (await message(ann.first, conv, mine))?.delivery === 'delivered', 'the receipt');
    const stolen = held(await newDevice(server, bob.userId));
    const edit = { t: 'edit', target: his, body: 'gate 2' };
    await writes(stolen, server, ann, edit);
    await writes(stolen, server, ann, { t: 'delete', target: his });
    await writes(stolen, server, ann, { t: 'ack', target: mine });
    await writes(stolen, server, ann, { t: 'receipt', state: 'read', targets: [mine] });
    await writes(stolen, server, ann, { t: 'call', act: 'ringing', call_id: randomUUID() });
    await writes(stolen, server, ann, { t: 'text', body: 'it is me' });
    await arrives(ann.first, conv, 'it is me');
    expect(await texts(ann.first, conv)).toEqual(['hello', 'gate 1', 'understood?', 'it is me']);
    const { items } = await ann.first.engine.messages(conv);
    expect(items.map((one) => one.senderUnsigned)).toEqual([false, false, false, true]);
    expect(items.find((one) => one.id === mine)).toMatchObject({ acks: [], delivery: 'delivered' });
    expect(ann.first.changes.filter((one) => one.what === 'call')).toEqual([]);

    // Signed, and what it writes then comes before the news of that.
    ann.first.fate = (route) => (route === 'queryKeys' ? 'lost' : 'arrives');
    await stolen.engine.recover(bob.secret);
    ann.first.fate = () => 'arrives';
    await writes(stolen, server, ann, edit);
    await arrives(ann.first, conv, 'gate 2');
  });

  it('is not taken for one that is signed because the server says so', async () => {
    const { server, ann, bob, conv } = await acquainted();
    const toAnn = `d:${ann.userId}` as const;
    const his = await bob.first.engine.send(toAnn, { body: 'gate 1' });
    await arrives(ann.first, conv, 'gate 1');
    const signed = deviceOf(server, bob).id;
    server.tamper.hides = (device, caller) => device.id !== signed && caller.userId === ann.userId;
    const stolen = held(await newDevice(server, bob.userId));
    server.tamper.deliver = (item, to) =>
      item.kind === 'to_device' && to.userId === ann.userId
        ? [{ ...item, event: { ...item.event, sender_device: signed } }]
        : [item];
    await writes(stolen, server, ann, { t: 'edit', target: his, body: 'gate 2' });
    await writes(stolen, server, ann, { t: 'text', body: 'it is me' });
    await arrives(ann.first, conv, 'it is me');
    const { items } = await ann.first.engine.messages(conv);
    expect(items.map((one) => one.senderUnsigned)).toEqual([false, false, true]);
    expect(await texts(ann.first, conv)).toEqual(['hello', 'gate 1', 'it is me']);
  });
});
