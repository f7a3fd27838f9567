import { describe, expect, it } from 'vitest';
import { classOf, explainDialled, toE164 } from './dialled.ts';
import { defaultPlan } from './number-plan.ts';

const us = { ...defaultPlan('US'), area_code: '212' };
const at = { ...defaultPlan('AT'), area_code: '1', outside_prefixes: ['0'] };
const ask = (dialled: string, change: Partial<Parameters<typeof explainDialled>[0]> = {}) =>
  explainDialled({
    plan: us,
    dialled,
    internal: (number) => (number === '2001' ? { number, name: 'Ada', kind: 'user' } : undefined),
    caller: { name: 'Grace', classes: ['internal', 'local'], cap: 100 },
    trunks: ['Main'],
    emergencyTrunks: ['Main', 'Spare'],
    ...change,
  });

describe('what is dialled', () => {
  it.each([
    ['5550100', '+12125550100'],
    ['95550100', '+12125550100'],
    ['3125550100', '+13125550100'],
    ['13125550100', '+13125550100'],
    ['9 1 (312) 555-0100', '+13125550100'],
    ['011441234567890', '+441234567890'],
    ['9011441234567890', '+441234567890'],
    ['+441234567890', '+441234567890'],
    ['12', undefined],
    ['+12', undefined],
    ['*72', undefined],
  ])('in North America, %s is %s', (dialled, e164) => {
    expect(toE164(us, dialled)).toBe(e164);
  });

  it.each([
    ['05321234', '+4315321234'],
    ['00662123456', '+43662123456'],
    ['00049301234567', '+49301234567'],
    ['+4917012345678', '+4917012345678'],
  ])('in Austria with a 0 for outside, %s is %s', (dialled, e164) => {
    expect(toE164(at, dialled)).toBe(e164);
  });

  it.each([
    [us, '+12125550100', 'local'],
    [us, '+13125550100', 'national'],
    [us, '+18005550100', 'local'],
    [us, '+19005550100', 'premium'],
    [us, '+18095550100', 'international'],
    [us, '+441234567890', 'international'],
    [us, '+88216123456', 'premium'],
    [at, '+43900123456', 'premium'],
    [at, '+4915112345678', 'international'],
    [defaultPlan('DK'), '+4533123456', 'local'],
    [defaultPlan('GB'), '+449012345678', 'premium'],
    [defaultPlan('GB'), '+442071234567', 'national'],
  ] as const)('costs what its class says (%#: %s)', (plan, e164, kind) => {
    expect(classOf(plan, e164)).toBe(kind);
  });
});

describe('what would happen, in words', () => {
  it('names the trunks that are tried for help, and how it was dialled', () => {
    expect(ask('9911')).toEqual({
      kind: 'emergency',
      number: '911',
      class: null,
      allowed: true,
      words:
        'Calls for help: 911. It needs no right, and goes out whatever else fails. Trunks, in turn: Main, Spare. (dialled as 9911)',
    });
    expect(ask('112')).toMatchObject({ kind: 'emergency', number: '911' });
    expect(ask('911', { emergencyTrunks: [] }).words).toMatch(/it would reach nobody/);
    expect(ask('933').words).toMatch(/nobody comes/);
    expect(ask('*911').words).toMatch(/test PSAP alone/);
  });

  it('tells a number of the house, of outside, and one that nobody has', () => {
    expect(ask('2001')).toMatchObject({
      kind: 'internal',
      allowed: true,
      words: 'Rings the phones of 2001, Ada.',
    });
    expect(ask('95550100')).toMatchObject({
      kind: 'outside',
      number: '+12125550100',
      class: 'local',
      allowed: true,
    });
    expect(ask('95550100', { trunks: [] }).words).toMatch(/No trunk takes calls/);
    expect(ask('19005550100')).toMatchObject({ class: 'premium', allowed: false });
    expect(ask('13125550100').words).toBe(
      '+13125550100, a call inside the country. Grace may dial calls of the classes local: it would be refused, because it is national.',
    );
    expect(ask('22')).toMatchObject({ kind: 'unknown', allowed: false });
  });
});
