/** Credentials for the softphone of whoever is signed in. Somebody without a number is given the next free one. */
import { ExtensionInput } from '@siphera/contract';
import { AppError, toRfc3339, type Caller } from '@siphera/runtime';
import { newAuthUsername, nextFreeNumber } from '../domain/extensions.ts';
import { classesOfExtension } from '../domain/role-classes.ts';
import { softphoneCredential } from '../domain/softphone.ts';
import type { PhoneHandlers } from '../ground.ts';
import type { PlannedExtension } from '../plan.part.ts';
import { auditPlan } from './plan-access.ts';
import type { PlanNeeds } from './plan-needs.ts';

/** Numbers that are given by themselves. Others may be given by hand. */
const ownNumbers = { first: 2_000, last: 6_999 };

export function softphoneHandlers(needs: PlanNeeds): Pick<PhoneHandlers, 'getSoftphone'> {
  const { ground, book, softphones, ends } = needs;
  const { config, clock, people } = ground;
  return {
    getSoftphone: async ({ caller }) => {
      const { claims } = caller;
      if (claims.kind !== 'user')
        throw new AppError('forbidden', 'A softphone is for people: this is an API key.');
      const person = people.get(claims.sub);
      if (!person?.active)
        throw new AppError('unavailable', 'Core has not told yet who you are.', {
          hint: 'Try again in a moment.',
        });
      const extension = book.extensionOfUser(claims.sub) ?? giveNumber(needs, caller);
      const { number, name } = extension;
      const made = softphoneCredential(config.SIP_SECRET, number, clock.now(), ends.refusedUntil(number));
      softphones.add({ sid: claims.sid, userId: claims.sub, number, expiresSeconds: made.expiresSeconds });
      return {
        number,
        name,
        uri: `sip:${number}@${config.SIP_DOMAIN}`,
        websocket_url: config.SIP_WEBSOCKET_URL,
        username: made.username,
        password: made.password,
        expires_at: toRfc3339(made.expiresSeconds * 1_000),
        classes: classesOfExtension(book.plan(), extension, person),
      };
    },
  };
}

function giveNumber({ ground, book, extensions }: PlanNeeds, caller: Caller): PlannedExtension {
  const { db, outbox, random, clock } = ground;
  const { claims } = caller;
  const taken = new Set(book.extensions().map(({ number }) => number));
  const number = nextFreeNumber(ownNumbers, taken, book.plan());
  if (number === undefined)
    throw new AppError('unprocessable', 'No number is free for a new softphone.', {
      hint: `Numbers ${ownNumbers.first} to ${ownNumbers.last} are given by themselves: remove some that nobody uses.`,
    });
  const id = random.uuid();
  const name = claims.name.trim().slice(0, 120);
  const input = ExtensionInput.parse({ number, kind: 'user', name, user_id: claims.sub });
  const change = db.transaction(() => {
    extensions.add(
      { id, orgId: claims.org, input, authUsername: newAuthUsername(random), ha1: null },
      { isOwn: true, nowMs: clock.now() },
    );
    auditPlan(outbox, caller, {
      action: 'phone.extension.create',
      target: `extension:${id}`,
      detail: { number, kind: 'user', name, by_itself: true },
    });
  });
  change.immediate();
  book.changed();
  const made = book.extensionById(id);
  if (!made) throw new Error('The number that was made is not there');
  return made;
}
