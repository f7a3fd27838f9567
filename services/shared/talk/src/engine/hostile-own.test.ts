/** What a hostile server can try in a person's own name, and with devices that nobody signed (docs/design/threat-model.md). */
import { RequestType, type OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { QueueItem } from '@siphera/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { acquainted, closeAll, deviceOf, find } from '../testing/acquainted.ts';
import type { Json, MemoryServer } from '../testing/memory-server.ts';
import { until, type Person } from '../testing/people.ts';
import { openOlm } from './machine.ts';

afterEach(closeAll);

/** A device with keys, and an identity that has signed it, made by the server in somebody's name. */
async function ownSwap(server: MemoryServer, who: Person): Promise<OlmMachine> {
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
    keys: signed[user]?.['MALLORYDEV'] ?? keys.device_keys,
    queue: [],
    socket: undefined,
    oneTime: keys.one_time_keys,
    fallback: {},
  });
  server.tamper.queryKeys = (answer, caller) => {
    if (caller.userId !== who.userId) return answer;
    for (const name of ['master', 'self_signing', 'user_signing']) {
      const all = (answer[`${name}_keys`] ??= {}) as Json;
      all[user] = made[`${name}_key`];
    }
    return answer;
  };
  return olm;
}

describe('a server that swaps my own identity', () => {
  it('and adds a sibling that the made-up one signed, gets nothing, and I am told', async () => {
    const { server, ann, conv } = await acquainted();
    const taps: QueueItem[] = [];
    await ownSwap(server, ann);
    server.tamper.deliver = (item, to) => {
      if (to.id === 'MALLORYDEV') taps.push(item);
      return [item];
    };
    server.changed(ann.userId);
    await ann.first.engine.send(conv, { body: 'secret' }).catch(() => undefined);
    await until(async () => (await ann.first.engine.devices(ann.userId)).trust === 'changed');
    console.log(await ann.first.engine.state(), ann.first.logs.slice(-8), JSON.stringify(taps).slice(0, 300));
    await new Promise((r) => setTimeout(r, 2000));
    console.log(await ann.first.engine.state(), ann.first.logs.slice(-8), JSON.stringify(taps).slice(0, 300));
    expect(await find(ann.first, conv, 'keys_changed')).toMatchObject({ userId: ann.userId });
  });
});
