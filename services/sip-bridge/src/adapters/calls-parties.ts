/** Who takes part in a call and where, by the plan and by core's people, at the time of the call. */
import type { InternalPerson } from '@siphera/contract';
import type { CallFacts } from '../domain/call-fold.ts';
import { membersOf } from '../domain/plan-tables.ts';
import type { Ground } from '../ground.ts';
import type { PlanBook, PlannedExtension } from '../plan.part.ts';
import type { CallParty } from '../store/call.store.ts';

export type Parties = {
  /** Empty when nothing says whose box this is: then nobody sees the call. */
  orgId: string;
  from: CallParty;
  to: CallParty;
  answeredBy: string | null;
  trunk: { id: string; name: string } | undefined;
  /** The door station that calls or is called. */
  door: PlannedExtension | undefined;
  /** Whose call it is; `true`: called. */
  users: ReadonlyMap<string, boolean>;
  scopes: readonly string[];
};
export type PartiesGround = Pick<Ground, 'people' | 'places'>;

const numberCharsMax = 64;

export function partiesOf(ground: PartiesGround, book: PlanBook, facts: CallFacts): Parties {
  // What a trunk says of its caller is no number of the house, though it may look like one.
  const caller = facts.direction === 'inbound' ? undefined : book.extension(facts.from);
  const called = book.extension(facts.to);
  const taker = facts.by === undefined ? undefined : book.extension(facts.by);
  const trunk = facts.trunk === undefined ? undefined : book.trunk(facts.trunk);
  const rung =
    called?.kind === 'group'
      ? membersOf({ extensions: book.extensions(), person: (id) => ground.people.get(id) }, called).flatMap(
          (number) => book.extension(number) ?? [],
        )
      : [];
  const houses = [caller, called, taker].flatMap((one) => one ?? []);
  const orgId = houses[0]?.org_id ?? trunk?.org_id ?? ground.places.all().sites[0]?.org_id ?? '';
  return {
    orgId,
    from: partyOf(facts.from, caller, facts.fromName),
    to: partyOf(facts.to, called, ''),
    answeredBy: facts.by === undefined ? null : line(facts.by, numberCharsMax),
    trunk: trunk && { id: trunk.id, name: trunk.name },
    door: facts.direction === 'internal' ? [caller, called].find((one) => one?.kind === 'door') : undefined,
    users: usersOf(
      caller,
      [called, taker, ...rung].flatMap((one) => one ?? []),
    ),
    scopes: scopesOf(ground, orgId, houses),
  };
}

const line = (text: string, charsMax: number): string =>
  text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, charsMax);

const partyOf = (number: string, known: PlannedExtension | undefined, name: string): CallParty => ({
  number: line(number, numberCharsMax),
  name: known?.name ?? line(name, 120),
  userId: known?.user_id ?? null,
});

function usersOf(
  caller: PlannedExtension | undefined,
  others: readonly PlannedExtension[],
): Map<string, boolean> {
  const users = new Map<string, boolean>();
  for (const { user_id: userId } of others) if (userId !== null) users.set(userId, false);
  if (caller?.user_id) users.set(caller.user_id, true);
  return users;
}

/** A call without a place is one of each site. */
function scopesOf(ground: PartiesGround, orgId: string, houses: readonly PlannedExtension[]): string[] {
  const { people, places } = ground;
  const scopes = new Set<string>();
  for (const { area_id: areaId, user_id: userId } of houses) {
    for (const scope of (areaId === null ? undefined : places.area(areaId)?.scopes) ?? []) scopes.add(scope);
    const person: InternalPerson | undefined = userId === null ? undefined : people.get(userId);
    for (const siteId of person?.site_ids ?? []) scopes.add(`site:${siteId}`);
  }
  if (scopes.size === 0)
    for (const site of places.all().sites) if (site.org_id === orgId) scopes.add(`site:${site.id}`);
  if (orgId !== '') scopes.add(`org:${orgId}`);
  return [...scopes];
}
