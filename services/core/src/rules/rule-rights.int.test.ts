/** What a rule may do is what its writer may do. */
import { call, callRaw } from '@siphera/testkit';
import { expect, it } from 'vitest';
import { makeKey, setUp } from '../testing/people.ts';
import { startTestCore } from '../testing/test-core.ts';

it('lets nobody unlock by a rule what he may not unlock by hand', async () => {
  await using core = await startTestCore();
  const admin = await setUp(core);
  const org = { kind: 'org' as const, id: admin.orgId };
  const body = {
    name: 'Open whatever moves',
    trigger: { kind: 'event' as const, types: ['door.forced'] },
    actions: [
      { kind: 'command' as const, target: 'trigger' as const, name: 'unlock' as const, args: { seconds: 5 } },
    ],
  };
  const writer = await makeKey(core, admin.token, ['rule.read', 'rule.write'], org);
  expect((await callRaw(core, 'createRule', { token: writer.secret, body })).status).toBe(403);
  const both = await makeKey(core, admin.token, ['rule.read', 'rule.write', 'device.command'], org);
  const rule = await call(core, 'createRule', { token: both.secret, body });
  const again = { token: writer.secret, params: { id: rule.id }, body };
  expect((await callRaw(core, 'putRule', again)).status).toBe(403);
});
