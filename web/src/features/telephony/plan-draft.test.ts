import { describe, expect, it } from 'vitest';
import { toBody, toDraft } from '#features/telephony/plan-draft.ts';
import type { NumberPlan } from '#features/telephony/telephony-types.ts';

const plan: NumberPlan = {
  country: 'US',
  country_code: '1',
  national_prefix: '1',
  international_prefix: '011',
  area_code: '555',
  outside_prefixes: ['9', '8'],
  emergency_numbers: [{ dialled: '5555', number: '911' }],
  prefixes: [{ prefix: '1900', class: 'premium' }],
  role_classes: {
    admin: ['internal'],
    supervisor: [],
    guard: ['internal', 'local'],
    viewer: [],
    integrator: [],
  },
  daily_cap: 100,
  calls_at_once_max: 20,
  outside_number: null,
  desk: '600',
  revision: 3,
};

describe('the number plan in its form', () => {
  it('comes out as it went in', () => {
    expect(toBody(toDraft(plan))).toEqual(plan);
  });

  it('reads one entry a line and forgives empty ones', () => {
    const draft = {
      ...toDraft(plan),
      prefixes: '1900 premium\n\n44 International\n',
      outside_prefixes: ' 9 ',
    };
    expect(toBody(draft).prefixes).toEqual([
      { prefix: '1900', class: 'premium' },
      { prefix: '44', class: 'international' },
    ]);
    expect(toBody(draft).outside_prefixes).toEqual(['9']);
  });
});
