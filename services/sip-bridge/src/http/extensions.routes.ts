/** Numbers of the house: listed, added, changed, removed; secrets of desk phones, shown once. */
import { ExtensionInput, type ExtensionView } from '@siphera/contract';
import { AppError, type Caller } from '@siphera/runtime';
import type { z } from 'zod';
import {
  ha1Of,
  missingOf,
  newAuthUsername,
  newSecret,
  numberConflict,
  ofItsKind,
  usesOfNumber,
} from '../domain/extensions.ts';
import type { PhoneHandlers } from '../ground.ts';
import type { PlannedExtension } from '../plan.part.ts';
import {
  auditPlan,
  changedFields,
  changedMeanwhile,
  mayOnOrg,
  ownOrNothing,
  requireOnOrg,
} from './plan-access.ts';
import type { PlanNeeds } from './plan-needs.ts';

/** Numbers of one box: each is a row of the plan that Kamailio loads whole. */
const extensionsMax = 2_000;

type Names =
  'listExtensions' | 'createExtension' | 'updateExtension' | 'deleteExtension' | 'renewExtensionSecret';

export function extensionHandlers(needs: PlanNeeds): Pick<PhoneHandlers, Names> {
  const { ground, book, extensions } = needs;
  const { db, outbox, random, clock, config } = ground;
  return {
    listExtensions: async ({ caller }) => ({
      items: book
        .extensions()
        .filter(({ org_id: org }) => org === caller.claims.org)
        .map((extension) => viewOf(needs, caller, extension)),
    }),

    createExtension: async ({ caller, body }) => {
      requireOnOrg(caller, 'phone.manage');
      await arrived(needs, body);
      const input = checked(needs, caller, body, undefined);
      const id = random.uuid();
      const authUsername = newAuthUsername(random);
      // A person has his softphone; a secret for a desk phone of his is made when he gets one.
      const secret = input.kind === 'phone' || input.kind === 'door' ? newSecret(random) : null;
      const ha1 = secret === null ? null : ha1Of(authUsername, config.SIP_DOMAIN, secret);
      const change = db.transaction(() => {
        extensions.add(
          { id, orgId: caller.claims.org, input, authUsername, ha1 },
          { isOwn: false, nowMs: clock.now() },
        );
        const { number, kind, name } = input;
        auditPlan(outbox, caller, {
          action: 'phone.extension.create',
          target: `extension:${id}`,
          detail: { number, kind, name },
        });
      });
      change.immediate();
      book.changed();
      return { extension: viewOf(needs, caller, known(needs, caller, id)), secret };
    },

    updateExtension: async ({ caller, params, body: { revision, ...body } }) => {
      requireOnOrg(caller, 'phone.manage');
      await arrived(needs, body);
      const before = known(needs, caller, params.id);
      const input = checked(needs, caller, body, before);
      const change = db.transaction(() => {
        if (!extensions.change(before.id, revision, input)) throw changedMeanwhile('number');
        auditPlan(outbox, caller, {
          action: 'phone.extension.update',
          target: `extension:${before.id}`,
          detail: { number: input.number, fields: changedFields(before, input) },
        });
      });
      change.immediate();
      // What is registered under the old number, or by somebody whose number it no longer is, ends.
      if (before.number !== input.number) needs.ends.endNumber(before.number, 'all');
      else if (before.user_id !== input.user_id) needs.ends.endNumber(before.number, 'softphones');
      book.changed();
      return viewOf(needs, caller, known(needs, caller, params.id));
    },

    deleteExtension: async ({ caller, params }) => {
      requireOnOrg(caller, 'phone.manage');
      const { id, number, kind, name } = known(needs, caller, params.id);
      const uses = usesOfNumber(number, book.plan(), book.extensions(), book.trunks());
      if (uses.length > 0)
        throw new AppError('in_use', `${number} cannot be removed: ${uses.join('; ')}.`, {
          hint: 'Change that first.',
        });
      const change = db.transaction(() => {
        extensions.remove(id);
        auditPlan(outbox, caller, {
          action: 'phone.extension.delete',
          target: `extension:${id}`,
          detail: { number, kind, name },
        });
      });
      change.immediate();
      needs.ends.endNumber(number, 'all');
      book.changed();
    },

    renewExtensionSecret: async ({ caller, params }) => {
      requireOnOrg(caller, 'phone.manage');
      const extension = known(needs, caller, params.id);
      if (extension.kind === 'group')
        throw new AppError('unprocessable', 'A group has no phone of its own to sign in with.');
      const secret = newSecret(random);
      const change = db.transaction(() => {
        extensions.setHa1(extension.id, ha1Of(extension.auth_username, config.SIP_DOMAIN, secret));
        auditPlan(outbox, caller, {
          action: 'phone.extension.secret',
          target: `extension:${extension.id}`,
          detail: { number: extension.number },
        });
      });
      change.immediate();
      book.changed();
      return { secret };
    },
  };
}

const known = ({ book }: PlanNeeds, caller: Caller, id: string): PlannedExtension =>
  ownOrNothing(caller, book.extensionById(id), 'number');

/** The name a phone signs in with is for those who set phones up. */
function viewOf({ book, contacts }: PlanNeeds, caller: Caller, extension: PlannedExtension): ExtensionView {
  return {
    ...extension,
    auth_username: mayOnOrg(caller, 'phone.manage') ? extension.auth_username : '',
    contacts: contacts.shown(extension.number),
    location_label: book.locate(extension)?.label ?? null,
  };
}

/** @throws AppError when it would hide an emergency number, or refers to what is not there. */
function checked(
  { book, ground, extensions }: PlanNeeds,
  caller: Caller,
  body: ExtensionInput,
  before: PlannedExtension | undefined,
): ExtensionInput {
  const input = ofItsKind(ExtensionInput.parse(body));
  const conflict = numberConflict(book.plan(), input.number);
  if (conflict !== undefined) throw new AppError('unprocessable', conflict);
  const taken = book.extension(input.number);
  if (taken && taken.id !== before?.id)
    throw new AppError('duplicate', `${input.number} is the number of ${taken.name} already.`);
  if (before === undefined && extensions.all().length >= extensionsMax)
    throw new AppError('unprocessable', `There are ${extensionsMax} numbers, the most there may be.`);
  if (before && before.number !== input.number) {
    const uses = usesOfNumber(before.number, book.plan(), book.extensions(), book.trunks());
    if (uses.length > 0)
      throw new AppError('in_use', `${before.number} cannot be given up: ${uses.join('; ')}.`);
  }
  if (input.kind === 'user') requirePerson({ book, ground }, caller, input.user_id, before);
  const numbers = new Set([...book.extensions().map(({ number }) => number), input.number]);
  const missing = missingOf(input, numbers, book.outsideNumbers());
  if (input.area_id !== null && ground.places.area(input.area_id)?.org_id !== caller.claims.org)
    missing.push('area_id: there is no such area.');
  if (missing.length > 0) throw new AppError('unprocessable', missing.join(' '));
  return input;
}

/** Whose number it shall be may have been made a moment ago: then core is asked before he is taken for nobody. */
async function arrived(
  { ground }: Pick<PlanNeeds, 'ground'>,
  { kind, user_id: userId }: z.input<typeof ExtensionInput>,
): Promise<void> {
  if (kind === 'user' && typeof userId === 'string') await ground.people.arrival(userId);
}

function requirePerson(
  { book, ground }: Pick<PlanNeeds, 'book' | 'ground'>,
  caller: Caller,
  userId: string | null,
  before: PlannedExtension | undefined,
): void {
  if (userId === null) throw new AppError('unprocessable', 'Say whose number it is: user_id.');
  if (ground.people.get(userId)?.org_id !== caller.claims.org)
    throw new AppError('unprocessable', 'user_id: there is no such person.');
  const other = book.extensionOfUser(userId);
  if (other && other.id !== before?.id)
    throw new AppError('duplicate', `${other.name} has the number ${other.number} already.`);
}
