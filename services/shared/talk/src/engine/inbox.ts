/**
 * What an envelope does to the tables once it is decrypted and its sender is proved. What must stay true: an id counts once; only
 * its writer changes a message; what is not understood is kept as "from a newer version", never dropped.
 */
import type { Trust } from '../api.ts';
import { Envelope, TalkContent, type ConversationId } from '../content.ts';
import { arrive, emptySequence, missingCount, type SequenceState } from '../side/index.ts';
import type { Ground } from './ground.ts';
import { applyAck, applyDelete, applyEdit, applyPending, applyReceipt } from './changes.ts';
import {
  arrivedOrder,
  localConversation,
  wireConversation,
  type Change,
  type ConversationRecord,
  type StoredMessage,
} from './records.ts';
import { saveMessage } from './save.ts';
import type { Draft } from './store.ts';

/** Unread ones of a conversation that are remembered one by one; older ones are then simply old. */
const unreadMax = 1_000;

export type Arrival = {
  envelope: Envelope;
  conv: ConversationId;
  senderId: string;
  senderDevice: string;
  /** Of the server, milliseconds. */
  at: number;
  /** Of a room's event. */
  seq: number | null;
  trust: Trust;
  senderUnsigned: boolean;
  /** The device is known, and its owner has signed it. */
  signed: boolean;
  /** Opened by a key that came from a backup or a bundle, not from its writer. */
  unproven: boolean;
  /** Fetched from before: nothing of it is new to anybody. */
  history: boolean;
};
export type ArrivalVerdict = 'new' | 'duplicate' | 'foreign';

/** Reads an envelope; `undefined` for what is none. */
export const readEnvelope = (content: unknown): Envelope | undefined => Envelope.safeParse(content).data;

/**
 * Where an envelope belongs that came over Olm; `undefined` when it says another conversation than one of its sender and me.
 */
export function directConversation(
  ground: Ground,
  envelope: Envelope,
  senderId: string,
): ConversationId | undefined {
  const conv = localConversation(envelope.conv, ground.userId);
  if (conv?.startsWith('d:') !== true) return undefined;
  if (senderId === ground.userId) return conv;
  return envelope.conv === wireConversation(`d:${senderId}`, ground.userId) ? conv : undefined;
}

/** What is only for the moment, and leaves no row. */
export type Momentary = (arrival: Arrival, content: TalkContent) => void;

export async function applyArrival(
  ground: Ground,
  draft: Draft,
  arrival: Arrival,
  momentary: Momentary,
): Promise<ArrivalVerdict> {
  const { envelope, conv } = arrival;
  const known = await draft.get<StoredMessage>('messages', envelope.id);
  if (known && (known.content.t !== 'undecryptable' || known.conversation !== conv)) return 'duplicate';
  if (known && known.senderId !== arrival.senderId) return 'foreign';
  if (await draft.get('seen', `id:${envelope.id}`)) return 'duplicate';
  const record = await ground.conversation(draft, conv);
  await count(ground, draft, record, arrival);
  if (known) draft.remove('messages', envelope.id);
  const read = TalkContent.safeParse(envelope.content);
  if (!read.success) {
    if (envelope.n > 0) await addMessage(ground, draft, record, arrival, { t: 'newer_version' });
    return 'new';
  }
  await applyContent(ground, draft, record, arrival, read.data, momentary);
  return 'new';
}

async function applyContent(
  ground: Ground,
  draft: Draft,
  record: ConversationRecord,
  arrival: Arrival,
  content: TalkContent,
  momentary: Momentary,
): Promise<void> {
  const change = changeOf(arrival, content);
  if (!mayAct(arrival, content)) {
    mark(draft, arrival);
    ground.place.log('warn', 'talk_unproved_dropped', { what: content.t, device: arrival.senderDevice });
    return;
  }
  switch (content.t) {
    case 'text':
    case 'file':
      await addMessage(ground, draft, record, arrival, content);
      return;
    case 'name':
      takeName(record, arrival, content.name);
      await addMessage(ground, draft, record, arrival, {
        t: 'event',
        what: 'named',
        userIds: [arrival.senderId],
        text: content.name,
      });
      return;
    case 'edit':
      mark(draft, arrival);
      await applyEdit(ground, draft, record, change);
      return;
    case 'delete':
      mark(draft, arrival);
      await applyDelete(ground, draft, record, change);
      return;
    case 'ack':
      mark(draft, arrival);
      await applyAck(ground, draft, record, change);
      return;
    case 'receipt':
      await applyReceipt(ground, draft, record, arrival.senderId, content);
      return;
    case 'call':
    case 'secret':
    case 'history_request':
      draft.after(() => momentary(arrival, content));
  }
}

const isProved = ({ signed, trust, unproven }: Arrival): boolean =>
  signed && trust !== 'changed' && !unproven;

/**
 * Words of a device that nobody signed are shown, marked as such. What changes, acknowledges or acts in somebody's name counts only from a device
 * that its owner has signed, under the keys that are known. Changes out of a backup or a bundle count for what came out of one.
 */
function mayAct(arrival: Arrival, content: TalkContent): boolean {
  if (content.t === 'text' || content.t === 'file' || content.t === 'name' || isProved(arrival)) return true;
  const changes = content.t === 'edit' || content.t === 'delete' || content.t === 'ack';
  return changes && arrival.unproven && !arrival.senderUnsigned && arrival.trust !== 'changed';
}

const changeOf = (arrival: Arrival, content: TalkContent): Change => ({
  id: arrival.envelope.id,
  content,
  senderId: arrival.senderId,
  device: arrival.senderDevice,
  n: arrival.envelope.n,
  at: arrival.at,
  ...(arrival.unproven && { unproven: true }),
});

/** The latest counts; one that nobody proves only where there is none that somebody does. */
function takeName(record: ConversationRecord, arrival: Arrival, name: string): void {
  const isFree = record.name === null || record.nameUnproven === true;
  const mayName = isProved(arrival) || (isFree && arrival.unproven && !arrival.senderUnsigned);
  if (!mayName || arrival.trust === 'changed') return;
  if (arrival.at < (record.namedAt ?? 0) && !(isFree && isProved(arrival))) return;
  record.name = name;
  record.namedAt = arrival.at;
  record.nameUnproven = !isProved(arrival);
}

/** What is no message itself has its id remembered, so that it is done once. */
function mark(draft: Draft, arrival: Arrival): void {
  draft.put('seen', `id:${arrival.envelope.id}`, 1);
}

async function count(
  ground: Ground,
  draft: Draft,
  record: ConversationRecord,
  arrival: Arrival,
): Promise<void> {
  const { envelope, senderId, senderDevice } = arrival;
  if (envelope.n === 0) return;
  const writer = `${senderId}:${senderDevice}`;
  const key = `in:${record.id}:${writer}`;
  // What a device wrote before this one could see it is not missing.
  const before = (await draft.get<SequenceState>('counters', key)) ?? emptySequence(envelope.n);
  const { state } = arrive(before, envelope.n);
  draft.put('counters', key, state);
  const missing = missingCount(state);
  if (missing === (record.gaps[writer] ?? 0)) return;
  if (missing === 0) Reflect.deleteProperty(record.gaps, writer);
  else record.gaps[writer] = missing;
  ground.keep(draft, record);
}

async function addMessage(
  ground: Ground,
  draft: Draft,
  record: ConversationRecord,
  arrival: Arrival,
  content: StoredMessage['content'],
): Promise<void> {
  const { envelope, at, seq } = arrival;
  const mine = arrival.senderId === ground.userId;
  const message: StoredMessage = {
    id: envelope.id,
    conversation: record.id,
    senderId: arrival.senderId,
    senderDevice: arrival.senderDevice,
    mine,
    at,
    sentAt: envelope.at,
    content,
    editedAt: null,
    delivery: mine ? 'sent' : 'delivered',
    acks: [],
    readBy: [],
    trust: arrival.trust,
    senderUnsigned: arrival.senderUnsigned,
    ...(arrival.unproven && { unproven: true }),
    order: arrivedOrder(record.id, at, seq ?? envelope.n, envelope.id),
    n: envelope.n,
    seq,
    mustAck: 'must_ack' in content && content.must_ack === true,
  };
  await putMessage(ground, draft, record, message, !arrival.history);
}

/** Adds a message that has its place, with what it does to its conversation. */
export async function putMessage(
  ground: Ground,
  draft: Draft,
  record: ConversationRecord,
  message: StoredMessage,
  fresh: boolean,
): Promise<void> {
  const settled = await applyPending(draft, message);
  saveMessage(ground, draft, settled);
  if (settled.at >= record.lastAt) {
    record.lastAt = settled.at;
    record.lastId = settled.id;
  }
  if (record.room && settled.seq !== null) record.room.lastSeq = Math.max(record.room.lastSeq, settled.seq);
  const counts = !settled.mine && settled.content.t !== 'event' && settled.content.t !== 'deleted';
  const read = settled.seq !== null && settled.seq <= (record.room?.reads[ground.userId] ?? 0);
  if (counts && fresh && !read && !record.unread.some((one) => one.id === settled.id))
    record.unread = [...record.unread, { id: settled.id, seq: settled.seq, from: settled.senderId }].slice(
      -unreadMax,
    );
  const acked = settled.acks.some((ack) => ack.userId === ground.userId);
  if (counts && settled.mustAck && !acked && !record.toAck.includes(settled.id))
    record.toAck.push(settled.id);
  ground.keep(draft, record);
}
