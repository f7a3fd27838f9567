/**
 * Who sees what, as room names: a caller is in the room `<permission>|<scope>` of each of its grants, an entry goes to the
 * room of its audience on each of its scopes. The two meet exactly where the contract's `isGranted` says yes.
 */
import type { FeedEntry, Grant } from '@siphera/contract';

/** Rooms of a caller, sorted, each once. */
export function roomsOfGrants(grants: readonly Grant[]): string[] {
  const rooms = grants.flatMap((grant) =>
    grant.permissions.map((permission) => roomName(permission, grant.scope)),
  );
  return [...new Set(rooms)].sort();
}

export const roomsOfEntry = (entry: Pick<FeedEntry, 'audience' | 'scopes'>): string[] =>
  entry.scopes.map((scope) => roomName(entry.audience, scope));

/** Callers with the same rooms share one view, and so one filtering and one serialisation per frame. */
export const viewKey = (rooms: readonly string[]): string => rooms.join(' ');

const roomName = (permission: string, scope: string): string => `${permission}|${scope}`;
