/** The number plan: what a country begins with, which settings contradict each other, what Kamailio gets of it. */
import type { DestinationClass, NumberPlan } from '@siphera/contract';
import { countries, defaultPrefixes, elsewhere, type Country } from './countries.ts';

/** What Kamailio takes for an emergency call with no table at all. No number of the house may be one of them, whatever the country. */
export const builtInEmergency = ['911', '112', '933'] as const;

export const countryOf = (plan: Pick<NumberPlan, 'country'>): Country => countries[plan.country] ?? elsewhere;

/** Nobody has `premium` unless an admin gives it. */
const roleClasses = {
  guard: ['internal', 'local'],
  supervisor: ['internal', 'local', 'national'],
  admin: ['internal', 'local', 'national', 'international'],
  viewer: ['internal'],
  integrator: ['internal'],
} as const satisfies Record<string, readonly DestinationClass[]>;

/** Calls out of the house a day and number: what somebody who found a password can run up until the morning. */
const dailyCapDefault = 100;
const callsAtOnceDefault = 50;
/** In North America a 9 leads out of the house. Elsewhere people dial outside numbers as they are. */
const outsidePrefixesDefault = { '1': ['9'] } as const satisfies Record<string, readonly string[]>;

export function defaultPlan(countryName: string): NumberPlan {
  const of = countryOf({ country: countryName });
  return {
    country: countryName,
    country_code: of.countryCode,
    national_prefix: of.nationalPrefix,
    international_prefix: of.internationalPrefix,
    area_code: '',
    outside_prefixes: of.countryCode === '1' ? [...outsidePrefixesDefault['1']] : [],
    emergency_numbers: [],
    prefixes: defaultPrefixes(of),
    role_classes: {
      admin: [...roleClasses.admin],
      supervisor: [...roleClasses.supervisor],
      guard: [...roleClasses.guard],
      viewer: [...roleClasses.viewer],
      integrator: [...roleClasses.integrator],
    },
    daily_cap: dailyCapDefault,
    calls_at_once_max: callsAtOnceDefault,
    outside_number: null,
    desk: null,
    revision: 0,
  };
}

export type EmergencyForm = { to: string; mode: 'emergency' | 'test' | 'drill' };

/**
 * Everything that may be dialled for help, and what it leads to: each number with and without each outside prefix. A number that
 * another country knows leads to our own; the drill's star codes are never dialled by the prefix.
 */
export function emergencyForms(
  plan: Pick<NumberPlan, 'country' | 'outside_prefixes' | 'emergency_numbers'>,
): Map<string, EmergencyForm> {
  const of = countryOf(plan);
  const [primary = '112'] = of.emergency;
  const bare = new Map<string, EmergencyForm>();
  const put = (dialled: string, form: EmergencyForm): void => {
    if (!bare.has(dialled)) bare.set(dialled, form);
  };
  for (const number of of.emergency) put(number, { to: number, mode: 'emergency' });
  if (of.test !== undefined) put(of.test, { to: of.test, mode: 'test' });
  for (const { dialled, number } of plan.emergency_numbers)
    put(dialled, { to: number, mode: number === of.test ? 'test' : 'emergency' });
  for (const number of builtInEmergency)
    put(number, number === '933' ? { to: number, mode: 'test' } : { to: primary, mode: 'emergency' });
  const forms = new Map(bare);
  // Some phones put a plus before what they take for a number of the world.
  for (const [dialled, form] of bare) forms.set(`+${dialled}`, form);
  for (const prefix of plan.outside_prefixes)
    for (const [dialled, form] of bare)
      if (!forms.has(`${prefix}${dialled}`)) forms.set(`${prefix}${dialled}`, form);
  // Drills call the test PSAP alone, whatever number they are about.
  for (const number of new Set(['911', primary, ...of.emergency]))
    forms.set(`*${number}`, { to: number === '911' ? primary : number, mode: 'drill' });
  return forms;
}

/** Class by prefix, as Kamailio looks it up: the longest that fits, else `own` or `any`. */
export function prefixClasses(
  plan: Pick<NumberPlan, 'country_code' | 'area_code' | 'prefixes'>,
): Record<string, DestinationClass> {
  const area = plan.area_code === '' ? {} : { [`${plan.country_code}${plan.area_code}`]: 'local' as const };
  return {
    own: 'national',
    any: 'international',
    ...area,
    ...Object.fromEntries(plan.prefixes.map(({ prefix, class: kind }) => [prefix, kind])),
  };
}

/** Settings that contradict each other, in words; empty: none. */
export function planFaults(plan: NumberPlan): string[] {
  const faults: string[] = [];
  if (new Set(plan.outside_prefixes).size !== plan.outside_prefixes.length)
    faults.push('An outside prefix is there twice.');
  const prefixes = plan.prefixes.map(({ prefix }) => prefix);
  const twice = prefixes.find((prefix, index) => prefixes.indexOf(prefix) !== index);
  if (twice !== undefined) faults.push(`The prefix ${twice} has two classes.`);
  const forms = emergencyForms({ ...plan, emergency_numbers: [] });
  for (const { dialled, number } of plan.emergency_numbers) {
    const form = forms.get(dialled);
    if (form && form.to !== number)
      faults.push(`${dialled} already reaches ${form.to}: it cannot reach ${number} too.`);
    if (plan.emergency_numbers.some((one) => one.dialled === dialled && one.number !== number))
      faults.push(`${dialled} is there twice.`);
  }
  return [...new Set(faults)];
}
