import { join } from 'node:path';
import { freshSchema, upgradeFromEach } from '@siphera/testkit';
import { describe, expect, it } from 'vitest';

const migrations = join(import.meta.dirname, '../migrations');

describe('a database of any earlier release', () => {
  it('equals a fresh one after its upgrade step by step', async () => {
    const fresh = await freshSchema(migrations);
    for (const { from, schema, faults } of await upgradeFromEach(migrations))
      expect({ from, schema, faults }).toEqual({ from, schema: fresh, faults: [] });
  });
});
