/** What a hostile server can try in a person's own name, and with devices that nobody signed (docs/design/threat-model.md). */
import { randomUUID } from 'node:crypto';
import { RequestType, type OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { QueueItem } from '@siphera/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { acquainted, closeAll, deviceOf, find, held, taken } from '../testing/acquainted.ts';
import type { Json, MemoryServer } from '../testing/memory-server.ts';
import { arrives, newDevice, texts, until, warnings, type Person } from '../testing/people.ts';
import { openOlm } from './machine.ts';

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
