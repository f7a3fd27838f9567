/** How large an event by REST may be. */
import { call } from '@siphera/testkit';
import { expect, it } from 'vitest';
import { setUp } from '../testing/people.ts';
import { startTestCore } from '../testing/test-core.ts';

it('keeps an event by REST that is larger than 64 KiB as a dead letter, and the others of its batch', async () => {
  await using core = await startTestCore();
  const { token } = await setUp(core);
  const event = { specversion: '1.0', source: 'test/rest', type: 'door.opened' };
  const { results } = await call(core, 'appendEvents', {
    token,
    body: [
      { ...event, id: 'large', data: { note: 'x'.repeat(80_000) } },
      { ...event, id: 'good' },
    ],
  });
  expect(results.map((result) => result.status)).toEqual(['dead_lettered', 'accepted']);
  const { items } = await call(core, 'listDeadLetters', { token });
  expect(items[0]?.code).toBe('too_large');
});
