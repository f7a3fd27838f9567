/** A box of an earlier release gets the ready rules that came since, once. */
import { call, tempDir } from '@siphera/testkit';
import { expect, it } from 'vitest';
import { ada, setUp, signIn } from '../testing/people.ts';
import { startTestCore } from '../testing/test-core.ts';

it('adds the new ready rules to a site that had the older ones, and not again what was removed', async () => {
  await using dir = await tempDir('ready-rules');
  const first = await startTestCore({ dir: dir.path });
  await setUp(first);
  const { clock } = first;
  // As the release before cameras left it.
  first.db
    .exec(`DELETE FROM rule_versions WHERE rule_id IN (SELECT id FROM rules WHERE builtin IN ('recording_lost', 'camera_storage'));
    DELETE FROM rules WHERE builtin IN ('recording_lost', 'camera_storage')`);
  await first[Symbol.asyncDispose]();

  const second = await startTestCore({ dir: dir.path, clock, run: true });
  const { token } = await signIn(second, ada.email, ada.password);
  const builtins = (await call(second, 'listRules', { token })).items.map((rule) => rule.builtin);
  expect(builtins.filter((name) => name === 'recording_lost' || name === 'camera_storage')).toHaveLength(2);
  expect(new Set(builtins).size).toBe(builtins.length);
  const lost = (await call(second, 'listRules', { token })).items.find(
    (rule) => rule.builtin === 'recording_lost',
  );
  expect(lost).toMatchObject({ version: 1, updated_by: 'Siphera', enabled: true });
  await call(second, 'deleteRule', { token, params: { id: lost?.id ?? '' } });
  await second[Symbol.asyncDispose]();

  await using third = await startTestCore({ dir: dir.path, clock, run: true });
  const again = await signIn(third, ada.email, ada.password);
  const { items } = await call(third, 'listRules', { token: again.token });
  expect(items.filter((rule) => rule.builtin === 'recording_lost')).toEqual([]);
  expect(items).toHaveLength(builtins.length - 1);
});
