import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFragments, FragmentTable } from './fragment-table.ts';

const fragments = fc.array(
  fc.record({ bytes: fc.integer({ min: 1, max: 40_000_000 }), later: fc.nat(5_000), key: fc.boolean() }),
  { maxLength: 200 },
);

describe('the table of fragments', () => {
  it('gives back what was put in', () => {
    fc.assert(
      fc.property(fragments, fc.integer({ min: 0, max: 5e12 }), (some, fromMs) => {
        const table = new FragmentTable(fromMs, 900);
        let startMs = fromMs;
        for (const { bytes, later, key } of some) {
          table.add({ bytes, startMs, key });
          startMs += later;
        }
        expect(decodeFragments(table.encode(), fromMs, 900)).toEqual(table.entries());
      }),
    );
  });

  it('is small: less than 4 KB a minute with its row', () => {
    const table = new FragmentTable(0, 900);
    for (let index = 0; index < 60; index += 1)
      table.add({ bytes: 250_000, startMs: index * 500, key: index % 4 === 0 });
    expect(table.encode().length).toBeLessThanOrEqual(60 * 5);
  });

  it('reads any bytes without harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        const entries = decodeFragments(Buffer.from(bytes), 0, 0);
        expect(entries.every((entry) => entry.offset >= 0 && entry.bytes >= 0)).toBe(true);
      }),
    );
  });

  it('forgets what begins at or after a moment', () => {
    const table = new FragmentTable(0, 10);
    for (const startMs of [0, 500, 1_000]) table.add({ bytes: 5, startMs, key: true });
    table.cutAt(500);
    expect(table.entries()).toHaveLength(1);
    expect(table.fileBytes).toBe(15);
  });
});
