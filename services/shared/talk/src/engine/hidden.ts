/**
 * Devices that the server keeps from a writer. Each direct message names the devices it was for; one that is known here and not named
 * was hidden. What must stay true: no false alarm. A device counts only after the queue was seen to its end twice since it became known, so that
 * no message from before it can still come.
 */
import type { ConversationId } from '../content.ts';
import type { Ground } from './ground.ts';
import type { Draft } from './store.ts';

const firmAfterEnds = 2;

export type Named = { conv: ConversationId; senderId: string; to: Record<string, string[]>; at: number };
/** By device: how often the end of the queue was seen since it is known. */
type Known = Record<string, number>;

const keyOf = (userId: string): string => `known:${userId}`;

/** The end of the queue was seen. */
export async function countEnd(ground: Ground, draft: Draft): Promise<void> {
  const people = new Set([ground.userId]);
  for (const id of ground.conversations.keys()) if (id.startsWith('d:')) people.add(id.slice(2));
  for (const userId of people) {
    const known = (await draft.get<Known>('pins', keyOf(userId))) ?? {};
    const devices = await ground.machine.devicesOf(ground.userName(userId));
    if (userId === ground.userId) await noteVanished(ground, draft, known, devices);
    const now = Object.fromEntries(
      devices
        .filter((one) => one.signedByOwner)
        .map(({ deviceId }) => [deviceId, Math.min(firmAfterEnds, (known[deviceId] ?? -1) + 1)]),
    );
    if (JSON.stringify(now) !== JSON.stringify(known)) draft.put('pins', keyOf(userId), now);
  }
}

/** One of mine that was there and is no more, though nobody here said that it would go: the server may keep it from others. */
async function noteVanished(
  ground: Ground,
  draft: Draft,
  known: Known,
  devices: readonly { deviceId: string }[],
): Promise<void> {
  const before = (await draft.get<Vanished>('pins', vanishedKey)) ?? { gone: [], expected: [] };
  const gone = Object.keys(known).filter(
    (id) =>
      known[id] === firmAfterEnds &&
      !before.expected.includes(id) &&
      !devices.some((one) => one.deviceId === id),
  );
  if (gone.length === 0) return;
  draft.put('pins', vanishedKey, { ...before, gone: [...new Set([...before.gone, ...gone])] });
  draft.after(() => {
    ground.emit({ what: 'devices', userId: ground.userId });
    ground.emit({ what: 'conversations' });
  });
}

const vanishedKey = 'vanished';
type Vanished = { gone: string[]; expected: string[] };

/** My devices that vanished without my doing. */
export async function vanishedDevices(ground: Ground): Promise<string[]> {
  return (await ground.store.get<Vanished>('pins', vanishedKey))?.gone ?? [];
}

/** A device of mine is about to be removed by me. */
export async function expectRemoval(ground: Ground, deviceId: string): Promise<void> {
  await ground.write(async (draft) => {
    const before = (await draft.get<Vanished>('pins', vanishedKey)) ?? { gone: [], expected: [] };
    draft.put('pins', vanishedKey, { ...before, expected: [...before.expected, deviceId] });
  });
}

/** Somebody has looked at the devices of this person. */
export async function forgetHidden(ground: Ground, userId: string): Promise<void> {
  await ground.write(async (draft) => {
    if (userId === ground.userId) {
      const before = (await draft.get<Vanished>('pins', vanishedKey)) ?? { gone: [], expected: [] };
      draft.put('pins', vanishedKey, { ...before, gone: [] });
    }
    for (const id of ground.conversations.keys()) {
      const record = await ground.conversation(draft, id);
      if (record.hidden[userId] === undefined) continue;
      Reflect.deleteProperty(record.hidden, userId);
      ground.keep(draft, record);
    }
  });
}

/** Looks at who was named, once the device lists are as fresh as the messages. */
export async function checkHidden(ground: Ground, named: readonly Named[]): Promise<void> {
  if (named.length === 0) return;
  await ground.write(async (draft) => {
    for (const one of named) {
      const record = await ground.conversation(draft, one.conv);
      let changed = false;
      for (const userId of [ground.userId, one.senderId]) {
        const hidden = await leftOut(ground, draft, userId, one.to[userId] ?? []);
        const before = record.hidden[userId] ?? [];
        const all = [...new Set([...before, ...hidden])];
        if (all.length === before.length) continue;
        record.hidden[userId] = all;
        changed = true;
      }
      if (changed) ground.keep(draft, record);
    }
  });
}

async function leftOut(
  ground: Ground,
  draft: Draft,
  userId: string,
  named: readonly string[],
): Promise<string[]> {
  const known = (await draft.get<Known>('pins', keyOf(userId))) ?? {};
  const devices = await ground.machine.devicesOf(ground.userName(userId));
  return devices
    .map((one) => one.deviceId)
    .filter((id) => known[id] === firmAfterEnds && !named.includes(id));
}
