/** Whatever an admin sets, what brings help is reached: by the table Kamailio is given, and by the words the page shows. */
import { NumberPlan } from '@siphera/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countries } from './countries.ts';
import { explainDialled } from './dialled.ts';
import { numberConflict } from './extensions.ts';
import { builtInEmergency, countryOf, defaultPlan, emergencyForms } from './number-plan.ts';
import { planTables } from './plan-tables.ts';

const digits = (min: number, max: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: min, maxLength: max }).map((list) => list.join(''));
const anyCountry = fc.oneof(fc.constantFrom(...Object.keys(countries)), fc.constantFrom('ZZ', 'AQ'));
const anyClass = fc.constantFrom('internal', 'local', 'national', 'international', 'premium');
const anyPlan: fc.Arbitrary<NumberPlan> = fc
  .record({
    country: anyCountry,
    country_code: digits(1, 3).filter((text) => !text.startsWith('0')),
    national_prefix: digits(0, 4),
    international_prefix: digits(1, 5),
    area_code: digits(0, 6),
    outside_prefixes: fc.array(digits(1, 3), { maxLength: 5 }),
    emergency_numbers: fc.array(
      fc.record({ dialled: digits(2, 6), number: fc.constantFrom('911', '112', '110') }),
      { maxLength: 5 },
    ),
    prefixes: fc.array(fc.record({ prefix: digits(1, 10), class: anyClass }), { maxLength: 10 }),
    daily_cap: fc.constant(0),
  })
  .map((change) => NumberPlan.parse({ ...defaultPlan('US'), ...change }));

const explain = (plan: NumberPlan, dialled: string, internal: (number: string) => boolean) =>
  explainDialled({
    plan,
    dialled,
    internal: (number) => (internal(number) ? { number, name: 'Somebody', kind: 'phone' } : undefined),
    caller: { name: 'A door', classes: [], cap: 0 },
    trunks: [],
    emergencyTrunks: [],
  });
const tableOf = (plan: NumberPlan): Record<string, string> =>
  planTables({
    plan,
    extensions: [],
    accounts: [],
    person: () => undefined,
    locate: () => undefined,
    outsideNumbers: new Set(),
  }).tables?.emergency ?? {};

/** What anybody could dial in need: the country's numbers, those of the site, those that Kamailio knows by itself; each with each prefix. */
function dialledInNeed(plan: NumberPlan): string[] {
  const bare = [
    ...countryOf(plan).emergency,
    ...plan.emergency_numbers.map(({ dialled }) => dialled),
    ...builtInEmergency,
  ];
  return bare.flatMap((number) => [number, ...plan.outside_prefixes.map((prefix) => `${prefix}${number}`)]);
}

describe('an emergency number', () => {
  it('is reached in every form, whatever the plan, from whoever may dial nothing', () => {
    fc.assert(
      fc.property(anyPlan, (plan) => {
        const table = tableOf(plan);
        for (const dialled of dialledInNeed(plan)) {
          expect({ dialled, value: table[dialled] }).toEqual({
            dialled,
            value: expect.stringMatching(/^to=\d+;mode=(emergency|test)$/),
          });
          expect(explain(plan, dialled, () => true)).toMatchObject({ kind: 'emergency', allowed: true });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('leads to a number that the country knows, and a test to a test alone', () => {
    fc.assert(
      fc.property(anyPlan, (plan) => {
        const own = new Set([
          ...countryOf(plan).emergency,
          ...plan.emergency_numbers.map(({ number }) => number),
        ]);
        for (const { to, mode } of emergencyForms(plan).values())
          expect({ to, mode, ok: mode === 'test' ? to === '933' : own.has(to) }).toMatchObject({ ok: true });
      }),
      { numRuns: 300 },
    );
  });

  it('says in words what the table says', () => {
    fc.assert(
      fc.property(
        anyPlan,
        fc.oneof(
          digits(2, 8),
          digits(1, 3).map((text) => `${text}911`),
        ),
        (plan, dialled) => {
          const isHelp = dialled in tableOf(plan);
          expect(explain(plan, dialled, () => false).kind === 'emergency').toBe(isHelp);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is hidden by no number that the house lets through', () => {
    fc.assert(
      fc.property(anyPlan, digits(2, 6), (plan, number) => {
        const hides = dialledInNeed(plan).some((dialled) => dialled.startsWith(number));
        if (hides) expect(numberConflict(plan, number)).toMatch(/is dialled for help/);
      }),
      { numRuns: 500 },
    );
    for (const country of [...Object.keys(countries), 'ZZ'])
      for (const number of dialledInNeed(defaultPlan(country)).filter((one) => /^\d{2,6}$/.test(one)))
        expect(numberConflict(defaultPlan(country), number)).toBeDefined();
  });
});

describe('the plan of each country', () => {
  it('is one that the contract takes, and gives each number a class', () => {
    for (const country of Object.keys(countries)) {
      const plan = defaultPlan(country);
      expect(NumberPlan.parse(plan)).toEqual(plan);
      expect(new Set(plan.prefixes.map(({ prefix }) => prefix)).size).toBe(plan.prefixes.length);
    }
  });

  it('lets nobody but an admin dial abroad, and nobody a premium number', () => {
    for (const country of Object.keys(countries)) {
      const { role_classes: roles } = defaultPlan(country);
      expect(Object.values(roles).flat()).not.toContain('premium');
      expect(Object.entries(roles).filter(([, list]) => list.includes('international'))).toEqual([
        ['admin', roles.admin],
      ]);
    }
  });
});
