/** Rooms: groups and those of incidents, their statements, events and reads. */
import type { IncidentRooms } from '../adapters/rooms/incident-rooms.ts';
import type { RoomEvents } from '../adapters/rooms/room-events.ts';
import { requireRoom, roomToWire, type RoomGround } from '../adapters/rooms/room-ground.ts';
import type { RoomStatements } from '../adapters/rooms/room-statements.ts';
import { isServed } from '../domain/room-access.ts';
import type { TalkHandlers } from '../ground.ts';

export type RoomParts = {
  ground: RoomGround;
  statements: RoomStatements;
  events: RoomEvents;
  incidents: IncidentRooms;
};
type Names =
  | 'listRooms'
  | 'createRoom'
  | 'getRoom'
  | 'getIncidentRoom'
  | 'addStatement'
  | 'sendRoomEvent'
  | 'listRoomEvents'
  | 'readRoom';

export function roomHandlers({
  ground,
  statements,
  events,
  incidents,
}: RoomParts): Pick<TalkHandlers, Names> {
  return {
    listRooms: async ({ caller: { claims } }) => ({
      items: ground.rooms
        .withMember(claims.sub)
        .filter((room) => room.orgId === claims.org && isServed(ground.people, claims.sub, room))
        .map((room) => roomToWire(ground, room)),
    }),

    createRoom: async ({ caller, body }) => statements.create(caller, body.id, body.statement),

    getRoom: async ({ caller, params }) => roomToWire(ground, requireRoom(ground, caller, params.id)),

    getIncidentRoom: async ({ caller, params }) => incidents.ofIncident(caller, params.id),

    addStatement: async ({ caller, params, body }) => statements.add(caller, params.id, body),

    sendRoomEvent: async ({ caller, params, body }) => events.send(caller, params.id, body),

    listRoomEvents: async ({ caller, params, query }) => events.list(caller, params.id, query),

    readRoom: async ({ caller, params, body }) => events.read(caller, params.id, body.seq),
  };
}
