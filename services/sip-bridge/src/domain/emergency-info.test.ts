import { EmergencyInfo } from '@siphera/contract';
import { describe, expect, it } from 'vitest';
import { location } from '../testing/location-kit.ts';
import { emergencyInfo } from './emergency-info.ts';

const id = '0192f000-0000-7000-8000-0000000000c1';
const info = (country: string, change: Partial<Parameters<typeof emergencyInfo>[0]> = {}): EmergencyInfo =>
  EmergencyInfo.parse(
    emergencyInfo({
      domain: 'box.test',
      plan: { country, emergency_numbers: [{ dialled: '5555', number: country === 'US' ? '911' : '112' }] },
      locations: [],
      defaultLocation: undefined,
      trunks: [],
      ...change,
    }),
  );

describe('what a page may know with nobody signed in', () => {
  it('is the numbers of the country and those of the house', () => {
    expect(info('US').numbers).toEqual([
      { number: '911', label: 'Emergency', test: false },
      { number: '933', label: 'Test call', test: true },
      { number: '5555', label: 'Emergency (911)', test: false },
    ]);
    expect(info('AT').numbers.map(({ number }) => number)).toEqual(
      expect.arrayContaining(['112', '133', '144', '5555']),
    );
  });

  it('is labels and the nearest phone of places, and nothing else of them', () => {
    const lobby = location(id, { nearest_phone: '2001', provider_id: 'secret', networks: ['10.0.0.0/8'] });
    const shown = info('US', { locations: [lobby], defaultLocation: lobby });
    expect(shown.locations).toEqual([{ id, label: lobby.label, nearest_phone: '2001' }]);
    expect(shown.default_location_id).toBe(id);
    expect(JSON.stringify(shown)).not.toMatch(/secret|10\.0|Larimer/);
  });

  it('says when no trunk would take the call', () => {
    expect(info('US')).toMatchObject({ ready: false, notes: expect.stringContaining('mobile') });
    expect(info('US', { trunks: [{ enabled: true, uses: ['emergency'] }] })).toMatchObject({
      ready: true,
      notes: '',
    });
    expect(info('US', { trunks: [{ enabled: false, uses: ['emergency'] }] }).ready).toBe(false);
  });
});
