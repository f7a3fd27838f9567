import { internalPaths, InternalGrants } from '@siphera/contract';
import { call } from '@siphera/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { setUp } from '../testing/people.ts';
import { jsonOf, startTestCore, type TestCore } from '../testing/test-core.ts';

let core: TestCore;
beforeEach(async () => {
  core = await startTestCore();
});
afterEach(() => core[Symbol.asyncDispose]());

const ask = async (kind: string, id: string): Promise<InternalGrants> =>
  InternalGrants.parse(jsonOf(await core.internal(`${internalPaths.grants}?kind=${kind}&id=${id}`)));

it('tells services what somebody may do now, and nothing of who is gone', async () => {
  const admin = await setUp(core);
  const me = await call(core, 'getMe', { token: admin.token });
  const before = await ask('user', me.user.id);
  expect(before.active).toBe(true);
  expect(before.grants[0]?.permissions).toContain('camera.live');
  core.db.prepare('UPDATE users SET active = 0 WHERE id = ?').run(me.user.id);
  expect(await ask('user', me.user.id)).toEqual({ active: false, grants: [] });
  expect(await ask('user', 'nobody')).toEqual({ active: false, grants: [] });
  expect(await ask('api_key', 'nobody')).toEqual({ active: false, grants: [] });
  expect((await core.internal(`${internalPaths.grants}?kind=root&id=x`)).status).toBe(400);
});
