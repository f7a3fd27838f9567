/** The number plan as its form edits it, and back. Lists are typed, one entry a line. */
import { linesOf } from '#features/telephony/trunk-draft.ts';
import {
  destinationClasses,
  type DestinationClass,
  type NumberPlan,
} from '#features/telephony/telephony-types.ts';

export type PlanDraft = Omit<
  NumberPlan,
  'outside_prefixes' | 'emergency_numbers' | 'prefixes' | 'outside_number' | 'desk'
> & {
  outside_prefixes: string;
  emergency_numbers: string;
  prefixes: string;
  outside_number: string;
  desk: string;
};

export const toDraft = (plan: NumberPlan): PlanDraft => ({
  ...structuredClone(plan),
  outside_prefixes: plan.outside_prefixes.join(', '),
  emergency_numbers: plan.emergency_numbers.map(({ dialled, number }) => `${dialled} ${number}`).join('\n'),
  prefixes: plan.prefixes.map((one) => `${one.prefix} ${one.class}`).join('\n'),
  outside_number: plan.outside_number ?? '',
  desk: plan.desk ?? '',
});

const pairs = (text: string): [string, string][] =>
  linesOf(text).map((line) => {
    const [first = '', second = ''] = line.split(/[\s=]+/);
    return [first, second];
  });
/** What is no class goes to the box as it is, which says so by the field. */
const asClass = (word: string): DestinationClass =>
  destinationClasses.find((one) => one === word.toLowerCase()) ?? (word as DestinationClass);

export const toBody = (draft: PlanDraft): NumberPlan => ({
  ...draft,
  country: draft.country.trim().toUpperCase(),
  outside_prefixes: linesOf(draft.outside_prefixes),
  emergency_numbers: pairs(draft.emergency_numbers).map(([dialled, number]) => ({ dialled, number })),
  prefixes: pairs(draft.prefixes).map(([prefix, word]) => ({ prefix, class: asClass(word) })),
  outside_number: draft.outside_number.trim() === '' ? null : draft.outside_number.trim(),
  desk: draft.desk.trim() === '' ? null : draft.desk.trim(),
});
