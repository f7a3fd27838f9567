/**
 * What the world changes of rooms: incidents, each of which has one, and people, who come, go and lose sight. Statements are
 * touched by none of it: only who is served.
 */
import type { FeedEntry, TalkRoom } from '@siphera/contract';
import { AppError, fromRfc3339, type Caller } from '@siphera/runtime';
import { isServed, mayCall } from '../../domain/room-access.ts';
import type { RoomRow } from '../../store/room.store.ts';
import { enqueueRoom, roomToWire, type RoomGround } from './room-ground.ts';

type Place = { incidentId: string; orgId: string; scopes: readonly string[]; atMs: number };

export class IncidentRooms {
  readonly #ground: RoomGround;

  constructor(ground: RoomGround) {
    this.#ground = ground;
  }

  /** Makes rooms of new incidents, and follows the places of those that have one. Entries may come twice. */
  hear(entries: readonly FeedEntry[]): void {
    const places = entries.flatMap((entry) => placeOf(entry) ?? []);
    if (places.length === 0) return;
    const { db, rooms } = this.#ground;
    const moved = db
      .transaction(() =>
        places.flatMap((place) => {
          const room = rooms.ofIncident(place.incidentId);
          if (!room) {
            this.#make(place);
            return [];
          }
          rooms.touch(room.id, place.atMs);
          if (String(room.scopes) === String(place.scopes)) return [];
          rooms.setScopes(room.id, place.scopes);
          return [room.id];
        }),
      )
      .immediate();
    for (const id of moved) this.#serveAnew(id);
  }

  /** The room of an incident that the caller may see; made when nobody has asked for it before. */
  ofIncident(caller: Caller, incidentId: string): TalkRoom {
    const { clock, incidents, people, rooms } = this.#ground;
    const known = rooms.ofIncident(incidentId) ?? incidents.get(incidentId);
    const place = known && { orgId: known.orgId, kind: 'incident' as const, scopes: known.scopes };
    if (!place || !mayCall(people, caller.claims, place))
      throw new AppError('not_found', 'There is no such incident, or you may not see it.');
    const room = rooms.ofIncident(incidentId) ?? this.#make({ ...place, incidentId, atMs: clock.now() });
    return roomToWire(this.#ground, room);
  }

  /** What core says of these people has changed: rooms tell their members whom they are delivered to from now on. */
  hearPeople(userIds: readonly string[]): void {
    const { rooms } = this.#ground;
    const ids = new Set(userIds.flatMap((userId) => rooms.withMember(userId).map(({ id }) => id)));
    for (const id of ids) this.#serveAnew(id);
  }

  #make({ incidentId, orgId, scopes, atMs }: Place): RoomRow {
    const { clock, random, rooms } = this.#ground;
    const id = random.uuid();
    rooms.create({ id, orgId, kind: 'incident', incidentId, scopes, createdMs: clock.now() });
    rooms.touch(id, atMs);
    const room = rooms.get(id);
    if (!room) throw new Error(`Room ${id} was not kept`);
    return room;
  }

  #serveAnew(roomId: string): void {
    const { db, people, queues, rooms } = this.#ground;
    const room = rooms.get(roomId);
    if (!room) return;
    const to = db
      .transaction(() => {
        const changed = rooms
          .servedFlags(room.id)
          .filter(({ userId, isServed: was }) => isServed(people, userId, room) !== was);
        for (const { userId, isServed: was } of changed) rooms.setServed(room.id, userId, !was);
        return changed.length > 0 ? enqueueRoom(this.#ground, room.id, { by: null }) : [];
      })
      .immediate();
    queues.flush(to);
  }
}

/** Undefined for a deleted one, whose room stays as long as it is kept, and for what is no incident. */
function placeOf({ kind, action, id, at, scopes }: FeedEntry): Place | undefined {
  if (kind !== 'incident' || action === 'deleted') return undefined;
  const orgId = scopes.find((scope) => scope.startsWith('org:'))?.slice('org:'.length);
  return orgId === undefined ? undefined : { incidentId: id, orgId, scopes, atMs: fromRfc3339(at) ?? 0 };
}
