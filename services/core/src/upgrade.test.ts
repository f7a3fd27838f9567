import { join } from 'node:path';
import { freshSchema, upgradeFromEach } from '@siphera/testkit';
import { describe, expect, it } from 'vitest';
import { seedBuilding } from './testing/memory-box.ts';

const migrations = join(import.meta.dirname, '../migrations');

describe('a database of any earlier release', () => {
  it('equals a fresh one after its upgrade step by step, and keeps what it held', async () => {
    let filled = 0;
    const upgrades = await upgradeFromEach(migrations, (db, from) => {
      // The registry is there from its own migration on.
      if (from < '20261122T0910') return;
      seedBuilding(db);
      filled += 1;
    });
    const fresh = await freshSchema(migrations);
    expect(upgrades.length).toBeGreaterThan(5);
    expect(filled).toBeGreaterThan(5);
    for (const { from, schema, faults } of upgrades)
      expect({ from, schema, faults }).toEqual({ from, schema: fresh, faults: [] });
  });
});
