/**
 * The talk of an incident's room as one text signed by this device. What must stay true: it is what `TranscriptDocument` says, says itself
 * whether it is all, and carries no key of a file: who reads what was filed reads the words, not the files.
 */
import {
  canonicalJson,
  transcriptFormat,
  transcriptMessagesMax,
  type TranscriptDocument,
  type TranscriptMessage,
} from '@siphera/contract';
import { TalkError } from '../api.ts';
import type { ConversationId } from '../content.ts';
import { failureOf } from './failures.ts';
import { rangeOf, type ConversationRecord, type StoredMessage } from './records.ts';
import type { Session } from './session.ts';

/** Pages of older events that are read first: more than one document takes, and an end to what a server can make of it. */
const pagesMax = 100;
/** UTF-16 units of the messages. Core takes nine megabytes of JSON; a unit is at most three bytes, and some are escaped. */
const messagesCharsMax = 2_000_000;

/** @throws TalkError `not_member`, and `refused` for what is no room of an incident */
export async function transcriptOf(
  session: Session,
  conv: ConversationId,
): Promise<{ document: string; device_id: string; device_key: string; signature: string }> {
  const { ground } = session;
  if (!ground.conversations.get(conv)?.room) throw new TalkError('not_member', 'You are not in this room');
  await readBack(session, conv);
  const record = ground.conversations.get(conv);
  const room = record?.room;
  if (!room || record.incidentId === null)
    throw new TalkError('refused', 'Only the talk of an incident is filed');
  const rows = await ground.store.range<StoredMessage>('messages', ...rangeOf(conv));
  const lines = rows
    .map((row) => row.value)
    .filter(isOut)
    .map(lineOf);
  const kept = newestThatFit(lines);
  const seqs = kept.flatMap((line) => line.seq ?? []);
  const document: TranscriptDocument = {
    format: transcriptFormat,
    room_id: room.roomId,
    incident_id: record.incidentId,
    filed_by: ground.userId,
    device_id: ground.deviceId,
    filed_at: isoOf(ground.place.now()),
    complete: kept.length === lines.length && isWhole(record, kept),
    first_seq: seqs[0] ?? null,
    last_seq: seqs.at(-1) ?? null,
    count: kept.filter((line) => line.event === undefined).length,
    members: [...room.chain.members],
    messages: kept,
  };
  const text = canonicalJson(document);
  return {
    document: text,
    device_id: ground.deviceId,
    device_key: ground.machine.signingKey,
    signature: await ground.machine.sign(text),
  };
}

/** To the opening of the room. Without the box, what is here is filed and says that it is not all. */
async function readBack({ ground, history }: Session, conv: ConversationId): Promise<void> {
  for (let page = 0; page < pagesMax; page += 1) {
    if (ground.conversations.get(conv)?.room?.complete !== false || !ground.place.socket.connected()) return;
    try {
      await history.older(conv);
    } catch (error) {
      if (failureOf(error) !== 'later') throw error;
      return;
    }
  }
}

/** What waits, or was given up, nobody else has read. */
const isOut = ({ delivery }: StoredMessage): boolean =>
  delivery !== 'waiting' && typeof delivery === 'string';

const isWhole = (record: ConversationRecord, lines: readonly TranscriptMessage[]): boolean =>
  record.room?.complete === true &&
  Object.keys(record.gaps).length === 0 &&
  lines.every((line) => line.unreadable === undefined);

/** What core takes in one document, counted from the end. */
export function newestThatFit(lines: readonly TranscriptMessage[]): TranscriptMessage[] {
  let left = messagesCharsMax;
  let from = lines.length;
  while (from > 0 && lines.length - from < transcriptMessagesMax) {
    left -= JSON.stringify(lines[from - 1]).length + 1;
    if (left < 0) break;
    from -= 1;
  }
  return lines.slice(from);
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

function lineOf(message: StoredMessage): TranscriptMessage {
  const { content } = message;
  return {
    id: message.id,
    seq: message.seq,
    sender: message.senderId,
    device: message.senderDevice,
    at: isoOf(message.at),
    ...wordsOf(content),
    ...('reply_to' in content && content.reply_to !== undefined && { reply_to: content.reply_to }),
    ...(message.mustAck && { must_ack: true }),
    ...(message.editedAt !== null && { edited_at: isoOf(message.editedAt) }),
    acks: message.acks.map((ack) => ({ user_id: ack.userId, at: isoOf(ack.at) })),
    ...(message.senderUnsigned && { sender_unsigned: true }),
    ...(message.unproven === true && { unproven: true }),
  };
}

function wordsOf(content: StoredMessage['content']): Partial<TranscriptMessage> {
  switch (content.t) {
    case 'text':
      return { text: content.body };
    case 'file': {
      const { file, name, media_type, body } = content;
      const { bytes, id, encrypted } = file;
      return {
        file: { id, name, media_type, bytes, sha256: encrypted.hashes.sha256 },
        ...(body !== undefined && { text: body }),
      };
    }
    case 'event':
      return {
        event: { what: content.what, user_ids: content.userIds },
        ...(content.text !== '' && { text: content.text }),
      };
    case 'deleted':
      return { deleted: true };
    case 'undecryptable':
    case 'newer_version':
      return { unreadable: true };
  }
}
