/**
 * What was begun in each conversation and not sent. What must stay true: it is plaintext and so lives in the memory of this
 * page alone; signing out or a change of guard loads the page anew and nothing of it is left.
 */
import type { ConversationId } from '@siphera/talk';
import { shallowReactive } from 'vue';

const kept = shallowReactive(new Map<ConversationId, string>());

export const draftOf = (conversation: ConversationId): string => kept.get(conversation) ?? '';

export function keepDraft(conversation: ConversationId, text: string): void {
  if (text.trim() === '') kept.delete(conversation);
  else kept.set(conversation, text);
}
