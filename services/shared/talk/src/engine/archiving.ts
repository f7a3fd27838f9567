/** The archive: 1:1 messages, sealed under the archive key, so that a new device has what Olm gives nobody twice. */
import { z } from 'zod';
import { archiveCipher } from '../side/index.ts';
import { archiveNameOf, isBetterCall, isCallRow } from './call-rows.ts';
import type { Ground } from './ground.ts';
import { putMessage } from './inbox.ts';
import type { StoredMessage } from './records.ts';
import { archiveKeyOf } from './recovery.ts';

/** Sealed and sent in one go, and goes of one call; what is left waits for the next call. */
const itemsMax = 50;
const roundsMax = 20;
/** Pages of one reading: more than a person writes in years. */
const pagesMax = 1_000;
const pageItems = 200;

const Page = z.object({
  items: z.array(z.object({ id: z.string(), seq: z.int(), box: z.string() })),
  more: z.boolean(),
});
/** As another device of mine keeps it, maybe one of another version. */
const Archived = z.looseObject({
  id: z.string(),
  conversation: z.string().regex(/^d:[0-9a-f-]{36}$/),
  senderId: z.string(),
  order: z.string(),
  at: z.number(),
  content: z.looseObject({ t: z.string() }),
  acks: z.array(z.looseObject({ userId: z.string() })),
});

/** Uploads what is marked. */
export async function archive(ground: Ground): Promise<void> {
  const key = await archiveKeyOf(ground);
  if (!key) return;
  const cipher = await archiveCipher(key);
  let isRead = false;
  for (let round = 0; round < roundsMax; round += 1) {
    const rows = await ground.store.range<string>('outbox', 'a|', 'a}', { limit: itemsMax });
    if (rows.length === 0) return;
    if (!isRead && rows.some((row) => isCallRow(row.value))) {
      // What another device of mine knows of a call is not replaced by less.
      await restoreArchive(ground);
      isRead = true;
      continue;
    }
    const items: { id: string; box: string }[] = [];
    const texts = new Map<string, string>();
    for (const { value: id } of rows) {
      const message = await ground.store.get<StoredMessage>('messages', id);
      if (!message) continue;
      texts.set(id, JSON.stringify(message));
      const name = await archiveNameOf(id);
      items.push({ id: name, box: await cipher.seal(name, message) });
    }
    if (items.length > 0) await ground.place.rest.call('putArchive', { body: { items } });
    await ground.write(async (draft) => {
      for (const { key: row, value: id } of rows) {
        const now = await draft.get<StoredMessage>('messages', id);
        // Changed while it was on its way: once more.
        if (!now || JSON.stringify(now) === texts.get(id)) draft.remove('outbox', row);
      }
    });
  }
}

/** Everything anew, under a new key. */
export async function archiveAll(ground: Ground): Promise<void> {
  const rows = await ground.store.range<StoredMessage>('messages', 'd:', 'd;');
  await ground.write(async (draft) => {
    for (const { value } of rows)
      if (value.content.t !== 'undecryptable')
        draft.put('outbox', `a:${value.id}`, value.id, `a|${value.id}`);
  });
}

/** Reads the archive from where it was read to. */
export async function restoreArchive(ground: Ground): Promise<void> {
  const key = await archiveKeyOf(ground);
  if (!key) return;
  const cipher = await archiveCipher(key);
  for (let page = 0; page < pagesMax; page += 1) {
    const after = (await ground.store.get<number>('meta', 'archive_read')) ?? 0;
    const query = { after: String(after), limit: String(pageItems) };
    const { items, more } = Page.parse(await ground.place.rest.call('getArchive', { query }));
    const opened = await Promise.all(
      items.map(async ({ id, box }) => ({ id, record: await cipher.open(id, box) })),
    );
    await ground.write(async (draft) => {
      for (const { id, record } of opened) {
        const read = Archived.safeParse(record);
        if (!read.success || (await archiveNameOf(read.data.id)) !== id) continue;
        const message = read.data as unknown as StoredMessage;
        const here = await draft.get<StoredMessage>('messages', message.id);
        if (here && here.content.t !== 'undecryptable' && !isBetterCall(message, here)) continue;
        const conversation = await ground.conversation(draft, message.conversation);
        await putMessage(ground, draft, conversation, message, false);
        draft.remove('outbox', `a:${message.id}`);
      }
      const last = items.at(-1)?.seq;
      if (last !== undefined) draft.put('meta', 'archive_read', last);
    });
    if (!more || items.length === 0) return;
  }
}
