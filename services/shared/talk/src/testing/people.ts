/** People with devices, for tests: begun, recovered, and waited for. */
import { randomUUID } from 'node:crypto';
import type { Message, TalkApi } from '../api.ts';
import type { ConversationId } from '../content.ts';
import { MemoryProfile } from './memory-place.ts';
import type { MemoryServer } from './memory-server.ts';

/** Longest wait for something that comes at once when it comes. */
const patienceMs = 60_000;
const lookMs = 15;

export async function until<T>(
  look: () => T | Promise<T>,
  what = 'it',
  everyMs = lookMs,
): Promise<NonNullable<Awaited<T>>> {
  for (let waited = 0; waited < patienceMs; waited += everyMs) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(`Waited in vain for ${what}`);
}

export type Person = { userId: string; secret: string; first: MemoryProfile };

/** Somebody with a first device and an identity. */
export async function person(server: MemoryServer): Promise<Person> {
  const userId = randomUUID();
  const first = new MemoryProfile(server, userId);
  await first.engine.open();
  const { recoverySecret } = await first.engine.begin({ name: 'first', kind: 'personal' });
  if (recoverySecret === null) throw new Error('The first device makes a secret');
  return { userId, secret: recoverySecret, first };
}

/** One more device, not recovered. */
export async function newDevice(
  server: MemoryServer,
  userId: string,
  name = 'second',
): Promise<MemoryProfile> {
  const profile = new MemoryProfile(server, userId);
  await profile.engine.open();
  await profile.engine.begin({ name, kind: 'personal' });
  return profile;
}

/** One more device that reads. */
export async function recovered(server: MemoryServer, who: Person, name = 'second'): Promise<MemoryProfile> {
  const profile = await newDevice(server, who.userId, name);
  await profile.engine.recover(who.secret);
  return profile;
}

/** Whatever has an engine. */
type WithEngine = { engine: TalkApi };

export async function texts(profile: WithEngine, conv: ConversationId): Promise<string[]> {
  const { items } = await profile.engine.messages(conv, { limit: 200 });
  return items.flatMap(({ content }) => (content.t === 'text' ? [content.body] : []));
}

export async function message(
  profile: WithEngine,
  conv: ConversationId,
  id: string,
): Promise<Message | undefined> {
  const { items } = await profile.engine.messages(conv, { limit: 200 });
  return items.find((one) => one.id === id);
}

/** Once that text is there. */
export const arrives = (profile: WithEngine, conv: ConversationId, text: string): Promise<true> =>
  until(async () => (await texts(profile, conv)).includes(text) || undefined, text);

export async function warnings(profile: WithEngine, conv: ConversationId): Promise<string[]> {
  const all = await profile.engine.conversations();
  return all.find((one) => one.id === conv)?.warnings.map((one) => one.kind) ?? [];
}
