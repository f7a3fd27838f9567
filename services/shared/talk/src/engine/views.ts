/** What the console is shown, out of what is kept. */
import { canonicalJson } from '@siphera/contract';
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
/** A transcript is one document: what core takes at most holds about so many. */
const transcriptMax = 5_000;

/** Pictures, sounds and films, which a page may show; all else is a download, whatever its sender calls it. */
const shownTypes = /^(image\/(png|jpeg|webp|gif|avif)|audio\/[\w.+-]+|video\/[\w.+-]+)(;|$)/;

export function viewMessage(ground: Ground, stored: StoredMessage): Message {
  const { order: _order, n: _n, seq, waiting: _waiting, mustAck: _mustAck, ...message } = stored;
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

/** Everything of a room that this device can read, as one text signed by it. @throws TalkError `too_large` */
export async function transcriptOf(
  ground: Ground,
  conv: ConversationId,
): Promise<{ document: string; device_id: string; device_key: string; signature: string }> {
  const record = ground.conversations.get(conv);
  if (!record?.room) throw new TalkError('not_member', 'You are not in this room');
  const rows = await ground.store.range<StoredMessage>('messages', ...rangeOf(conv));
  if (rows.length > transcriptMax)
    throw new TalkError('too_large', 'The room is too long for one transcript');
  const document = canonicalJson({
    v: 1,
    room_id: record.room.roomId,
    incident_id: record.incidentId,
    filed_by: ground.userId,
    device_id: ground.deviceId,
    at: new Date(ground.place.now()).toISOString(),
    members: [...record.room.chain.members],
    messages: rows.filter((row) => row.value.delivery !== 'waiting').map((row) => lineOf(row.value)),
  });
  return {
    document,
    device_id: ground.deviceId,
    device_key: ground.machine.signingKey,
    signature: await ground.machine.sign(document),
  };
}

function lineOf(message: StoredMessage): unknown {
  const { id, senderId, senderDevice, at, content, editedAt, acks, senderUnsigned, unproven } = message;
  const line = {
    id,
    sender: senderId,
    device: senderDevice,
    at: new Date(at).toISOString(),
    content,
    edited_at: editedAt === null ? null : new Date(editedAt).toISOString(),
    acks: acks.map((ack) => ({ user: ack.userId, at: new Date(ack.at).toISOString() })),
    sender_unsigned: senderUnsigned,
    unproven: unproven === true,
  };
  // Without what is undefined, which JSON cannot say.
  return JSON.parse(JSON.stringify(line));
}
