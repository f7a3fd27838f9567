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
    const now = Object.fromEntries(
      devices
        .filter((one) => one.signedByOwner)
        .map(({ deviceId }) => [deviceId, Math.min(firmAfterEnds, (known[deviceId] ?? -1) + 1)]),
    );
    if (JSON.stringify(now) !== JSON.stringify(known)) draft.put('pins', keyOf(userId), now);
  }
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

async function leftOut(ground: Ground, draft: Draft, userId: string, named: readonly string[]): Promise<string[]> {
  const known = (await draft.get<Known>('pins', keyOf(userId))) ?? {};
  const devices = await ground.machine.devicesOf(ground.userName(userId));
  return devices
    .map((one) => one.deviceId)
    .filter((id) => known[id] === firmAfterEnds && !named.includes(id));
}
