/** People of a test: a set-up box with an admin, further users with roles, and their tokens. */
import type { Permission, Role, Scope } from '@siphera/contract';
import {
  call,
  callRaw,
  type CallOutput,
  type FakeClock,
  type HttpAnswer,
  type RestTarget,
} from '@siphera/testkit';
import { readFileSync } from 'node:fs';
import { cookiesOf, jsonOf, type TestCore } from './test-core.ts';

export const goodPassword = 'seven quiet otters dream';
export const ada = { name: 'Ada Admin', email: 'ada@example.org', password: 'correct horse battery staple' };

export type Person = {
  id: string;
  token: string;
  email: string;
  cookies: Record<string, string>;
};

/** Runs the setup with the code from the file. */
export async function setUp(core: TestCore): Promise<Person & { orgId: string }> {
  const answer = await callRaw(core, 'runSetup', { body: setupBody(core) });
  const signedIn = jsonOf<CallOutput<'runSetup'>>(answer);
  return { ...personOf(answer), orgId: signedIn.me.org.id };
}

export const setupBody = (core: Pick<TestCore, 'app'>) => ({
  ...ada,
  code: readFileSync(core.app.config.SETUP_CODE_FILE ?? '', 'utf8').trim(),
  org_name: 'Harbour Logistics',
  site_name: 'Main building',
  time_zone: 'Europe/Vienna',
  device_name: 'Test console',
});

function personOf(answer: HttpAnswer): Person {
  const { access_token, me } = jsonOf<CallOutput<'login'>>(answer);
  return { id: me.user.id, token: access_token, email: me.user.email, cookies: cookiesOf(answer) };
}

/** Adds a user, gives him the role there, and signs him in. */
export async function addPerson(
  target: RestTarget & { clock?: FakeClock },
  adminToken: string,
  { name, role, scope }: { name: string; role: Role | undefined; scope: Scope },
): Promise<Person> {
  const email = `${name.toLowerCase()}@example.org`;
  const user = await call(target, 'createUser', {
    token: adminToken,
    body: { name, email, password: goodPassword },
  });
  if (role !== undefined)
    await call(target, 'createRoleBinding', {
      token: adminToken,
      body: { subject: { kind: 'user', id: user.id }, role, scope },
    });
  // A token of the very millisecond in which roles changed counts as one from before.
  target.clock?.advance(2);
  return signIn(target, email, goodPassword);
}

export async function signIn(target: RestTarget, email: string, password: string): Promise<Person> {
  const answer = await tryLogin(target, email, password);
  if (answer.status !== 200) throw new Error(`sign-in of ${email} was refused: ${answer.body.toString()}`);
  return personOf(answer);
}

export const tryLogin = (
  target: RestTarget,
  email: string,
  password: string,
  headers: Record<string, string> = {},
): Promise<HttpAnswer> =>
  callRaw(target, 'login', { body: { email, password, device_name: 'Test console' }, headers });

/** The refresh as the console does it. */
export const tryRefresh = (target: RestTarget, refreshCookie: string): Promise<HttpAnswer> =>
  callRaw(target, 'refresh', {
    headers: { cookie: `siphera_refresh=${refreshCookie}`, 'x-siphera-console': '1' },
  });

export async function makeKey(
  target: RestTarget,
  token: string,
  permissions: Permission[],
  scope: Scope,
): Promise<{ id: string; secret: string }> {
  return call(target, 'createApiKey', { token, body: { name: 'A key', permissions, scope } });
}
