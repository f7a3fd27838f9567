/** Setup, sign-in, refresh and their limits, on a running core whose clock the test moves. */
import { readFileSync, statSync, existsSync, chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, callRaw, type HttpAnswer } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ada,
  addPerson,
  goodPassword,
  setUp,
  setupBody,
  signIn,
  tryLogin,
  tryRefresh,
} from '../testing/people.ts';
import { cookiesOf, jsonOf, startTestCore, type TestCore } from '../testing/test-core.ts';
import { refreshGraceMs } from './domain/session-life.ts';

let core: TestCore;
beforeEach(async () => {
  core = await startTestCore();
});
afterEach(async () => {
  await core[Symbol.asyncDispose]();
});

const codeOf = (answer: HttpAnswer): unknown => jsonOf(answer)['code'];
const getMe = (token: string): Promise<HttpAnswer> => callRaw(core, 'getMe', { token });

describe('setup', () => {
  it('takes the code of the file once and leaves no second way in', async () => {
    const file = core.app.config.SETUP_CODE_FILE ?? '';
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const body = setupBody(core);
    expect(await call(core, 'getSetup')).toMatchObject({ needed: true, box_name: 'siphera.test' });

    const wrong = await callRaw(core, 'runSetup', { body: { ...body, code: 'AAAA-BBBB-CCCC' } });
    expect(codeOf(wrong)).toBe('setup_code_wrong');

    const done = await callRaw(core, 'runSetup', { body: { ...body, code: body.code.toLowerCase() } });
    expect(done.status).toBe(201);
    expect(existsSync(file)).toBe(false);
    const again = await callRaw(core, 'runSetup', { body: { ...body, email: 'eve@example.org' } });
    expect(codeOf(again)).toBe('setup_done');
    expect(await call(core, 'getSetup')).toMatchObject({ needed: false });
  });

  it('makes the org, a site with one area, the ready rules and an admin who may do everything', async () => {
    const admin = await setUp(core);
    const { token } = admin;
    const { items: sites } = await call(core, 'listSites', { token });
    expect(sites).toMatchObject([{ name: 'Main building', time_zone: 'Europe/Vienna' }]);
    const { items: areas } = await call(core, 'listAreas', { token });
    expect(areas).toMatchObject([{ name: 'Whole site', site_id: sites[0]?.id }]);
    const { items: rules } = await call(core, 'listRules', { token });
    expect(rules.length).toBeGreaterThanOrEqual(8);
    const me = await call(core, 'getMe', { token });
    expect(me.org.name).toBe('Harbour Logistics');
    expect(me.permissions.map((held) => held.permission)).toContain('system.manage');
  });

  it('keeps the code over a restart and makes a new one once it has expired', async () => {
    const { ensureSetupCode } = await import('./http/setup-code.ts');
    const { code } = setupBody(core);
    await ensureSetupCode(core.app);
    expect(setupBody(core).code).toBe(code);
    core.clock.advance(8 * 86_400_000);
    expect(codeOf(await callRaw(core, 'runSetup', { body: setupBody(core) }))).toBe('setup_code_wrong');
    await ensureSetupCode(core.app);
    expect(setupBody(core).code).not.toBe(code);
    await setUp(core);
  });

  it('slows down who guesses codes', async () => {
    const body = { ...setupBody(core), code: 'AAAA-BBBB-CCCC' };
    const codes: unknown[] = [];
    for (let attempt = 0; attempt < 22; attempt += 1)
      codes.push(codeOf(await callRaw(core, 'runSetup', { body })));
    expect(codes.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 'setup_code_wrong'));
    expect(codes.at(-1)).toBe('too_many_attempts');
  });

  it('refuses a password that is easy to guess', async () => {
    for (const password of ['aaaaaaaaaaaaaaa', 'abcdefghijklmno', 'passwordpassword', 'ada@example.org']) {
      const answer = await callRaw(core, 'runSetup', { body: { ...setupBody(core), password } });
      expect(codeOf(answer)).toBe('validation_failed');
      expect(answer.body.toString()).not.toContain(password);
    }
  });
});

describe('sign-in', () => {
  it('answers the same for a wrong password and for a user that does not exist', async () => {
    await setUp(core);
    const wrong = await tryLogin(core, ada.email, 'not the password');
    const nobody = await tryLogin(core, 'nobody@example.org', 'not the password');
    expect(wrong.status).toBe(401);
    const { trace_id: _a, ...wrongBody } = jsonOf(wrong);
    const { trace_id: _b, ...nobodyBody } = jsonOf(nobody);
    expect(nobodyBody).toEqual(wrongBody);
  });

  it('lets a guesser wait longer and longer, and never locks the account out', async () => {
    await setUp(core);
    for (let attempt = 0; attempt < 5; attempt += 1)
      expect((await tryLogin(core, ada.email, 'guess')).status).toBe(401);
    const refused = await tryLogin(core, ada.email, ada.password);
    expect(codeOf(refused)).toBe('too_many_attempts');
    expect(jsonOf(refused)['retry_after_seconds']).toBe(1);
    expect(refused.headers['retry-after']).toBe('1');
    core.clock.advance(1_000);
    expect((await tryLogin(core, ada.email, 'guess')).status).toBe(401);
    expect(jsonOf(await tryLogin(core, ada.email, 'guess'))['retry_after_seconds']).toBe(2);
    core.clock.advance(60_000);
    expect((await tryLogin(core, ada.email, ada.password)).status).toBe(200);
  });

  it('counts guesses that are sent at once', async () => {
    await setUp(core);
    const answers = await Promise.all(Array.from({ length: 12 }, () => tryLogin(core, ada.email, 'guess')));
    expect(answers.filter((answer) => answer.status === 401)).toHaveLength(5);
    expect(answers.filter((answer) => answer.status === 429)).toHaveLength(7);
  });

  it('lets the user in at the desk where he signed in before, while somebody else guesses', async () => {
    const admin = await setUp(core);
    for (let attempt = 0; attempt < 8; attempt += 1) await tryLogin(core, ada.email, 'guess');
    expect((await tryLogin(core, ada.email, ada.password)).status).toBe(429);
    const cookie = `siphera_device=${admin.cookies['siphera_device'] ?? ''}`;
    expect((await tryLogin(core, ada.email, ada.password, { cookie })).status).toBe(200);
    const forged = `siphera_device=${'A'.repeat(22)}.${'A'.repeat(43)}`;
    expect((await tryLogin(core, ada.email, ada.password, { cookie: forged })).status).toBe(429);
  });

  it('slows down an address that tries many accounts', async () => {
    await setUp(core);
    for (let attempt = 0; attempt < 20; attempt += 1)
      await tryLogin(core, `user${attempt}@example.org`, 'guess');
    expect(codeOf(await tryLogin(core, 'another@example.org', 'guess'))).toBe('too_many_attempts');
  });

  it('puts a failed sign-in of a known user into the audit', async () => {
    const admin = await setUp(core);
    await tryLogin(core, ada.email, 'guess');
    const { items } = await call(core, 'listAudit', { token: admin.token, query: { action: 'login' } });
    expect(items).toMatchObject([{ action: 'login.failed', target: `user:${admin.id}` }]);
  });

  it('refuses a forged, an expired and a foreign token', async () => {
    const { token } = await setUp(core);
    expect((await getMe(token)).status).toBe(200);
    const [head = '', , signature = ''] = token.split('.');
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...claims, name: 'Mallory' })).toString('base64url');
    expect((await getMe(`${head}.${forged}.${signature}`)).status).toBe(401);
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    expect((await getMe(`${none}.${forged}.`)).status).toBe(401);
    core.clock.advance(303_000);
    expect(codeOf(await getMe(token))).toBe('session_expired');
  });

  it('publishes the keys that its tokens are signed with, and nothing private', async () => {
    const { token } = await setUp(core);
    const { keys } = await call(core, 'getJwks');
    const { kid } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as {
      kid: string;
    };
    expect(keys.map((key) => key['kid'])).toContain(kid);
    expect(JSON.stringify(keys)).not.toContain('"d"');
  });
});

describe('refresh', () => {
  it('swaps the cookie for a new token and a new cookie', async () => {
    const admin = await setUp(core);
    core.clock.advance(240_000);
    const answer = await tryRefresh(core, admin.cookies['siphera_refresh'] ?? '');
    expect(answer.status).toBe(200);
    expect(cookiesOf(answer)['siphera_refresh']).not.toBe(admin.cookies['siphera_refresh']);
    core.clock.advance(240_000);
    expect((await getMe(String(jsonOf(answer)['access_token']))).status).toBe(200);
  });

  it('sets cookies that scripts cannot read and other sites cannot send', async () => {
    await setUp(core);
    const answer = await tryLogin(core, ada.email, ada.password);
    for (const line of answer.headers['set-cookie'] ?? [])
      for (const part of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/api/v1/auth'])
        expect(line).toContain(part);
  });

  it('refuses a call that does not come from the console', async () => {
    const admin = await setUp(core);
    const cookie = `siphera_refresh=${admin.cookies['siphera_refresh'] ?? ''}`;
    expect(codeOf(await callRaw(core, 'refresh', { headers: { cookie } }))).toBe('csrf_rejected');
    expect(codeOf(await callRaw(core, 'logout', { token: admin.token }))).toBe('csrf_rejected');
  });

  it('gives two tabs that refresh at once the same next cookie', async () => {
    const admin = await setUp(core);
    const cookie = admin.cookies['siphera_refresh'] ?? '';
    const [first, second] = await Promise.all([tryRefresh(core, cookie), tryRefresh(core, cookie)]);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(cookiesOf(first)['siphera_refresh']).toBe(cookiesOf(second)['siphera_refresh']);
    expect((await tryRefresh(core, cookiesOf(first)['siphera_refresh'] ?? '')).status).toBe(200);
  });

  it('ends the session when an old refresh token is used again', async () => {
    const admin = await setUp(core);
    const old = admin.cookies['siphera_refresh'] ?? '';
    const fresh = await tryRefresh(core, old);
    core.clock.advance(refreshGraceMs + 1);
    expect(codeOf(await tryRefresh(core, old))).toBe('session_expired');
    expect((await tryRefresh(core, cookiesOf(fresh)['siphera_refresh'] ?? '')).status).toBe(401);
    expect(codeOf(await getMe(String(jsonOf(fresh)['access_token'])))).toBe('session_expired');
    const again = await signIn(core, ada.email, ada.password);
    const { items } = await call(core, 'listAudit', {
      token: again.token,
      query: { action: 'session.refresh_reused' },
    });
    expect(items).toHaveLength(1);
  });

  it('ends the session for a refresh token of any age, and not for a made-up one', async () => {
    const admin = await setUp(core);
    const first = admin.cookies['siphera_refresh'] ?? '';
    let latest = first;
    for (let swap = 0; swap < 3; swap += 1) {
      core.clock.advance(60_000);
      latest = cookiesOf(await tryRefresh(core, latest))['siphera_refresh'] ?? '';
    }
    const [sid = '', , mac = ''] = latest.split('.');
    expect((await tryRefresh(core, `${sid}.0.${mac}`)).status).toBe(401);
    const swapped = await tryRefresh(core, latest);
    expect(swapped.status).toBe(200);
    expect((await tryRefresh(core, first)).status).toBe(401);
    expect((await tryRefresh(core, cookiesOf(swapped)['siphera_refresh'] ?? '')).status).toBe(401);
  });

  it('ends a session that nobody used for two weeks', async () => {
    const admin = await setUp(core);
    core.clock.advance(15 * 86_400_000);
    expect((await tryRefresh(core, admin.cookies['siphera_refresh'] ?? '')).status).toBe(401);
  });

  it('ends at sign-out, for the token too', async () => {
    const admin = await setUp(core);
    const out = await callRaw(core, 'logout', { token: admin.token, headers: { 'x-siphera-console': '1' } });
    expect(out.status).toBe(204);
    expect(codeOf(await getMe(admin.token))).toBe('session_expired');
    expect((await tryRefresh(core, admin.cookies['siphera_refresh'] ?? '')).status).toBe(401);
  });
});

describe('my account', () => {
  it('changes the password, ends the other sessions and keeps this one', async () => {
    const admin = await setUp(core);
    const other = await signIn(core, ada.email, ada.password);
    const wrong = await callRaw(core, 'changePassword', {
      token: admin.token,
      body: { current: 'not it', next: goodPassword },
    });
    expect(codeOf(wrong)).toBe('bad_credentials');
    await call(core, 'changePassword', {
      token: admin.token,
      body: { current: ada.password, next: goodPassword },
    });
    expect((await getMe(admin.token)).status).toBe(200);
    expect((await getMe(other.token)).status).toBe(401);
    expect((await tryLogin(core, ada.email, ada.password)).status).toBe(401);
    await signIn(core, ada.email, goodPassword);
  });

  it('lists my sessions and lets me end one of them', async () => {
    const admin = await setUp(core);
    const other = await signIn(core, ada.email, ada.password);
    const { items } = await call(core, 'listSessions', { token: admin.token });
    expect(items).toHaveLength(2);
    const stranger = items.find((session) => !session.current);
    await call(core, 'revokeSession', { token: admin.token, params: { id: stranger?.id ?? '' } });
    expect((await getMe(other.token)).status).toBe(401);
    expect((await getMe(admin.token)).status).toBe(200);
  });
});

describe('secrets', () => {
  it('are in no log line and in no audit row', async () => {
    const { code } = setupBody(core);
    const admin = await setUp(core);
    await tryLogin(core, ada.email, 'a-guess-that-is-secret');
    const guard = await addPerson(core, admin.token, {
      name: 'Gregor',
      role: 'guard',
      scope: { kind: 'org', id: admin.orgId },
    });
    const { secret } = await call(core, 'createApiKey', {
      token: admin.token,
      body: { name: 'Key', permissions: ['event.write'], scope: { kind: 'org', id: admin.orgId } },
    });
    await callRaw(core, 'getMe', { token: `${guard.token}x` });
    await callRaw(core, 'getMe', { token: `${secret}x` });
    const refreshed = await tryRefresh(core, admin.cookies['siphera_refresh'] ?? '');
    const audit = await call(core, 'exportAudit', { token: admin.token });
    const feed = JSON.stringify(core.db.prepare('SELECT * FROM changes').all());
    const written = core.logLines.join('\n') + audit.toString('utf8') + feed;
    const secrets = [
      code,
      ada.password,
      goodPassword,
      'a-guess-that-is-secret',
      admin.token,
      guard.token,
      secret,
      admin.cookies['siphera_refresh'] ?? '',
      cookiesOf(refreshed)['siphera_refresh'] ?? '',
    ];
    for (const text of secrets) {
      expect(text.length).toBeGreaterThan(8);
      expect(written.includes(text)).toBe(false);
    }
    expect(written).not.toContain('$argon2id$');
  });

  it('stop the start when others may read the signing keys, or when they are damaged', async () => {
    const { createAuthenticator } = await import('./http/authenticator.ts');
    const file = join(core.app.config.DATA_DIR, 'keys', 'signing.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o644);
    await expect(createAuthenticator(core.app)).rejects.toThrow('others may read it');
    chmodSync(file, 0o600);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('"x"', '"y"'));
    await expect(createAuthenticator(core.app)).rejects.toThrow('damaged');
    writeFileSync(file, text.slice(0, 40));
    await expect(createAuthenticator(core.app)).rejects.toThrow('not readable JSON');
  });

  it('are signed with a new key after half a year, while tokens of the old one go on', async () => {
    const { SigningKeys } = await import('./adapters/signing-keys.ts');
    const { systemRandom } = await import('@siphera/runtime');
    const file = join(core.app.config.DATA_DIR, 'keys', 'signing.json');
    const before = core.authenticator.jwks().keys[0]?.kid;
    core.clock.advance(181 * 86_400_000);
    const keys = await SigningKeys.load(file, core.clock, systemRandom);
    const kids = keys.jwks().keys.map((key) => key.kid);
    expect(kids).toHaveLength(2);
    expect(kids[0]).not.toBe(before);
    expect(kids[1]).toBe(before);
  });
});
