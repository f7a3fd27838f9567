/** Builders of what tests of talk show. */
import type { Conversation, Message } from '@siphera/talk';

export const ids = {
  me: '00000000-0000-4000-8000-000000000001',
  ada: '00000000-0000-4000-8000-000000000002',
  bo: '00000000-0000-4000-8000-000000000003',
} as const;

export const aConversation = (over: Partial<Conversation> = {}): Conversation => ({
  id: `d:${ids.ada}`,
  kind: 'direct',
  name: null,
  incidentId: null,
  memberIds: [ids.ada],
  amMember: true,
  lastMessage: null,
  lastAt: 0,
  unread: 0,
  toAck: 0,
  warnings: [],
  ...over,
});

export const aMessage = (over: Partial<Message> = {}): Message => ({
  id: '10000000-0000-4000-8000-000000000001',
  conversation: `d:${ids.ada}`,
  senderId: ids.ada,
  senderDevice: 'ABCDEFGHIJ',
  mine: false,
  at: Date.UTC(2026, 10, 22, 12),
  sentAt: Date.UTC(2026, 10, 22, 12),
  content: { t: 'text', body: 'Gate 2 is open' },
  editedAt: null,
  delivery: 'delivered',
  acks: [],
  readBy: [],
  trust: 'known',
  senderUnsigned: false,
  ...over,
});
