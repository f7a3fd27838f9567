/**
 * Messages in rooms, over Megolm. What must stay true: the key goes to members by the statements alone, and before the message; a message
 * counts only from a member, once, under the index and the name it was written with.
 */
import {
  DecryptionErrorCode,
  DecryptionSettings,
  MegolmDecryptionError,
  RoomId,
  TrustRequirement,
} from '@matrix-org/matrix-sdk-crypto-wasm';
import type { TalkRoomEvent } from '@siphera/contract';
import { z } from 'zod';
import type { ConversationId, Envelope } from '../content.ts';
import { readMegolmIndex } from '../side/index.ts';
import { noteSeq, refreshRoom, requireRoom, roomConversation } from './chain.ts';
import { timeOf } from './direct.ts';
import { failureOf } from './failures.ts';
import type { Ground } from './ground.ts';
import { refuseOwnChanged, trustOf } from './identity.ts';
import { applyArrival, readEnvelope, type Momentary } from './inbox.ts';
import { arrivedOrder, type ConversationRecord, type RoomRecord, type StoredMessage } from './records.ts';
import { askFor } from './retries.ts';
import type { Draft } from './store.ts';

/** Members or devices may change so often while one message is sent. */
const conflictsMax = 6;

/**
 * Members that are still delivered to, and whose keys have not changed: who was disabled or has moved away is given nothing, and whoever
 * changed nothing until somebody has looked.
 */
async function readers(ground: Ground, room: Pick<RoomRecord, 'chain' | 'delivered'>): Promise<string[]> {
  const members = room.chain.members.filter((id) => id === ground.userId || room.delivered.includes(id));
  const users = members.map((id) => ground.userName(id));
  const trusts = await Promise.all(users.map((user) => trustOf(ground, user)));
  return users.filter((_, at) => trusts[at] !== 'changed');
}

/** Answers when the server has it. @throws TalkError `not_member`, and what the port throws */
export async function sendToRoom(
  ground: Ground,
  conv: ConversationId,
  envelope: Envelope,
  wake: boolean,
): Promise<{ at: number; seq: number }> {
  const { machine } = ground;
  let upto = 0;
  for (let tried = 0; ; tried += 1) {
    const room = requireRoom(ground, conv);
    const name = ground.roomName(room.roomId);
    await machine.track(room.chain.members.map((id) => ground.userName(id)));
    await machine.freshen();
    await machine.claim(await readers(ground, room));
    await refuseOwnChanged(ground);
    // Read after the network was waited for: keys may have changed in the meantime.
    const users = await readers(ground, room);
    const devicesUpto = Math.max(upto, machine.knownUpto);
    await machine.shareKey(name, users);
    const content = await machine.encryptForRoom(name, envelope);
    try {
      const answer = await ground.place.rest.call('sendRoomEvent', {
        params: { id: room.roomId },
        body: {
          event_id: envelope.id,
          content,
          devices_upto: devicesUpto,
          statements: room.chain.n,
          wake: wake ? 'message' : 'none',
        },
      });
      return { at: timeOf(answer), seq: SeqAnswer.parse(answer).seq };
    } catch (error) {
      if (failureOf(error) !== 'conflict' || tried >= conflictsMax) throw error;
      const fresh = await refreshRoom(ground, room.roomId);
      upto = await machine.query((fresh.room?.chain.members ?? []).map((id) => ground.userName(id)));
    }
  }
}
const SeqAnswer = z.looseObject({ seq: z.int() });

const settings = (): DecryptionSettings => new DecryptionSettings(TrustRequirement.Untrusted);
const Decrypted = z.looseObject({ type: z.string(), content: z.unknown() });

type Opened =
  | { is: 'open'; envelope: Envelope; device: string | undefined }
  | { is: 'locked' }
  | { is: 'broken'; reason: string };

async function open(ground: Ground, event: TalkRoomEvent): Promise<Opened> {
  const room = ground.roomName(event.room_id);
  const raw = {
    type: 'm.room.encrypted',
    event_id: `$${event.event_id}`,
    sender: event.sender,
    origin_server_ts: Date.parse(event.at),
    room_id: room,
    content: event.content,
  };
  try {
    const decrypted = await ground.machine.call((olm) =>
      olm.decryptRoomEvent(JSON.stringify(raw), new RoomId(room), settings()),
    );
    const { type, content } = Decrypted.parse(JSON.parse(decrypted.event));
    const envelope = type === 'siphera.message' ? readEnvelope(content) : undefined;
    if (!envelope) return { is: 'broken', reason: 'It is no message' };
    return { is: 'open', envelope, device: decrypted.senderDevice?.toString() };
  } catch (error) {
    if (!(error instanceof MegolmDecryptionError)) return { is: 'broken', reason: 'It cannot be read' };
    const { code, description, maybe_withheld: why } = error;
    const waits =
      code === DecryptionErrorCode.MissingRoomKey || code === DecryptionErrorCode.UnknownMessageIndex;
    return waits ? { is: 'locked' } : { is: 'broken', reason: why ?? description };
  }
}

type RoomVerdict =
  | 'new'
  | 'duplicate'
  /** Its key has not come. */
  | 'waits'
  /** The room does not say yet who its sender is: it has to be read anew. */
  | 'unexplained'
  | 'rejected';

/**
 * One event of a room, inside a transaction. @param history fetched from before, so news to nobody
 * @param isReadAnew The room was read from the server since the event came, so what it does not explain, nothing will.
 */
export async function receiveRoomEvent(
  ground: Ground,
  draft: Draft,
  event: TalkRoomEvent,
  history: boolean,
  momentary: Momentary,
  isReadAnew = false,
): Promise<RoomVerdict> {
  const verdict = await receive(ground, draft, event, history, momentary, isReadAnew);
  const record = await ground.conversation(draft, roomConversation(event.room_id));
  if (!record.room) return verdict;
  const before = JSON.stringify(record.room.seen);
  noteSeq(record.room, event.seq);
  if (JSON.stringify(record.room.seen) !== before) ground.keep(draft, record);
  return verdict;
}

async function receive(
  ground: Ground,
  draft: Draft,
  event: TalkRoomEvent,
  history: boolean,
  momentary: Momentary,
  isReadAnew: boolean,
): Promise<RoomVerdict> {
  const conv = roomConversation(event.room_id);
  const known = await draft.get<StoredMessage>('messages', event.event_id);
  if (known && known.content.t !== 'undecryptable') return 'duplicate';
  if (await draft.get('seen', `id:${event.event_id}`)) return 'duplicate';
  const record = await ground.conversation(draft, conv);
  const { room } = record;
  const hold = (session: string, reason?: string): Promise<'waits'> =>
    wait(ground, draft, record, { event, history, session }, reason);
  const senderId = event.sender.slice(1, 37);
  if (!room || room.stale || (!room.ever.includes(senderId) && !isReadAnew)) {
    await hold('room');
    return 'unexplained';
  }
  // Who has left since may have written before: under which statement an event was sent, no event says.
  if (!room.ever.includes(senderId)) return reject(ground, draft, record, event, 'no member');
  const index = readMegolmIndex(event.content);
  if (!index) return reject(ground, draft, record, event, 'no Megolm message');
  const place = `mi:${index.sessionId}:${index.index}`;
  const usedBy = await draft.get<string>('seen', place);
  if (usedBy !== undefined && usedBy !== event.event_id)
    return reject(ground, draft, record, event, 'replayed');
  const opened = await open(ground, event);
  if (opened.is === 'locked') return hold(index.sessionId);
  if (opened.is === 'broken') return hold('broken', opened.reason);
  const { envelope, device } = opened;
  if (envelope.id !== event.event_id || envelope.conv !== conv)
    return reject(ground, draft, record, event, 'of another place');
  if (device !== undefined && device !== event.sender_device)
    return reject(ground, draft, record, event, 'of another device');
  draft.put('seen', place, event.event_id);
  draft.remove('seen', `wait:${event.event_id}`);
  const facts = await ground.machine.deviceOf(event.sender, event.sender_device);
  const verdict = await applyArrival(
    ground,
    draft,
    {
      envelope,
      conv,
      senderId,
      senderDevice: event.sender_device,
      at: Date.parse(event.at),
      seq: event.seq,
      trust: await trustOf(ground, event.sender),
      senderUnsigned: facts?.signedByOwner === false,
      signed: facts?.signedByOwner === true,
      unproven: device === undefined,
      history,
    },
    momentary,
  );
  return verdict === 'new' ? 'new' : 'duplicate';
}

function reject(
  ground: Ground,
  draft: Draft,
  record: ConversationRecord,
  event: TalkRoomEvent,
  why: string,
): 'rejected' {
  ground.place.log('warn', 'talk_event_rejected', { why, room: event.room_id, event: event.event_id });
  draft.remove('seen', `wait:${event.event_id}`);
  draft.remove('messages', event.event_id);
  const senderId = event.sender.slice(1, 37);
  if (why === 'no member' && !record.forged.includes(senderId)) {
    record.forged.push(senderId);
    ground.keep(draft, record);
  }
  return 'rejected';
}

export type WaitRecord = { room: string; session: string; event: TalkRoomEvent; history: boolean };

/** Keeps an event until its key, or the statements that explain it, are there. */
async function wait(
  ground: Ground,
  draft: Draft,
  record: ConversationRecord,
  what: Omit<WaitRecord, 'room'>,
  reason = 'Its key has not come yet',
): Promise<'waits'> {
  const { event } = what;
  const waits = await draft.get<WaitRecord>('seen', `wait:${event.event_id}`);
  const at = Date.parse(event.at);
  const row: WaitRecord = { ...what, room: event.room_id, history: waits?.history ?? what.history };
  draft.put('seen', `wait:${event.event_id}`, row, `wait|${event.room_id}|${event.event_id}`);
  if (waits) return 'waits';
  const message: StoredMessage = {
    id: event.event_id,
    conversation: record.id,
    senderId: event.sender.slice(1, 37),
    senderDevice: event.sender_device,
    mine: event.sender === ground.machine.me,
    at,
    sentAt: at,
    content: { t: 'undecryptable', reason },
    editedAt: null,
    delivery: 'delivered',
    acks: [],
    readBy: [],
    trust: 'known',
    senderUnsigned: false,
    order: arrivedOrder(record.id, at, event.seq, event.event_id),
    n: 0,
    seq: event.seq,
    mustAck: false,
  };
  draft.put('messages', message.id, message, message.order);
  ground.keep(draft, record);
  draft.after(() => ground.emit({ what: 'messages', conversation: record.id, ids: [message.id] }));
  return 'waits';
}

/** Events of a room that wait, tried anew: after keys came (of these sessions) or its statements were read (all). */
export async function retryWaiting(
  ground: Ground,
  roomId: string,
  sessions: ReadonlySet<string> | undefined,
  momentary: Momentary,
  isReadAnew = false,
): Promise<void> {
  const rows = await ground.store.range<WaitRecord>('seen', `wait|${roomId}|`, `wait|${roomId}}`);
  const due = rows
    .map((row) => row.value)
    .filter((one) => sessions === undefined || sessions.has(one.session) || one.session === 'room')
    .sort((a, b) => a.event.seq - b.event.seq);
  if (due.length === 0) return;
  await ground.write(async (draft) => {
    for (const { event, history } of due) {
      const verdict = await receiveRoomEvent(ground, draft, event, history, momentary, isReadAnew);
      const { event_id: id, sender, sender_device: device } = event;
      // Explained by now, but its key has not come.
      if (verdict === 'waits' && isReadAnew && !history)
        await askFor(ground, draft, { id, sender, device, at: Date.parse(event.at), show: false });
    }
  });
}
