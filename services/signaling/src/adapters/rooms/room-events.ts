/** Messages of rooms: taken from members alone, kept once, named in the queue of each device that is to get them. */
import { talkUserId, type TalkRoomEvent } from '@siphera/contract';
import { AppError, type Caller } from '@siphera/runtime';
import { Allowance } from '../../domain/allowance.ts';
import type { RoomEventRow } from '../../store/room-event.store.ts';
import { roomEventToWire } from '../../store/room-event.store.ts';
import type { RoomRow } from '../../store/room.store.ts';
import { devicesOf, requireAllowed, requireMember, servedMembers, type RoomGround } from './room-ground.ts';

/** Of one person's devices together: far above what people write, and what sends after 8 h offline has waited for. */
const sendAllowance = { burst: 1_000, perMinute: 1_200 };

export type RoomMessage = {
  event_id: string;
  content: Record<string, unknown>;
  devices_upto: number;
  statements: number;
  wake: 'none' | 'message';
};
export type SentRoomEvent = Omit<TalkRoomEvent, 'content'>;

export class RoomEvents {
  readonly #ground: RoomGround;
  readonly #sends: Allowance;

  constructor(ground: RoomGround) {
    this.#ground = ground;
    this.#sends = new Allowance(sendAllowance, ground.clock);
  }

  send(caller: Caller, roomId: string, message: RoomMessage): SentRoomEvent {
    const { clock, db, events, queues, signals, space } = this.#ground;
    const device = queues.confirmed(caller);
    const room = requireMember(this.#ground, caller, roomId);
    const known = events.byEventId(roomId, message.event_id);
    if (known) {
      if (known.senderId !== device.userId || known.senderDevice !== device.deviceId)
        throw new AppError('idempotency_mismatch', 'Another device has sent an event of this id.');
      return roomEventToWire(known);
    }
    requireAllowed(this.#sends.take(device.userId), 'messages');
    space.require(0);
    const members = servedMembers(this.#ground, room);
    this.#requireKnown(room, members, message);
    const to = devicesOf(this.#ground, members).filter(({ deviceId }) => deviceId !== device.deviceId);
    const event: Omit<RoomEventRow, 'seq'> = {
      roomId,
      eventId: message.event_id,
      senderId: device.userId,
      senderDevice: device.deviceId,
      atMs: clock.now(),
      content: JSON.stringify(message.content),
    };
    const seq = db
      .transaction(() => {
        const given = events.append(event);
        const named = { roomId, seq: given, senderId: device.userId };
        // A device whose queue is full is left out: it reads the room anew when it comes back.
        for (const each of to) queues.enqueueRoomEvent(each, named);
        return given;
      })
      .immediate();
    queues.flush(to);
    if (message.wake === 'message')
      for (const userId of members)
        if (userId !== device.userId) signals.emit({ kind: 'wake', userId, what: 'message' });
    return roomEventToWire({ ...event, seq, orgId: room.orgId });
  }

  /** @throws AppError `conflict`, which names what the sender did not know: then its key has to be shared anew. */
  #requireKnown(room: RoomRow, members: readonly string[], message: RoomMessage): void {
    const { queues } = this.#ground;
    const hint = 'Share the key of the room anew, then send again.';
    if (message.statements !== room.statements)
      throw new AppError('conflict', 'Members of the room have changed.', {
        hint,
        extra: { changed: ['members'], statements: room.statements },
      });
    if (queues.devicesChangedAt(members) <= message.devices_upto) return;
    const changed = members.filter((userId) => queues.devicesChangedAt([userId]) > message.devices_upto);
    throw new AppError('conflict', 'Devices of members have changed.', {
      hint,
      extra: { changed: ['devices'], users: changed.map((userId) => talkUserId(userId, room.orgId)) },
    });
  }

  /** Newest first, back to the opening of the room. */
  list(
    caller: Caller,
    roomId: string,
    page: { before?: number | undefined; limit: number },
  ): { items: TalkRoomEvent[]; more: boolean } {
    const room = requireMember(this.#ground, caller, roomId);
    const found = this.#ground.events.page(room.id, page.before, page.limit + 1);
    return {
      items: found.slice(0, page.limit).map(roomEventToWire),
      more: found.length > page.limit,
    };
  }

  /** Notes how far the caller has read, and tells the members who are there. Never goes back. */
  read(caller: Caller, roomId: string, seq: number): void {
    const { queues, rooms, sockets } = this.#ground;
    queues.confirmed(caller);
    const room = requireMember(this.#ground, caller, roomId);
    const upto = Math.min(seq, room.lastSeq);
    const { sub } = caller.claims;
    if (upto === 0 || !rooms.setRead(room.id, sub, upto)) return;
    const members = new Set(servedMembers(this.#ground, room));
    for (const socket of sockets.open(room.orgId))
      if (members.has(socket.data.claims.sub))
        socket.emit('reads', { room_id: room.id, user_id: sub, seq: upto });
  }
}
