/**
 * Who of a room's members is served: delivered to, and let read. Statements say who is a member, and stay as they are; core says who
 * still works here and sees what. What must stay true: whoever was disabled, lost talk, or lost sight of the incident gets
 * nothing from then on, whatever the statements say.
 */
import { isGranted, type AccessClaims, type Grant, type InternalPerson } from '@siphera/contract';

/** Of a room, what access goes by. */
export type RoomPlace = {
  orgId: string;
  kind: 'group' | 'incident';
  /** Of its incident; none for a group. */
  scopes: readonly string[];
};
type People = { get(userId: string): InternalPerson | undefined };

const hasAnywhere = (grants: readonly Grant[], permission: 'talk.use'): boolean =>
  grants.some((grant) => isGranted([grant], permission, [grant.scope]));

const seesIncident = (grants: readonly Grant[], room: RoomPlace): boolean =>
  room.kind === 'group' || isGranted(grants, 'incident.read', room.scopes);

/** Whether somebody may be in this room now. */
export function isServed(people: People, userId: string, room: RoomPlace): boolean {
  const person = people.get(userId);
  return (
    person !== undefined &&
    person.active &&
    person.org_id === room.orgId &&
    hasAnywhere(person.grants, 'talk.use') &&
    seesIncident(person.grants, room)
  );
}

/** The same for who calls: by core's word and by his token, whichever is narrower. */
export const mayCall = (people: People, claims: AccessClaims, room: RoomPlace): boolean =>
  claims.kind === 'user' &&
  claims.org === room.orgId &&
  seesIncident(claims.grants, room) &&
  isServed(people, claims.sub, room);
