/** What later content does to a message: edits, deletions, acknowledgements, receipts. Only its writer edits or deletes it. */
import type { z } from 'zod';
import type { ReceiptContent, TalkContent } from '../content.ts';
import type { Ground } from './ground.ts';
import type { ConversationRecord, PendingChange, StoredMessage } from './records.ts';
import { saveMessage } from './save.ts';
import type { Draft } from './store.ts';

/** Changes that came before their message; a message has no more in any honest life. */
const pendingMax = 50;

type Change = { content: TalkContent; senderId: string; at: number };

async function target(
  draft: Draft,
  id: string,
  conv: string,
  change: Change,
): Promise<StoredMessage | undefined> {
  const message = await draft.get<StoredMessage>('messages', id);
  if (message && message.content.t !== 'undecryptable')
    return message.conversation === conv ? message : undefined;
  // Of no conversation yet: it is looked at again when the message comes.
  const pending = (await draft.get<PendingChange[]>('seen', `pend:${id}`)) ?? [];
  draft.put('seen', `pend:${id}`, [...pending, change].slice(-pendingMax));
  return undefined;
}

export async function applyEdit(ground: Ground, draft: Draft, conv: string, change: Change): Promise<void> {
  if (change.content.t !== 'edit') return;
  const message = await target(draft, change.content.target, conv, change);
  if (message) saveMessage(ground, draft, changed(message, change));
}

export async function applyDelete(
  ground: Ground,
  draft: Draft,
  record: ConversationRecord,
  change: Change,
): Promise<void> {
  if (change.content.t !== 'delete') return;
  const message = await target(draft, change.content.target, record.id, change);
  if (!message) return;
  const after = changed(message, change);
  if (after === message) return;
  saveMessage(ground, draft, after);
  record.unread = record.unread.filter((one) => one.id !== message.id);
  record.toAck = record.toAck.filter((id) => id !== message.id);
  ground.keep(draft, record);
}

export async function applyAck(
  ground: Ground,
  draft: Draft,
  record: ConversationRecord,
  change: Change,
): Promise<void> {
  if (change.content.t !== 'ack') return;
  const message = await target(draft, change.content.target, record.id, change);
  if (!message) return;
  saveMessage(ground, draft, changed(message, change));
  if (change.senderId !== ground.userId) return;
  record.toAck = record.toAck.filter((id) => id !== message.id);
  ground.keep(draft, record);
}

/** The message after a change; the same one when the change is not its writer's to make, or makes none. */
function changed(message: StoredMessage, { content, senderId, at }: Change): StoredMessage {
  switch (content.t) {
    case 'edit': {
      if (senderId !== message.senderId) return message;
      const { body, mentions } = content;
      if (message.content.t === 'text')
        return { ...message, editedAt: at, content: { ...message.content, body, mentions } };
      if (message.content.t === 'file')
        return { ...message, editedAt: at, content: { ...message.content, body } };
      return message;
    }
    case 'delete':
      if (senderId !== message.senderId || message.content.t === 'event') return message;
      return { ...message, content: { t: 'deleted' }, mustAck: false };
    case 'ack':
      if (!message.mustAck || message.acks.some((ack) => ack.userId === senderId)) return message;
      return { ...message, acks: [...message.acks, { userId: senderId, at }] };
    default:
      return message;
  }
}

/** With whatever came before it. */
export async function applyPending(draft: Draft, message: StoredMessage): Promise<StoredMessage> {
  const pending = await draft.get<PendingChange[]>('seen', `pend:${message.id}`);
  if (!pending) return message;
  draft.remove('seen', `pend:${message.id}`);
  return pending.reduce((now, change) => changed(now, change), message);
}

const ranks = { waiting: 0, sent: 1, delivered: 2, read: 3 } as const;
export const rankOf = (delivery: StoredMessage['delivery']): number =>
  typeof delivery === 'string' ? ranks[delivery] : -1;

export async function applyReceipt(
  ground: Ground,
  draft: Draft,
  record: ConversationRecord,
  senderId: string,
  receipt: z.infer<typeof ReceiptContent>,
): Promise<void> {
  if (record.kind !== 'direct') return;
  // Of another device of mine: what I have read there is read here.
  if (senderId === ground.userId) {
    if (receipt.state !== 'read') return;
    record.unread = record.unread.filter((one) => !receipt.targets.includes(one.id));
    ground.keep(draft, record);
    return;
  }
  for (const id of receipt.targets) {
    const message = await draft.get<StoredMessage>('messages', id);
    if (message?.mine !== true || message.conversation !== record.id) continue;
    // A receipt may be here before the answer of the server to the sending is.
    if (rankOf(message.delivery) >= rankOf(receipt.state)) continue;
    saveMessage(ground, draft, { ...message, delivery: receipt.state });
  }
}
