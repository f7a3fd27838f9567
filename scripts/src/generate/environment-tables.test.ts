import { describe as group, expect, it } from 'vitest';
import { z } from 'zod';
import { describe, placeTable } from './environment-tables.ts';

group('the environment table of a README', () => {
  it('says which variables must be set, what the others default to, and their choices', () => {
    const schema = z.object({
      DATA_DIR: z.string().meta({ description: 'Where data lies' }),
      PORT: z.coerce.number().default(80),
      LEVEL: z.enum(['a', 'b']).optional(),
    });
    const rows = describe(schema)
      .split('\n')
      .slice(2)
      .map((row) =>
        row
          .split('|')
          .map((cell) => cell.trim())
          .slice(1, 4),
      );
    expect(rows).toEqual([
      ['`DATA_DIR`', '**required**', 'Where data lies'],
      ['`PORT`', '`80`', ''],
      ['`LEVEL`', 'unset', 'One of a, b'],
    ]);
  });

  it('is put in place again without touching the words around it', () => {
    const once = placeTable('# core\n\nWords.\n', 'FIRST');
    const twice = placeTable(`${once}\n## After\n`, 'SECOND');
    expect(once).toContain('## Environment');
    expect(twice).toContain('Words.');
    expect(twice).toContain('SECOND');
    expect(twice).not.toContain('FIRST');
    expect(twice.endsWith('## After\n')).toBe(true);
  });
});
