/** What root on the box asks of core: a reset, a self-test, before and after the setup. */
import { internalAdminHeader, internalPaths } from '@siphera/contract';
import { call, callRaw } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemActor } from '../kernel/actor.ts';
import { ada, setUp, signIn, tryLogin, type Person } from '../testing/people.ts';
import { adminKey, jsonOf, startTestCore, type TestCore } from '../testing/test-core.ts';

let core: TestCore;
let admin: Person;
beforeEach(async () => {
  core = await startTestCore();
  admin = await setUp(core);
});
afterEach(async () => {
  await core[Symbol.asyncDispose]();
});

const statusOfMe = async (token: string): Promise<number> => (await callRaw(core, 'getMe', { token })).status;

describe('root', () => {
  const asRoot = { [internalAdminHeader]: adminKey };

  it('resets a lost password and ends the sessions of that admin', async () => {
    const answer = await core.internal(internalPaths.resetAdmin, {}, asRoot);
    expect(answer.status).toBe(200);
    const { email, password } = jsonOf<{ email: string; password: string }>(answer);
    expect(email).toBe(ada.email);
    expect(await statusOfMe(admin.token)).toBe(401);
    core.clock.advance(5);
    await signIn(core, email, password);
    expect((await tryLogin(core, ada.email, ada.password)).status).toBe(401);
  });

  it('is asked for the admin key', async () => {
    for (const path of [
      internalPaths.resetAdmin,
      internalPaths.setupCode,
      internalPaths.selfTest,
      internalPaths.selfTestEnd,
    ]) {
      expect((await core.internal(path, {})).status).toBe(403);
      expect((await core.internal(path, {}, { [internalAdminHeader]: 'guess' })).status).toBe(403);
    }
  });

  it('gets what a self-test needs, limited to it, and gone when it ends', async () => {
    const answer = await core.internal(internalPaths.selfTest, {}, asRoot);
    const kit = jsonOf<Record<string, string>>(answer);
    const token = kit['access_token'] ?? '';
    expect((await callRaw(core, 'listEvents', { token })).status).toBe(200);
    expect((await callRaw(core, 'listUsers', { token })).status).toBe(403);
    expect((await callRaw(core, 'listEvents', { token: kit['api_key'] ?? '' })).status).toBe(403);
    expect(kit['device_certificate_pem']).toContain('BEGIN CERTIFICATE');
    const ended = await core.internal(internalPaths.selfTestEnd, { run_id: kit['run_id'] }, asRoot);
    expect(ended.status).toBe(204);
    expect((await callRaw(core, 'listEvents', { token })).status).toBe(401);
    const { items } = await call(core, 'listDevices', { token: admin.token });
    expect(items).toEqual([]);
    const revoked = core.db.prepare('SELECT revoked_ms FROM device_certificates').get() as {
      revoked_ms: number;
    };
    expect(revoked.revoked_ms).toBe(core.clock.now());
  });

  it('takes back after ten minutes what a killed self-test left', async () => {
    const kit = jsonOf<Record<string, string>>(await core.internal(internalPaths.selfTest, {}, asRoot));
    core.clock.advance(600_000);
    await core.app.box.write('pruneIdentity', { actor: systemActor(''), traceId: '' }, {});
    expect((await callRaw(core, 'listEvents', { token: kit['api_key'] ?? '' })).status).toBe(401);
    expect(core.db.prepare('SELECT count(*) AS n FROM self_tests').get()).toEqual({ n: 0 });
  });
});

describe('root before the setup', () => {
  it('runs the self-test on a box without an admin, which is then set up as ever', async () => {
    await using fresh = await startTestCore();
    const answer = await fresh.internal(internalPaths.selfTest, {}, { [internalAdminHeader]: adminKey });
    expect(answer.status).toBe(200);
    const { run_id } = jsonOf<{ run_id: string }>(answer);
    await fresh.internal(internalPaths.selfTestEnd, { run_id }, { [internalAdminHeader]: adminKey });
    expect(await call(fresh, 'getSetup')).toMatchObject({ needed: true });
    const first = await setUp(fresh);
    const { items } = await call(fresh, 'listSites', { token: first.token });
    expect(items).toMatchObject([{ name: 'Main building' }]);
  });
});
