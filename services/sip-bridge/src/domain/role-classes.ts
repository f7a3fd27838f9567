/** What somebody may dial: what his number says, else what his roles allow. */
import type { DestinationClass, InternalPerson, NumberPlan } from '@siphera/contract';
import { DestinationClass as AllClasses } from '@siphera/contract';
import type { PlannedExtension } from '../plan.part.ts';

const order = AllClasses.options;

/** In the order of their names, each once; `internal` is always among them. */
const inOrder = (classes: readonly DestinationClass[]): DestinationClass[] =>
  order.filter((one) => one === 'internal' || classes.includes(one));

export const classesOfRoles = (
  plan: Pick<NumberPlan, 'role_classes'>,
  person: Pick<InternalPerson, 'active' | 'roles'> | undefined,
): DestinationClass[] =>
  inOrder(person?.active ? person.roles.flatMap(({ role }) => plan.role_classes[role]) : []);

/** A phone or door without a word on it calls in the house alone, and so does the number of who is no longer there. */
export function classesOfExtension(
  plan: Pick<NumberPlan, 'role_classes'>,
  extension: Pick<PlannedExtension, 'kind' | 'classes' | 'user_id'>,
  person: Pick<InternalPerson, 'active' | 'roles'> | undefined,
): DestinationClass[] {
  if (extension.kind === 'group') return [];
  if (extension.kind === 'user' && !person?.active) return inOrder([]);
  if (extension.classes) return inOrder(extension.classes);
  return extension.kind === 'user' ? classesOfRoles(plan, person) : inOrder([]);
}
