/** The code tables: every row becomes an event type that the contract knows. */
import { eventTypes } from '@siphera/contract';
import { describe, expect, it } from 'vitest';
import { contactIdCodes } from './contact-id-codes.ts';
import { readContactId } from './contact-id.ts';
import { siaCodes } from './sia-codes.ts';
import { readSia } from './sia-dcs.ts';

describe('the code tables', () => {
  it('of Contact ID cover all six classes, and each code reads as itself with every qualifier', () => {
    expect(contactIdCodes.size).toBeGreaterThan(200);
    for (const [code, { name }] of contactIdCodes) {
      expect(code).toMatch(/^[1-6]\d\d$/);
      expect(name.length).toBeGreaterThan(2);
      for (const qualifier of ['1', '3', '6']) {
        const report = readContactId(`#1234|${qualifier}${code} 01 005`);
        expect(report?.code).toBe(code);
        expect(Object.keys(eventTypes)).toContain(report?.type);
        expect(report?.codeName).not.toContain('Unknown');
        expect((report?.zone ?? '') + (report?.user ?? '')).toBe('005');
      }
    }
  });

  it('of the SIA format have each code read as itself', () => {
    expect(siaCodes.size).toBeGreaterThan(250);
    for (const [code, { name }] of siaCodes) {
      expect(code).toMatch(/^[A-Z]{2}$/);
      expect(name.length).toBeGreaterThan(2);
      const [report, ...more] = readSia(`#1234|Nri1/${code}005`);
      expect(more).toEqual([]);
      expect(report?.code).toBe(code);
      expect(Object.keys(eventTypes)).toContain(report?.type);
    }
  });

  it('tell opening from closing by the qualifier', () => {
    const typeOf = (data: string): string | undefined => readContactId(data)?.type;
    for (const code of [
      '400',
      '401',
      '402',
      '403',
      '407',
      '408',
      '409',
      '441',
      '442',
      '450',
      '451',
      '452',
      '456',
    ]) {
      expect([code, typeOf(`1${code} 01 001`), typeOf(`3${code} 01 001`)]).toEqual([
        code,
        'panel.opened',
        'panel.closed',
      ]);
    }
  });
});
