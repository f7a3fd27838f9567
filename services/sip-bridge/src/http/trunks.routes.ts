/** Trunks: listed with how they are, added, changed, removed, tried. Their passwords go in and never come out. */
import { TrunkInput, type TrunkView } from '@siphera/contract';
import { AppError, type Caller } from '@siphera/runtime';
import { testTrunk } from '../adapters/plan-trunk-test.ts';
import { numberDispute, trunkFault } from '../domain/trunk.ts';
import type { PhoneHandlers } from '../ground.ts';
import type { PlannedTrunk } from '../plan.part.ts';
import { auditPlan, changedFields, changedMeanwhile, ownOrNothing, requireOnOrg } from './plan-access.ts';
import type { PlanNeeds } from './plan-needs.ts';

/** Each is asked by OPTIONS every ten seconds, and an emergency call tries them one after the other. */
const trunksMax = 32;

type Names = 'listTrunks' | 'createTrunk' | 'updateTrunk' | 'deleteTrunk' | 'testTrunk';

export function trunkHandlers(needs: PlanNeeds): Pick<PhoneHandlers, Names> {
  const { ground, book, trunks, names, watch } = needs;
  const { db, outbox, random, clock, config } = ground;
  const changed = (): void => {
    book.changed();
    names.look();
    watch.soon();
  };
  return {
    listTrunks: async ({ caller }) => {
      requireOnOrg(caller, 'phone.manage');
      return {
        items: book
          .trunks()
          .filter(({ org_id: org }) => org === caller.claims.org)
          .map((trunk) => viewOf(needs, trunk)),
      };
    },

    createTrunk: async ({ caller, body: { password, ...body } }) => {
      requireOnOrg(caller, 'phone.manage');
      const input = checked(needs, body, password, undefined);
      if (book.trunks().length >= trunksMax)
        throw new AppError('unprocessable', `There are ${trunksMax} trunks, the most there may be.`);
      const id = random.uuid();
      const change = db.transaction(() => {
        trunks.add({ id, orgId: caller.claims.org, input, password }, clock.now());
        const { name, host, uses } = input;
        auditPlan(outbox, caller, {
          action: 'phone.trunk.create',
          target: `trunk:${id}`,
          detail: { name, host, uses },
        });
      });
      change.immediate();
      changed();
      return viewOf(needs, known(needs, caller, id));
    },

    updateTrunk: async ({ caller, params, body: { password, revision, ...body } }) => {
      requireOnOrg(caller, 'phone.manage');
      const before = known(needs, caller, params.id);
      const input = checked(needs, body, password, before);
      requireWayForHelp(needs, before, input);
      const change = db.transaction(() => {
        if (!trunks.change(before.id, revision, input, password)) throw changedMeanwhile('trunk');
        const fields = [...changedFields(before, input), ...(password === undefined ? [] : ['password'])];
        auditPlan(outbox, caller, {
          action: 'phone.trunk.update',
          target: `trunk:${before.id}`,
          detail: { name: input.name, fields },
        });
      });
      change.immediate();
      changed();
      return viewOf(needs, known(needs, caller, params.id));
    },

    deleteTrunk: async ({ caller, params }) => {
      requireOnOrg(caller, 'phone.manage');
      const trunk = known(needs, caller, params.id);
      requireWayForHelp(needs, trunk, undefined);
      const change = db.transaction(() => {
        trunks.remove(trunk.id);
        const { name, host } = trunk;
        auditPlan(outbox, caller, {
          action: 'phone.trunk.delete',
          target: `trunk:${trunk.id}`,
          detail: { name, host },
        });
      });
      change.immediate();
      changed();
    },

    testTrunk: async ({ caller, params }) => {
      requireOnOrg(caller, 'phone.manage');
      const trunk = known(needs, caller, params.id);
      const { watch: state, resolve } = needs;
      const addresses = trunks.addresses(trunk.id, trunk.host);
      return {
        steps: await testTrunk(
          { book, watch: state, resolve, random, domain: config.SIP_DOMAIN },
          trunk,
          addresses,
        ),
      };
    },
  };
}

const known = ({ book }: PlanNeeds, caller: Caller, id: string): PlannedTrunk =>
  ownOrNothing(caller, book.trunk(id), 'trunk');

const viewOf = ({ watch }: PlanNeeds, trunk: PlannedTrunk): TrunkView => ({
  ...trunk,
  state: watch.state(trunk),
});

/** @throws AppError when Kamailio could not work with it, or a number would ring two. */
function checked(
  { book }: PlanNeeds,
  body: TrunkInput,
  password: string | undefined,
  before: PlannedTrunk | undefined,
): TrunkInput {
  const input = TrunkInput.parse(body);
  const fault = trunkFault({ ...input, password });
  if (fault !== undefined) throw new AppError('unprocessable', fault);
  const others = book.trunks().filter(({ id }) => id !== before?.id);
  const dispute = numberDispute(input, others);
  if (dispute !== undefined) throw new AppError('unprocessable', dispute);
  const nobody = input.numbers.filter(({ extension }) => book.extension(extension) === undefined);
  if (nobody.length > 0)
    throw new AppError(
      'unprocessable',
      nobody.map(({ number, extension }) => `${number} would ring ${extension}, which nobody has.`).join(' '),
    );
  return input;
}

/** @throws AppError `in_use` when no trunk would take emergency calls any more. */
function requireWayForHelp({ book }: PlanNeeds, before: PlannedTrunk, now: TrunkInput | undefined): void {
  const takesHelp = (trunk: Pick<PlannedTrunk, 'enabled' | 'uses'> | undefined): boolean =>
    trunk?.enabled === true && trunk.uses.includes('emergency');
  if (!takesHelp(before) || takesHelp(now)) return;
  if (!book.trunks().some((trunk) => trunk.id !== before.id && takesHelp(trunk)))
    throw new AppError('in_use', `${before.name} is the last trunk that takes emergency calls.`, {
      hint: 'Let another trunk take them first.',
    });
}
