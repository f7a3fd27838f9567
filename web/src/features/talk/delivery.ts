/** How far a message got, as one word and one picture. Pure. */
import type { Conversation, Message } from '@siphera/talk';

export type DeliveryWord = 'waiting' | 'sent' | 'delivered' | 'read' | 'readBySome' | 'failed';

/** What is said about one of my messages; `readBySome` counts readers in rooms. */
export function deliveryWord(
  message: Pick<Message, 'delivery' | 'readBy'>,
  conversation: Pick<Conversation, 'kind' | 'memberIds'>,
): DeliveryWord {
  if (typeof message.delivery === 'object') return 'failed';
  if (conversation.kind === 'direct') return message.delivery;
  if (message.delivery === 'waiting' || message.readBy.length === 0) return message.delivery;
  const everyone = conversation.memberIds.every((id) => message.readBy.includes(id));
  return everyone && conversation.memberIds.length > 0 ? 'read' : 'readBySome';
}

/** Who of the members still has to acknowledge; the sender does not. */
export function notYetAcknowledged(
  message: Pick<Message, 'acks' | 'senderId'>,
  memberIds: readonly string[],
  me: string,
): string[] {
  const done = new Set(message.acks.map((ack) => ack.userId));
  return [...new Set([...memberIds, me])].filter((id) => id !== message.senderId && !done.has(id));
}

/** Must I acknowledge it? */
export function mustAcknowledge(message: Message, me: string): boolean {
  const { content } = message;
  if (message.mine || (content.t !== 'text' && content.t !== 'file') || content.must_ack !== true)
    return false;
  return !message.acks.some((ack) => ack.userId === me);
}
