/** Whom one can dial in the house, and who is there. */
import type { PhoneHandlers } from '../ground.ts';
import type { PlanNeeds } from './plan-needs.ts';

export const phoneBookHandlers = ({
  book,
  busy,
  ground,
}: PlanNeeds): Pick<PhoneHandlers, 'listPhoneBook'> => ({
  listPhoneBook: async ({ caller }) => {
    const inCall = busy.numbers();
    const registered = book.registered();
    const isThere = (number: string): boolean => registered.has(number);
    return {
      items: book
        .extensions()
        .filter(({ org_id: org }) => org === caller.claims.org)
        // Who has left still has his number until somebody removes it; nobody should dial it.
        .filter(({ user_id: userId }) => userId === null || ground.people.get(userId)?.active === true)
        .map((extension) => ({
          number: extension.number,
          name: extension.name,
          kind: extension.kind,
          user_id: extension.user_id,
          area_id: extension.area_id,
          registered:
            extension.kind === 'group' ? book.membersOf(extension).some(isThere) : isThere(extension.number),
          busy: inCall.has(extension.number),
          camera_id: extension.camera_id,
          door_id: extension.door_id,
        })),
    };
  },
});
