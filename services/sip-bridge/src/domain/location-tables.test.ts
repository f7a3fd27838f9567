import { NumberPlan, TrunkInput } from '@siphera/contract';
import { describe, expect, it } from 'vitest';
import { location } from '../testing/location-kit.ts';
import { callbackOfBox, locationTables, noticeNumbers } from './location-tables.ts';

const number = NumberPlan.shape.outside_number;
const person = (of: string, onDuty: boolean, registered = true) => ({ number: of, onDuty, registered });

describe('what Kamailio gets of locations', () => {
  it('is fields that cannot be read as others, an XML each, and a range tagged with its location', () => {
    const { tables, addresses } = locationTables({
      locations: [
        location('a', {
          label: 'Lobby; "phone=9" <x>',
          callback_number: '+13035550100',
          provider_id: 'loc-1',
          nearest_phone: '2001',
          networks: ['10.0.0.0/24'],
        }),
      ],
      defaultLocation: location('a'),
      callback: '+13035550100',
      notice: ['2001', '2002'],
    });
    expect(tables?.location).toEqual({
      a: `label=Lobby phone 9 x;callback=+13035550100;provider=loc-1;phone=2001;site=${location('a').site_id}`,
    });
    expect(tables?.pidf?.['a']).toContain('<ca:HNO>1400</ca:HNO>');
    expect(tables?.setting).toEqual({ default_location: 'a', callback: '+13035550100', notice: '2001 2002' });
    expect(addresses).toEqual([{ group: 2, network: '10.0.0.0/24', tag: 'a' }]);
  });

  it('has no settings that are not known', () => {
    const { tables } = locationTables({
      locations: [],
      defaultLocation: undefined,
      callback: undefined,
      notice: [],
    });
    expect(tables?.setting).toEqual({});
  });
});

describe('the call-back of the box', () => {
  const trunk = TrunkInput.parse({
    name: 'Main',
    host: 'sip.test',
    kind: 'address',
    uses: ['emergency'],
    numbers: ['+13035550103', '+13035550102'].map((one) => ({ number: one, extension: '2001' })),
  });
  it('is that of the default location, then that of the plan, then a number of a trunk for emergency calls', () => {
    const one = location('a', { callback_number: '+13035550101' });
    const plan = { outside_number: number.parse('+13035550102') };
    expect(callbackOfBox(one, plan, [trunk])).toBe('+13035550101');
    expect(callbackOfBox(location('a'), plan, [trunk])).toBe('+13035550102');
    expect(callbackOfBox(undefined, { outside_number: null }, [trunk])).toBe('+13035550103');
    // One that no trunk has does not ring here.
    expect(callbackOfBox(undefined, { outside_number: '+19995550100' }, [trunk])).toBe('+13035550103');
    expect(
      callbackOfBox(undefined, { outside_number: null }, [{ ...trunk, uses: ['calls'] }]),
    ).toBeUndefined();
  });
});

describe('who is told of an emergency call', () => {
  it('is the desk and everybody on duty, those that are registered first', () => {
    expect(
      noticeNumbers(['2000'], [person('2001', true, false), person('2002', false), person('2003', true)]),
    ).toEqual(['2000', '2003', '2001']);
  });

  it('is everybody who may see phones while nobody is on duty, each once', () => {
    expect(noticeNumbers(['2001'], [person('2001', false), person('2002', false)])).toEqual(['2001', '2002']);
  });

  it('is bounded', () => {
    const many = Array.from({ length: 100 }, (_, n) => person(String(3_000 + n), true));
    expect(noticeNumbers([], many)).toHaveLength(20);
  });
});
