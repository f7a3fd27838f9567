/** Messages as rows of the screen: days, runs of one sender, the line above what is new. Pure. */
import type { Message } from '@siphera/talk';

export type Row =
  | { kind: 'day'; key: string; at: number }
  | { kind: 'new'; key: string }
  | { kind: 'message'; key: string; message: Message; first: boolean };

/** Messages of one person within this time stand under one name. */
const runMs = 5 * 60_000;
const dayOf = (at: number): string => new Date(at).toDateString();

function follows(before: Message | undefined, message: Message): boolean {
  return (
    before !== undefined &&
    before.senderId === message.senderId &&
    before.content.t !== 'event' &&
    message.content.t !== 'event' &&
    before.trust === message.trust &&
    before.senderUnsigned === message.senderUnsigned &&
    message.at - before.at < runMs
  );
}

/**
 * Rows for messages (oldest first).
 * @param firstNewId the message above which "New" stands
 */
export function timelineRows(messages: readonly Message[], firstNewId?: string): Row[] {
  const rows: Row[] = [];
  let before: Message | undefined;
  for (const message of messages) {
    const newDay = before === undefined || dayOf(before.at) !== dayOf(message.at);
    if (newDay) rows.push({ kind: 'day', key: `day ${message.id}`, at: message.at });
    const isNew = message.id === firstNewId;
    if (isNew) rows.push({ kind: 'new', key: 'new' });
    rows.push({
      kind: 'message',
      key: message.id,
      message,
      first: newDay || isNew || !follows(before, message),
    });
    before = message;
  }
  return rows;
}

/** What part of `total` rows is in the page: at most `max`, moved by `by`, kept inside. */
export function moveWindow(
  shown: { from: number; to: number },
  by: number,
  total: number,
  max: number,
): { from: number; to: number } {
  const size = Math.min(max, total);
  const from = Math.max(0, Math.min(shown.from + by, total - size));
  return { from, to: from + size };
}
