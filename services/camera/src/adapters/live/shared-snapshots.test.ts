import { expect, it } from 'vitest';
import { sharedSnapshots } from './shared-snapshots.ts';

it('asks a camera once a second however many ask, and again after a failure', async () => {
  let nowMs = 0;
  let asked = 0;
  let fails = false;
  const snapshot = sharedSnapshots(
    async (id) => {
      asked += 1;
      if (fails) throw new Error('away');
      return Buffer.from(id);
    },
    { now: () => nowMs, monotonic: () => nowMs },
  );
  await Promise.all([snapshot('a'), snapshot('a'), snapshot('b')]);
  expect(asked).toBe(2);
  nowMs = 1_001;
  fails = true;
  await expect(snapshot('a')).rejects.toThrow('away');
  fails = false;
  expect((await snapshot('a')).toString()).toBe('a');
  expect(asked).toBe(4);
});
