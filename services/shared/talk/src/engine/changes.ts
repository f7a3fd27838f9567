/** What later content does to a message: edits, deletions, acknowledgements, receipts. Only its writer edits or deletes it. */
import type { z } from 'zod';
import type { ReceiptContent } from '../content.ts';
import type { Ground } from './ground.ts';
import type { Change, ConversationRecord, StoredMessage } from './records.ts';
import { forgetPlaintext } from './retries.ts';
import { saveMessage } from './save.ts';
import type { Draft } from './store.ts';

/** Changes that came before their message; a message has no more in any honest life. */
const pendingMax = 50;

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
  const pending = (await draft.get<Change[]>('seen', `pend:${id}`)) ?? [];
  draft.put('seen', `pend:${id}`, [...pending, change].slice(-pendingMax));
  return undefined;
}

export async function applyEdit(
  ground: Ground,
  draft: Draft,
  record: ConversationRecord,
  change: Change,
): Promise<void> {
  if (change.content.t !== 'edit') return;
  const message = await target(draft, change.content.target, record.id, change);
  if (!message) return;
  const after = changed(message, change);
  if (after === message) return;
  saveMessage(ground, draft, after);
  // Other words: whoever had understood the old ones has not understood these.
  if (!after.mustAck || after.mine || record.toAck.includes(after.id)) return;
  record.toAck.push(after.id);
  ground.keep(draft, record);
}

/** An edit of mine has its place among those of my other devices. */
export async function noteSentEdit(
  draft: Draft,
  edit: { id: string; target: string; n: number; at: number },
): Promise<void> {
  const message = await draft.get<StoredMessage>('messages', edit.target);
  if (message?.edited?.id !== edit.id) return;
  const { n, at } = edit;
  draft.put('messages', message.id, { ...message, edited: { ...message.edited, n, at } }, message.order);
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
  if (message.mine) await forgetPlaintext(ground, draft, message.id);
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
function changed(message: StoredMessage, change: Change): StoredMessage {
  const { id, content, senderId, device, n, at } = change;
  if (change.unproven === true && message.unproven !== true) return message;
  switch (content.t) {
    case 'edit': {
      if (senderId !== message.senderId || !isLater(change, message.edited)) return message;
      const { body, mentions } = content;
      const after = { ...message, editedAt: at, edited: { id, device, n, at }, acks: [] };
      if (message.content.t === 'text') return { ...after, content: { ...message.content, body, mentions } };
      if (message.content.t === 'file') return { ...after, content: { ...message.content, body } };
      return message;
    }
    case 'delete':
      if (senderId !== message.senderId || message.content.t === 'event') return message;
      return { ...message, content: { t: 'deleted' }, mustAck: false };
    case 'ack':
      if (!message.mustAck || message.acks.some((ack) => ack.userId === senderId)) return message;
      // Of words that are no more.
      if (message.edited && content.of !== message.edited.id) return message;
      return { ...message, acks: [...message.acks, { userId: senderId, at }] };
    default:
      return message;
  }
}

/** Edits of one device have the order in which it wrote them; those of several, that of the server. */
function isLater(edit: Change, standing: StoredMessage['edited']): boolean {
  if (!standing || edit.n === null) return true;
  if (edit.device === standing.device && standing.n !== null) return edit.n > standing.n;
  return edit.at >= standing.at;
}

/** With whatever came before it. */
export async function applyPending(draft: Draft, message: StoredMessage): Promise<StoredMessage> {
  const pending = await draft.get<Change[]>('seen', `pend:${message.id}`);
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
