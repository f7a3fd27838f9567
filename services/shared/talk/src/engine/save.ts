/** Writing one message, with all that has to hear of it. */
import type { Ground } from './ground.ts';
import { isPlaced, type StoredMessage } from './records.ts';
import type { Draft } from './store.ts';

/** Writes a message, tells of it, and marks it for the archive. */
export function saveMessage(ground: Ground, draft: Draft, message: StoredMessage): void {
  draft.put('messages', message.id, message, message.order);
  const { conversation, content } = message;
  const lasting = content.t !== 'undecryptable' && isPlaced(message);
  if (conversation.startsWith('d:') && lasting)
    draft.put('outbox', `a:${message.id}`, message.id, `a|${message.id}`);
  draft.after(() => ground.emit({ what: 'messages', conversation, ids: [message.id] }));
}
