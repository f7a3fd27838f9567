/** Members of rooms, by signed statements; and what the server says otherwise. */
import { emptyChain, nextStatement, TalkRoom, type MembershipStatement } from '@siphera/contract';
import { TalkError } from '../api.ts';
import type { ConversationId } from '../content.ts';
import {
  arrive,
  emptySequence,
  signStatement,
  verifyStatements,
  type StatementsRead,
} from '../side/index.ts';
import { failureOf } from './failures.ts';
import type { Ground } from './ground.ts';
import { putMessage } from './inbox.ts';
import {
  arrivedOrder,
  newConversation,
  type ConversationRecord,
  type RoomRecord,
  type StoredMessage,
} from './records.ts';
import { pinIdentities, signingKeys } from './signers.ts';
import type { Draft } from './store.ts';

/** Others may be first so many times in a row; then the person tries again. */
const conflictsMax = 5;

export const roomConversation = (roomId: string): ConversationId => `r:${roomId}`;

/** An event has been here, whatever came of it. */
export function noteSeq(room: RoomRecord, seq: number): void {
  room.seen = arrive(room.seen ?? emptySequence(seq), seq).state;
}

/** Whose keys have to be known before these statements can be read: by the network, so before the ledger is taken. */
export async function learnSigners(ground: Ground, rooms: readonly TalkRoom[]): Promise<void> {
  const signers = new Set<string>();
  const members = new Set<string>();
  for (const room of rooms) {
    const state = ground.conversations.get(roomConversation(room.id))?.room;
    const known = (state?.firm ?? state?.chain)?.n ?? 0;
    for (const statement of room.statements)
      if (statement.n >= known) signers.add(ground.userName(statement.by_user));
    for (const id of room.member_ids) members.add(ground.userName(id));
  }
  if (signers.size === 0) return;
  await ground.machine.track([...new Set([...signers, ...members])]);
  await ground.machine.query([...signers]);
}

/**
 * A room as the server has it now, read by its statements. Lines of what happened are added to the conversation.
 * @param areSignersKnown The keys of who signed were asked for. Else nobody is believed for being the first, and all is read again.
 */
export async function applyRoom(
  ground: Ground,
  draft: Draft,
  room: TalkRoom,
  areSignersKnown = true,
): Promise<ConversationRecord> {
  const id = roomConversation(room.id);
  const before = await draft.get<ConversationRecord>('conversations', id);
  const record = before?.room ? before : withRoom(before ?? newConversation(id, room.kind, null), room);
  const state = record.room;
  if (!state) throw new Error('A room has a chain');
  const wasMember = state.chain.members.includes(ground.userId);
  const read = await readChain(ground, draft, room, state, areSignersKnown);
  state.delivered = room.member_ids;
  state.stale = !areSignersKnown && (read?.bad.length ?? 0) > 0;
  state.lastSeq = Math.max(state.lastSeq, room.last_seq);
  for (const { user_id: user, seq } of room.reads) state.reads[user] = Math.max(state.reads[user] ?? 0, seq);
  // Only who is delivered to without being let in. Who is let in and not delivered to works here no more, or at another site.
  record.forged = room.member_ids.filter((id) => !state.chain.members.includes(id));
  const isMember = state.chain.members.includes(ground.userId);
  if (!wasMember && isMember && room.last_seq > 0) state.wantsHistory = true;
  ground.keep(draft, record);
  for (const statement of read?.valid ?? [])
    await addLine(ground, draft, record, statement, read?.unproven.includes(statement) === true);
  return record;
}

/** Takes the statements into the state; `undefined` when they are not the ones that go on from what counted here. */
async function readChain(
  ground: Ground,
  draft: Draft,
  room: TalkRoom,
  state: RoomRecord,
  areSignersKnown: boolean,
): Promise<StatementsRead | undefined> {
  await pinIdentities(ground, draft, [...room.statements.map((one) => one.by_user), ...room.member_ids]);
  const keyOf = signingKeys(ground, draft, room.signers);
  const firm = state.firm ?? state.chain;
  const read = await verifyStatements(
    { id: room.id, kind: firm.kind },
    room.statements,
    async (userId, deviceId) => {
      const key = await keyOf(userId, deviceId);
      return !areSignersKnown && typeof key === 'object' && 'unproven' in key ? 'gone' : key;
    },
    firm,
  );
  // A server that has fewer statements than were signed, or others, is not followed back.
  const floor = state.floor ?? firm;
  if (read.heads.get(floor.n) !== floor.head) {
    ground.place.log('warn', 'talk_room_not_followed', { room: room.id });
    return undefined;
  }
  for (const { statement, reason } of read.bad)
    ground.place.log('warn', 'talk_statement_void', { room: room.id, n: statement.n, reason });
  state.chain = read.chain;
  state.firm = read.firm;
  state.floor = read.counted;
  state.ever = [...new Set([...state.ever, ...read.valid.flatMap(addedBy)])];
  return read;
}

function withRoom(record: ConversationRecord, room: TalkRoom): ConversationRecord {
  return {
    ...record,
    kind: room.kind,
    incidentId: room.incident_id,
    lastAt: Math.max(record.lastAt, Date.parse(room.created_at)),
    room: {
      roomId: room.id,
      chain: emptyChain(room.id, room.kind),
      delivered: [],
      ever: [],
      stale: false,
      lastSeq: 0,
      // What was before is read as history.
      seen: emptySequence(room.last_seq + 1),
      reads: {},
      oldest: null,
      complete: false,
      wantsHistory: false,
    },
  };
}

const addedBy = (statement: MembershipStatement): string[] =>
  statement.action === 'create' || statement.action === 'join'
    ? [statement.by_user, ...statement.user_ids]
    : statement.action === 'add'
      ? statement.user_ids
      : [];

const happenings = {
  create: 'created',
  add: 'added',
  remove: 'removed',
  join: 'joined',
  leave: 'left',
} as const;

async function addLine(
  ground: Ground,
  draft: Draft,
  record: ConversationRecord,
  statement: MembershipStatement,
  isUnproven: boolean,
): Promise<void> {
  const id = `${statement.room_id}:${statement.n}`;
  if (await draft.get('messages', id)) return;
  const at = Date.parse(statement.at);
  const own = statement.action === 'join' || statement.action === 'leave';
  const line: StoredMessage = {
    id,
    conversation: record.id,
    senderId: statement.by_user,
    senderDevice: statement.by_device,
    mine: statement.by_user === ground.userId,
    at,
    sentAt: at,
    content: {
      t: 'event',
      what: happenings[statement.action],
      userIds: own ? [statement.by_user] : statement.user_ids,
      text: '',
    },
    editedAt: null,
    delivery: 'sent',
    acks: [],
    readBy: [],
    trust: 'known',
    senderUnsigned: isUnproven,
    order: arrivedOrder(record.id, at, statement.n, id),
    n: 0,
    seq: null,
    mustAck: false,
  };
  await putMessage(ground, draft, record, line, false);
}

/** Reads a room anew from the server. */
export async function refreshRoom(ground: Ground, roomId: string): Promise<ConversationRecord> {
  return takeRoom(ground, await ground.place.rest.call('getRoom', { params: { id: roomId } }));
}

/** @param answer of the server, believed in nothing */
export async function takeRoom(ground: Ground, answer: unknown): Promise<ConversationRecord> {
  const room = TalkRoom.parse(answer);
  await learnSigners(ground, [room]);
  return ground.write((draft) => applyRoom(ground, draft, room));
}

type Action = { action: MembershipStatement['action']; userIds?: readonly string[] };

async function sign(
  ground: Ground,
  chain: Parameters<typeof nextStatement>[0],
  what: Action,
): Promise<MembershipStatement> {
  const statement = nextStatement(chain, {
    ...what,
    byUser: ground.userId,
    byDevice: ground.deviceId,
    at: new Date(ground.place.now()).toISOString(),
  });
  return signStatement((text) => ground.machine.sign(text), statement);
}

export async function createRoom(ground: Ground, memberIds: readonly string[]): Promise<ConversationRecord> {
  const id = ground.place.randomUuid();
  const statement = await sign(ground, emptyChain(id, 'group'), { action: 'create', userIds: memberIds });
  const room = await ground.place.rest.call('createRoom', { body: { id, statement } });
  return takeRoom(ground, room);
}

/**
 * Says something about who is in a room; again on the newest state when somebody else was first.
 * @param still Whether there is something to say yet, on the state that is read anew.
 */
export async function changeRoom(
  ground: Ground,
  roomId: string,
  what: (members: readonly string[]) => Action | undefined,
): Promise<void> {
  let record = ground.conversations.get(roomConversation(roomId)) ?? (await refreshRoom(ground, roomId));
  for (let tried = 0; ; tried += 1) {
    const chain = record.room?.chain;
    const action = chain && what(chain.members);
    if (!action) return;
    try {
      const body = await sign(ground, chain, action);
      const room = await ground.place.rest.call('addStatement', { params: { id: roomId }, body });
      await takeRoom(ground, room);
      return;
    } catch (error) {
      if (failureOf(error) !== 'conflict' || tried >= conflictsMax) throw error;
      record = await refreshRoom(ground, roomId);
    }
  }
}

/** @throws TalkError `not_member` */
export function requireRoom(ground: Ground, conv: ConversationId): NonNullable<ConversationRecord['room']> {
  const room = ground.conversations.get(conv)?.room;
  if (!room?.chain.members.includes(ground.userId))
    throw new TalkError('not_member', 'You are not in this room');
  return room;
}
