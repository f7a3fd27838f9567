/** What the console is shown, out of what is kept. */
import { TalkError, type Conversation, type Message } from '../api.ts';
import type { ConversationId } from '../content.ts';
import { decryptFile } from '../side/index.ts';
import type { Ground } from './ground.ts';
import { vanishedDevices } from './hidden.ts';
import { factsOnce, warningsOf } from './identity.ts';
import { rangeOf, type ConversationRecord, type StoredMessage } from './records.ts';
import type { Session } from './session.ts';

const pageMax = 200;
/** Messages that a search looks through, newest first, and what it answers at most. */
const searchedMax = 20_000;
const foundMax = 100;

/** Pictures, sounds and films, which a page may show; all else is a download, whatever its sender calls it. */
const shownTypes = /^(image\/(png|jpeg|webp|gif|avif)|audio\/[\w.+-]+|video\/[\w.+-]+)(;|$)/;

function viewMessage(ground: Ground, stored: StoredMessage): Message {
  const { order: _order, n: _n, seq, mustAck: _mustAck, edited: _edited, ...message } = stored;
  const room = ground.conversations.get(stored.conversation)?.room;
  if (!room || seq === null) return message;
  const readBy = Object.entries(room.reads)
    .filter(([userId, upto]) => upto >= seq && userId !== stored.senderId)
    .map(([userId]) => userId);
  const delivery =
    message.mine && message.delivery === 'sent' && readBy.length > 0 ? 'read' : message.delivery;
  return { ...message, readBy, delivery };
}

export async function viewConversations(ground: Ground): Promise<Conversation[]> {
  const all = [...ground.conversations.values()].sort((a, b) => b.lastAt - a.lastAt);
  const seen = { vanished: await vanishedDevices(ground), factsOf: factsOnce(ground) };
  return Promise.all(all.map((record) => viewConversation(ground, record, seen)));
}

async function viewConversation(
  ground: Ground,
  record: ConversationRecord,
  seen: Parameters<typeof warningsOf>[3],
): Promise<Conversation> {
  const { room } = record;
  const members = room ? room.chain.members : [ground.userId, record.id.slice(2)];
  const memberIds = members.filter((id) => id !== ground.userId);
  const last =
    record.lastId === null ? undefined : await ground.store.get<StoredMessage>('messages', record.lastId);
  return {
    id: record.id,
    kind: record.kind,
    name: record.name,
    incidentId: record.incidentId,
    memberIds,
    amMember: members.includes(ground.userId),
    lastMessage: last ? viewMessage(ground, last) : null,
    lastAt: record.lastAt,
    unread: record.unread.length,
    toAck: record.toAck.length,
    warnings: await warningsOf(ground, record, memberIds, seen),
  };
}

/** Oldest first. Of rooms, older events are fetched where this device has them not. */
export async function viewMessages(
  session: Session,
  conv: ConversationId,
  options: { before?: string; limit?: number },
): Promise<{ items: Message[]; more: boolean }> {
  const { ground } = session;
  const limit = Math.min(options.limit ?? 50, pageMax);
  const [from, end] = rangeOf(conv);
  const before =
    options.before === undefined
      ? undefined
      : await ground.store.get<StoredMessage>('messages', options.before);
  const read = () =>
    ground.store.range<StoredMessage>('messages', from, before?.order ?? end, {
      limit: limit + 1,
      newest: true,
    });
  let rows = await read();
  if (
    rows.length <= limit &&
    ground.conversations.get(conv)?.room?.complete === false &&
    ground.place.socket.connected()
  ) {
    await session.history.older(conv).catch(() => false);
    rows = await read();
  }
  const more = rows.length > limit || ground.conversations.get(conv)?.room?.complete === false;
  return { items: rows.slice(-limit).map((row) => viewMessage(ground, row.value)), more };
}

export async function search(ground: Ground, text: string): Promise<Message[]> {
  const wanted = text.trim().toLocaleLowerCase();
  if (wanted === '') return [];
  const rows = await ground.store.range<StoredMessage>('messages', 'd:', 's', {
    limit: searchedMax,
    newest: true,
  });
  return rows
    .map((row) => row.value)
    .filter(({ content }) => {
      const words =
        content.t === 'text'
          ? content.body
          : content.t === 'file'
            ? `${content.name} ${content.body ?? ''}`
            : '';
      return words.toLocaleLowerCase().includes(wanted);
    })
    .sort((a, b) => b.at - a.at)
    .slice(0, foundMax)
    .map((message) => viewMessage(ground, message));
}

/** @throws TalkError `refused` when it is no file, or was changed on its way */
export async function readFile(ground: Ground, id: string, part: 'file' | 'thumbnail'): Promise<Blob> {
  const message = await ground.store.get<StoredMessage>('messages', id);
  const content = message?.content;
  const ref = content?.t === 'file' ? content[part] : undefined;
  if (content?.t !== 'file' || !ref) throw new TalkError('refused', 'There is no such file');
  const waiting = await ground.store.bytes('outbox', `f:${id}:${part}`);
  const plain = await decryptFile(waiting ?? (await ground.place.rest.download(ref.id)), ref.encrypted);
  const type = part === 'thumbnail' ? 'image/jpeg' : content.media_type;
  return new Blob([plain], { type: shownTypes.test(type) ? type : 'application/octet-stream' });
}
