/** People who know one another, and what a test looks at of them. */
import { RequestType, type OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { Warning } from '../api.ts';
import type { ConversationId } from '../content.ts';
import type { MemoryProfile } from './memory-place.ts';
import { openOlm } from '../engine/machine.ts';
import { MemoryServer, type Json, type ServerDevice } from './memory-server.ts';
import { arrives, person, until, type Person } from './people.ts';

const open: MemoryProfile[] = [];

/** Closed by `closeAll`. */
export const held = (profile: MemoryProfile): MemoryProfile => {
  open.push(profile);
  return profile;
};

/** After each test. */
export async function closeAll(): Promise<void> {
  for (const profile of open.splice(0)) await profile.engine.close();
}

export async function pair(): Promise<{ server: MemoryServer; ann: Person; bob: Person }> {
  const server = new MemoryServer();
  const [ann, bob] = [await person(server), await person(server)];
  held(ann.first);
  held(bob.first);
  return { server, ann, bob };
}

/** Ann and Bob have written to one another. */
export async function acquainted(): Promise<{
  server: MemoryServer;
  ann: Person;
  bob: Person;
  conv: ConversationId;
}> {
  const made = await pair();
  const { ann, bob } = made;
  await ann.first.engine.send(`d:${bob.userId}`, { body: 'hello' });
  await arrives(bob.first, `d:${ann.userId}`, 'hello');
  return { ...made, conv: `d:${bob.userId}` };
}

export const deviceOf = (server: MemoryServer, who: Person): ServerDevice => {
  const [device] = server.devicesOf(who.userId);
  if (!device) throw new Error('no device');
  return device;
};
export const find = async (
  profile: MemoryProfile,
  conv: ConversationId,
  kind: Warning['kind'],
): Promise<Warning | undefined> =>
  (await profile.engine.conversations())
    .find((one) => one.id === conv)
    ?.warnings.find((one) => one.kind === kind);
/** Until whatever waits for this device has been taken. */
export const taken = (device: ServerDevice): Promise<unknown> =>
  until(() => device.queue.length === 0 && device.socket?.waits === undefined, 'the queue to be empty');

/** Keys that the server made in somebody's name. */
export async function madeUp(user: string, deviceId: string): Promise<{ olm: OlmMachine; keys: Json }> {
  const olm = await openOlm(user, deviceId);
  const upload = (await olm.outgoingRequests()).find((one) => one.type === RequestType.KeysUpload);
  if (!upload) throw new Error('no keys');
  return { olm, keys: (JSON.parse(upload.body) as { device_keys: Json }).device_keys };
}
