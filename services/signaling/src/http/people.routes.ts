/** Who works here, and who is there. */
import { fromRfc3339, AppError, type Clock } from '@siphera/runtime';
import type { PresenceBoard } from '../adapters/presence-board.ts';
import type { PeopleDirectory, Queues, TalkHandlers } from '../ground.ts';

/** A holiday; for longer one goes off duty. */
const dndMsMax = 7 * 86_400_000;

export type PeopleParts = {
  board: PresenceBoard;
  people: PeopleDirectory;
  queues: Pick<Queues, 'devicesOf' | 'deviceKey'>;
  clock: Clock;
};

export function peopleHandlers(parts: PeopleParts): Pick<TalkHandlers, 'listPeople' | 'setPresence'> {
  const { board, people, queues, clock } = parts;
  const hasTalk = (userId: string): boolean =>
    queues.devicesOf(userId).some((device) => queues.deviceKey(device) !== undefined);
  return {
    // Everybody who may talk sees everybody of his organisation: it is the list he writes to.
    listPeople: async ({ caller }) => {
      const presences = board.inOrg(caller.claims.org);
      const items = people
        .all(caller.claims.org)
        .filter(({ active }) => active)
        .map(({ id, name, roles, site_ids }) => ({
          id,
          name,
          roles,
          site_ids,
          has_talk: hasTalk(id),
          presence: presences.get(id) ?? board.of(id),
        }))
        .sort((a, b) => a.name.localeCompare(b.name, 'en'));
      return { items };
    },

    // Of oneself alone.
    setPresence: async ({ caller, body }) => {
      const until = body.dnd_until;
      const dndUntilMs = typeof until === 'string' ? fromRfc3339(until) : until;
      if (typeof dndUntilMs === 'number' && dndUntilMs > clock.now() + dndMsMax)
        throw new AppError('unprocessable', 'Do not disturb ends after a week at most.', {
          hint: 'For longer, go off duty.',
        });
      return board.set(
        { id: caller.claims.sub, orgId: caller.claims.org },
        {
          ...(body.on_duty === undefined ? {} : { onDuty: body.on_duty }),
          ...(dndUntilMs === undefined ? {} : { dndUntilMs }),
        },
      );
    },
  };
}
