/** What the rooms part works with, and what every use case of it asks first: who may, and who is served. */
import type { TalkRoom } from '@siphera/contract';
import { AppError, toRfc3339, type Caller } from '@siphera/runtime';
import { isServed, mayCall } from '../../domain/room-access.ts';
import type { DeviceKey, Ground, Queues } from '../../ground.ts';
import type { RoomEventStore } from '../../store/room-event.store.ts';
import type { RoomRow, RoomStore } from '../../store/room.store.ts';
import type { SignerStore } from '../../store/signer.store.ts';
import type { StatementStore } from '../../store/statement.store.ts';
import type { DiskSpace } from '../keep/disk-space.ts';

export type RoomGround = Pick<
  Ground,
  'db' | 'clock' | 'random' | 'log' | 'people' | 'incidents' | 'signals' | 'sockets' | 'config'
> & {
  queues: Queues;
  rooms: RoomStore;
  statements: StatementStore;
  signers: SignerStore;
  events: RoomEventStore;
  space: DiskSpace;
};

/** Of a room on the wire without its statements. */
const roomBytesMin = 1_000;

const noRoom = (): AppError =>
  new AppError('not_found', 'There is no such room, or you are not in it.', {
    hint: 'Ask somebody who is in it to add you.',
  });

/** A room that the caller may see: he is served in it, or may see its incident. @throws AppError `not_found` */
export function requireRoom({ rooms, people }: RoomGround, caller: Caller, id: string): RoomRow {
  const room = rooms.get(id);
  if (!room || !mayCall(people, caller.claims, room)) throw noRoom();
  if (room.kind === 'group' && !rooms.isMember(room.id, caller.claims.sub)) throw noRoom();
  return room;
}

/** A room that the caller is in. @throws AppError `not_found`; the hint says when he could join. */
export function requireMember(ground: RoomGround, caller: Caller, id: string): RoomRow {
  const room = requireRoom(ground, caller, id);
  if (!ground.rooms.isMember(room.id, caller.claims.sub))
    throw new AppError('not_found', 'You are not in the room of this incident.', { hint: 'Join it first.' });
  return room;
}

/** Members whom the room is delivered to now. */
export const servedMembers = ({ rooms, people }: RoomGround, room: RoomRow): string[] =>
  rooms.memberIds(room.id).filter((userId) => isServed(people, userId, room));

export const devicesOf = ({ queues }: RoomGround, userIds: readonly string[]): DeviceKey[] =>
  userIds.flatMap((userId) => queues.devicesOf(userId));

/** The room as its members are told of it, or as it was after fewer statements: who left hears of none that came later. */
export function roomToWire(ground: RoomGround, room: RoomRow, statements = room.statements): TalkRoom {
  const memberIds = ground.rooms.memberIdsAt(room.id, statements);
  return {
    id: room.id,
    org_id: room.orgId,
    kind: room.kind,
    incident_id: room.incidentId,
    created_at: toRfc3339(room.createdMs),
    last_seq: room.lastSeq,
    member_ids: memberIds.filter((userId) => isServed(ground.people, userId, room)),
    statements: ground.statements.first(room.id, statements),
    signers: ground.signers.of(room.id, statements),
    reads: ground.rooms.reads(room.id).filter((read) => memberIds.includes(read.user_id)),
  };
}

/**
 * Puts the room as it is now into the queues of all whom it is delivered to, and of those who have just gone. Inside the
 * transaction of the change. A device whose queue is full is left out: rooms are read anew when it comes back, and one phone in a
 * drawer must neither silence a room nor keep its owner in it.
 * @param by whose doing the change is; null: nobody's. @returns whom to flush after the commit.
 */
export function enqueueRoom(
  ground: RoomGround,
  id: string,
  { by, gone = [] }: { by: string | null; gone?: readonly string[] },
): DeviceKey[] {
  const room = ground.rooms.get(id);
  if (!room) return [];
  const left = gone.filter((userId) => isServed(ground.people, userId, room));
  const to = devicesOf(ground, [...new Set([...servedMembers(ground, room), ...left])]);
  const bytes = roomBytesMin + ground.statements.bytes(id) + ground.signers.bytes(id);
  const named = { roomId: id, statements: room.statements, bytes, senderId: by };
  return to.filter((device) => ground.queues.enqueueRoom(device, named));
}

/** @throws AppError `rate_limited` */
export function requireAllowed(waitSeconds: number | undefined, what: string): void {
  if (waitSeconds === undefined) return;
  throw new AppError('rate_limited', `Too many ${what} in a short time.`, {
    extra: { retry_after_seconds: waitSeconds },
  });
}
