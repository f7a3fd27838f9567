/** The conversation that the address names: one that there is, or a direct one that begins with its first message. */
import type { Conversation, ConversationId } from '@siphera/talk';
import { computed, type ComputedRef, type Ref } from 'vue';
import { useTalk } from '#features/talk/talk.store.ts';
import { useTalkPeople } from '#features/talk/use-people.ts';

/** Nothing was written yet: the engine knows of no conversation before there is a message. */
const unwritten = (id: ConversationId, userId: string): Conversation => ({
  id,
  kind: 'direct',
  name: null,
  incidentId: null,
  memberIds: [userId],
  amMember: true,
  lastMessage: null,
  lastAt: 0,
  unread: 0,
  toAck: 0,
  warnings: [],
});

export function useChosenConversation(
  id: Readonly<Ref<ConversationId | undefined>>,
): ComputedRef<Conversation | undefined> {
  const talk = useTalk();
  const people = useTalkPeople();
  return computed(() => {
    const { value } = id;
    if (value === undefined) return undefined;
    const found = talk.conversations.find((one) => one.id === value);
    if (found || !value.startsWith('d:')) return found;
    const userId = value.slice('d:'.length);
    return people.byId.value.has(userId) ? unwritten(value, userId) : undefined;
  });
}
