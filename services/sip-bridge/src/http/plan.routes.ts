/** The number plan, what a dialled number leads to, how phones are, and who is let in again. */
import type { NumberPlan } from '@siphera/contract';
import { AppError, type Caller } from '@siphera/runtime';
import { explainDialled } from '../domain/dialled.ts';
import { numberConflict } from '../domain/extensions.ts';
import { defaultPlan, planFaults } from '../domain/number-plan.ts';
import { classesOfExtension, classesOfRoles } from '../domain/role-classes.ts';
import type { PhoneHandlers } from '../ground.ts';
import type { PlannedTrunk } from '../plan.part.ts';
import { auditPlan, changedFields, changedMeanwhile, requireOnOrg } from './plan-access.ts';
import type { PlanNeeds } from './plan-needs.ts';

type Names =
  | 'getNumberPlan'
  | 'getNumberPlanDefaults'
  | 'putNumberPlan'
  | 'explainDialled'
  | 'getPhoneHealth'
  | 'unbanAddress';

export function planHandlers(needs: PlanNeeds): Pick<PhoneHandlers, Names> {
  const { ground, book, plans, health } = needs;
  const { db, outbox } = ground;
  return {
    getNumberPlan: async () => book.plan(),

    getNumberPlanDefaults: async ({ query: { country } }) => {
      // What is of this house and not of the country stays.
      const { outside_number, desk, revision } = book.plan();
      return { ...defaultPlan(country), outside_number, desk, revision };
    },

    putNumberPlan: async ({ caller, body }) => {
      requireOnOrg(caller, 'phone.manage');
      const before = book.plan();
      if (body.revision !== before.revision) throw changedMeanwhile('number plan');
      requireSound(needs, body);
      const change = db.transaction(() => {
        plans.put({ ...body, revision: before.revision + 1 });
        const { revision: _revision, ...now } = body;
        auditPlan(outbox, caller, {
          action: 'phone.plan.update',
          target: 'number_plan',
          detail: { fields: changedFields(before, now) },
        });
      });
      change.immediate();
      book.changed();
      return book.plan();
    },

    explainDialled: async ({ caller, body }) => {
      const on = (use: PlannedTrunk['uses'][number]): string[] =>
        book
          .trunks()
          .filter(({ enabled, uses }) => enabled && uses.includes(use))
          .map(({ name }) => name);
      return explainDialled({
        plan: book.plan(),
        dialled: body.dialled,
        internal: (number) => book.extension(number),
        caller: dialler(needs, caller, body.from),
        trunks: on('calls'),
        emergencyTrunks: on('emergency'),
      });
    },

    getPhoneHealth: async () => health.read(),

    unbanAddress: async ({ caller, body: { address } }) => {
      requireOnOrg(caller, 'phone.manage');
      await health.lift(address);
      auditPlan(outbox, caller, { action: 'phone.ban.lift', target: `address:${address}`, detail: {} });
    },
  };
}

/** @throws AppError when it contradicts itself, hides an emergency number behind one of ours, or refers to what is not there. */
function requireSound({ book }: PlanNeeds, plan: NumberPlan): void {
  const faults = planFaults(plan);
  for (const { number, name } of book.extensions()) {
    const conflict = numberConflict(plan, number);
    if (conflict !== undefined) faults.push(`${name} has the number ${number}: ${conflict}`);
  }
  if (plan.desk !== null && book.extension(plan.desk) === undefined)
    faults.push(`desk: nobody in the house has ${plan.desk}.`);
  if (plan.outside_number !== null && !book.outsideNumbers().has(plan.outside_number))
    faults.push(`outside_number: ${plan.outside_number} is no number of a trunk of ours.`);
  if (faults.length > 0) throw new AppError('unprocessable', faults.slice(0, 10).join(' '));
}

/** Who dials: a number of the house, else the caller himself, with or without one. */
function dialler(
  { book, ground }: PlanNeeds,
  { claims }: Caller,
  from: string | undefined,
): { name: string; classes: ReturnType<typeof classesOfRoles>; cap: number } {
  const plan = book.plan();
  const extension = from === undefined ? book.extensionOfUser(claims.sub) : book.extension(from);
  if (from !== undefined && extension?.org_id !== claims.org)
    throw new AppError('unprocessable', `from: nobody in the house has ${from}.`);
  if (!extension)
    return {
      name: claims.name,
      classes: classesOfRoles(plan, ground.people.get(claims.sub)),
      cap: plan.daily_cap,
    };
  const person = extension.user_id === null ? undefined : ground.people.get(extension.user_id);
  return {
    name: extension.name,
    classes: classesOfExtension(plan, extension, person),
    cap: extension.daily_cap ?? plan.daily_cap,
  };
}
