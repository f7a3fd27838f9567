/**
 * Numbers of the house: which may be one, what they refer to, what a phone signs in with. What must stay true: no number of ours stands
 * where somebody dials for help.
 */
import { createHash } from 'node:crypto';
import type { ExtensionInput, NumberPlan } from '@siphera/contract';
import type { Random } from '@siphera/runtime';
import type { PlannedExtension, PlannedTrunk } from '../plan.part.ts';
import { emergencyForms } from './number-plan.ts';

/**
 * Why a number cannot be one of the house; undefined: it can. One that an emergency number begins with is refused too: a phone with a
 * dial plan of its own sends `91` off before the last 1 is dialled.
 */
export function numberConflict(
  plan: Pick<NumberPlan, 'country' | 'outside_prefixes' | 'emergency_numbers'>,
  number: string,
): string | undefined {
  const forms = emergencyForms(plan);
  const same = forms.get(number);
  if (same)
    return `${number} is dialled for help (${same.to}): a number of the house would hide it. Take another one.`;
  const begun = [...forms].find(([dialled]) => dialled.startsWith(number));
  if (begun)
    return `${begun[0]} is dialled for help (${begun[1].to}) and begins with ${number}: a phone could send ${number} before the rest is dialled. Take another one.`;
  return undefined;
}

/** What refers to a number, in words. */
export function usesOfNumber(
  number: string,
  plan: Pick<NumberPlan, 'desk'>,
  extensions: readonly Pick<PlannedExtension, 'number' | 'name' | 'members' | 'fallback' | 'rings'>[],
  trunks: readonly Pick<PlannedTrunk, 'name' | 'numbers'>[],
): string[] {
  return [
    ...(plan.desk === number ? ['it is the desk of the number plan'] : []),
    ...trunks.flatMap(({ name, numbers }) =>
      numbers
        .filter(({ extension }) => extension === number)
        .map((one) => `${one.number} of the trunk ${name} rings it`),
    ),
    ...extensions.flatMap((other) => [
      ...(other.members.includes(number) ? [`it is in the group ${other.number}, ${other.name}`] : []),
      ...(other.fallback === number ? [`unanswered calls of ${other.number}, ${other.name}, go to it`] : []),
      ...(other.rings === number ? [`the door ${other.number}, ${other.name}, rings it`] : []),
    ]),
  ];
}

/** What an extension refers to that is not there, in words. @param number undefined while it has none of its own. */
export function missingOf(
  input: ExtensionInput,
  numbers: ReadonlySet<string>,
  outsideNumbers: ReadonlySet<string>,
): string[] {
  const said: [string, string][] = [
    ...input.members.map((member): [string, string] => ['members', member]),
    ...(input.fallback === null ? [] : ([['fallback', input.fallback]] satisfies [string, string][])),
    ...(input.rings === null ? [] : ([['rings', input.rings]] satisfies [string, string][])),
  ];
  const missing = said
    .filter(([, number]) => !numbers.has(number))
    .map(([field, number]) => `${field}: nobody in the house has ${number}.`);
  if (said.some(([, number]) => number === input.number)) missing.push(`${input.number} cannot ring itself.`);
  if (input.outside_number !== null && !outsideNumbers.has(input.outside_number))
    missing.push(`outside_number: ${input.outside_number} is no number of a trunk of ours.`);
  return missing;
}

/** Fields that only make sense for another kind are taken out, so that a change of kind leaves nothing behind. */
export function ofItsKind(input: ExtensionInput): ExtensionInput {
  const { kind } = input;
  return {
    ...input,
    user_id: kind === 'user' ? input.user_id : null,
    members: kind === 'group' ? [...new Set(input.members)] : [],
    duty: kind === 'group' && input.duty,
    classes: kind === 'group' ? null : input.classes,
    device_id: kind === 'door' || kind === 'phone' ? input.device_id : null,
    camera_id: kind === 'door' ? input.camera_id : null,
    door_id: kind === 'door' ? input.door_id : null,
    open_digit: kind === 'door' ? input.open_digit : null,
    rings: kind === 'door' ? input.rings : null,
  };
}

/** The first free number of a range that hides nothing. */
export function nextFreeNumber(
  range: { first: number; last: number },
  taken: ReadonlySet<string>,
  plan: Pick<NumberPlan, 'country' | 'outside_prefixes' | 'emergency_numbers'>,
): string | undefined {
  for (let number = range.first; number <= range.last; number += 1) {
    const text = String(number);
    if (!taken.has(text) && numberConflict(plan, text) === undefined) return text;
  }
  return undefined;
}

/** 20 letters and digits that nobody confuses when he types them into a phone: about 100 bits. */
const secretCharacters = 'abcdefghjkmnpqrstuvwxyz23456789';
const secretLength = 20;
const nameLength = 8;

const word = (random: Random, length: number): string =>
  [...random.bytes(length * 2)]
    // Bytes above the last whole multiple are left out, so that no letter comes more often; twice as many as needed are drawn.
    .filter((byte) => byte < 256 - (256 % secretCharacters.length))
    .slice(0, length)
    .map((byte) => secretCharacters[byte % secretCharacters.length])
    .join('');

/** A name that nobody guesses by counting numbers up: scanners do. */
export const newAuthUsername = (random: Random): string => `ph-${word(random, nameLength)}`;
export const newSecret = (random: Random): string => word(random, secretLength);

/** RFC 2617 §3.2.2.2, as SIP digests have it. Whoever has it can sign in, so it is kept like a password. */
export const ha1Of = (username: string, realm: string, secret: string): string =>
  createHash('md5').update(`${username}:${realm}:${secret}`).digest('hex');
