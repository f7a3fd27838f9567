/**
 * Every route of core and panel × every role × own and foreign org, driven from the contract's table of routes: a new route fails
 * here until it has a request in `testing/world.ts`.
 */
import { join } from 'node:path';
import {
  rolePermissions,
  routes,
  type Permission,
  type Role,
  type Route,
  type RouteName,
} from '@siphera/contract';
import { openDatabase, systemRandom } from '@siphera/runtime';
import {
  admin as adminPerson,
  call,
  callRaw,
  setupAdmin,
  startBox,
  waitFor,
  type Box,
  type HttpAnswer,
} from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addPerson, goodPassword, makeKey, signIn } from './testing/people.ts';
import { addRivalOrg } from './testing/rival-org.ts';
import { addPanelAccount, buildWorld, requests, type Input, type World } from './testing/world.ts';

/** Camera and signaling try their own in their own matrices. */
const table: Record<string, Route> = Object.fromEntries(
  Object.entries<Route>(routes).filter(([, { service }]) => service === 'core' || service === 'panel'),
);
/** In the order of `requests`: what removes things comes last. */
const ordered = Object.keys(requests) as RouteName[];
const roles: readonly Role[] = ['viewer', 'guard', 'integrator', 'supervisor', 'admin'];

type Caller = { token: string; permissions: readonly Permission[]; user: boolean };

let box: Box;
let own: World;
let rival: World;
const callers = new Map<string, Caller>();
let siteAdmin: string;

beforeAll(async () => {
  box = await startBox({ services: ['panel'] });
  const admin = await setupAdmin(box);
  const org = admin.me.org.id;
  const scope = { kind: 'org' as const, id: org };
  const world = await buildWorld(box, admin.token, org);
  const target = await signIn(box, 'target@example.org', goodPassword);
  const session = await call(box, 'listSessions', { token: target.token });
  const command = systemRandom.uuid();
  const panelAccount = await addPanelAccount(box, admin.token, world.site);
  own = { ...world, command, panelAccount, session: session.items[0]?.id ?? '' };

  for (const role of roles)
    callers.set(role, {
      token: (await addPerson(box, admin.token, { name: `Some-${role}`, role, scope })).token,
      permissions: rolePermissions[role],
      user: true,
    });
  const nobody = await addPerson(box, admin.token, { name: 'Nobody', role: undefined, scope });
  callers.set('nobody', { token: nobody.token, permissions: [], user: true });
  const key = await makeKey(box, admin.token, ['event.write'], scope);
  callers.set('api key', { token: key.secret, permissions: ['event.write'], user: false });
  const south = await call(box, 'createSite', {
    token: admin.token,
    body: { name: 'South', time_zone: 'UTC' },
  });
  const southScope = { kind: 'site' as const, id: south.id };
  siteAdmin = (await addPerson(box, admin.token, { name: 'Sonja', role: 'admin', scope: southScope })).token;

  await box.core.daemon.stop();
  const db = openDatabase(join(box.dir, 'data', 'core', 'core.sqlite'));
  db.prepare(
    `INSERT INTO commands (id, org_id, device_id, name, args, state, requested_by, actor, trace_id, created_ms, expires_ms)
     VALUES (?, ?, ?, 'unlock', '{}', 'expired', 'Ada', '{}', '', 1, 1)`,
  ).run(command, org, own.door);
  rival = addRivalOrg(db, own, () => systemRandom.uuid());
  db.close();
  await box.core.daemon.start();
  const rivalAdmin = await signIn(box, `rival-${adminPerson.email}`, adminPerson.password);
  rival.panelAccount = await waitFor('panel to follow core again', () =>
    addPanelAccount(box, rivalAdmin.token, rival.site).catch(() => undefined),
  );
});
afterAll(() => box.stop());

const ask = (name: RouteName, input: Input, token?: string): Promise<HttpAnswer> =>
  callRaw(box, name, { ...input, token });
const codeOf = (answer: HttpAnswer): string => {
  if (answer.status < 300) return 'ok';
  return (JSON.parse(answer.body.toString('utf8')) as { code: string }).code;
};
const inputFor = (name: RouteName, world: World): Input => requests[name]?.(world) ?? {};

function mayCall(access: Route['access'], caller: Caller): boolean {
  if (access === 'public') return true;
  // The rest of what needs a sign-in is about the user's own account, which an API key has none of.
  if (access === 'signed_in') return caller.user;
  return caller.permissions.includes(access);
}

/** Refusals that come after the right was found: wrong time, wrong password, no agent at the other end. */
const elsewise: Partial<Record<RouteName, readonly string[]>> = {
  runSetup: ['validation_failed'],
  login: ['bad_credentials', 'too_many_attempts'],
  refresh: ['csrf_rejected'],
  logout: ['csrf_rejected'],
  changePassword: ['bad_credentials'],
  enrol: ['enrolment_code_wrong'],
  stream: ['gone'],
  createCommand: ['device_unavailable', 'unprocessable'],
  unlockDoor: ['device_unavailable'],
  lockDoor: ['device_unavailable'],
  createRoleBinding: ['duplicate'],
  acknowledgeIncident: ['already_done'],
  resolveIncident: ['already_done', 'unprocessable'],
  closeIncident: ['already_done', 'unprocessable'],
  // The document of the request was filed by nobody who calls.
  fileTranscript: ['unprocessable'],
  reopenIncident: ['already_done', 'unprocessable'],
  setIncidentSeverity: ['already_done'],
  assignIncident: ['already_done', 'unprocessable'],
  tickIncidentStep: ['not_found', 'unprocessable'],
  replayDeadLetter: ['unprocessable', 'validation_failed'],
  testSmtp: ['unprocessable'],
  testWebhook: ['unprocessable', 'target_refused', 'unavailable'],
  importDevices: ['validation_failed', 'unprocessable'],
  deleteArea: ['in_use'],
  deleteSite: ['in_use'],
};

describe('every route of the box', () => {
  it('has a request in this test', () => {
    expect(Object.keys(table).filter((name) => !(name in requests))).toEqual([]);
  });

  it('refuses who has not signed in, unless it is public', async () => {
    const wrong: string[] = [];
    for (const name of ordered) {
      const code = codeOf(await ask(name, inputFor(name, own)));
      if ((code === 'unauthenticated') !== needsToken(name)) wrong.push(`${name}: ${code}`);
    }
    expect(wrong).toEqual([]);
  });

  // Before the next one: an event refused there stands in our own dead letters as we sent it.
  it('shows nothing of another org in any list', async () => {
    const rivalIds = Object.values(rival).filter((id) => typeof id === 'string');
    const wrong: string[] = [];
    for (const name of ordered) {
      const route = table[name];
      if (route?.method !== 'get' || route.path.includes('{') || name === 'stream') continue;
      const text = (await ask(name, {}, tokenOf('admin'))).body.toString('utf8');
      if (rivalIds.some((id) => text.includes(id))) wrong.push(name);
    }
    expect(wrong).toEqual([]);
  });

  it('keeps the things of another org out of reach, whatever the caller may do in his own', async () => {
    const wrong: string[] = [];
    for (const name of ordered) {
      const input = inputFor(name, rival);
      if (!namesThings(name)) continue;
      const answer = await ask(name, input, tokenOf('admin'));
      const code = name === 'appendEvents' ? verdictOf(answer) : codeOf(answer);
      // A body may be refused as not fitting together; a path simply leads nowhere.
      const fine = input.params ? ['not_found'] : ['not_found', 'unprocessable', 'validation_failed'];
      // Panel keeps no list of sites; core files what such an account reports under the account's own org, no site.
      if (name === 'createPanelAccount') fine.push('ok');
      if (!fine.includes(code)) wrong.push(`${name}: ${code}`);
    }
    expect(wrong).toEqual([]);
  });

  it('keeps the things of another site out of reach of a site admin', async () => {
    const wrong: string[] = [];
    for (const name of ordered) {
      const input = inputFor(name, own);
      if (!input.params) continue;
      const code = codeOf(await ask(name, input, siteAdmin));
      if (!['not_found', 'forbidden'].includes(code)) wrong.push(`${name}: ${code}`);
    }
    expect(wrong).toEqual([]);
  });

  it('lets in exactly the roles that its permission names', async () => {
    const wrong: string[] = [];
    for (const name of ordered) {
      const access = table[name]?.access ?? 'public';
      for (const [who, caller] of callers) {
        if (access === 'signed_in' && (!caller.user || name === 'revokeSession')) continue;
        const code = codeOf(await ask(name, inputFor(name, own), caller.token));
        const fits = mayCall(access, caller)
          ? code === 'ok' || (elsewise[name] ?? []).includes(code)
          : code === refusalOf(name, caller);
        if (!fits) wrong.push(`${name} as ${who}: ${code}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** Panel checks access tokens by itself and knows no API keys, which are core's. */
const refusalOf = (name: RouteName, caller: Caller): string =>
  table[name]?.service === 'panel' && !caller.user ? 'unauthenticated' : 'forbidden';
const tokenOf = (who: string): string => callers.get(who)?.token ?? '';
/** The refresh goes by its cookie; without one nobody is signed in either, but the console's header is missed first. */
const needsToken = (name: RouteName): boolean => table[name]?.access !== 'public';
/** Does a request to the route name anything of a world? */
const namesThings = (name: RouteName): boolean => {
  const text = JSON.stringify([inputFor(name, own)]);
  return (
    Object.values(own).some((id) => text.includes(String(id)) && typeof id === 'string') ||
    name === 'getEvent'
  );
};

/** An event is taken or not one by one; the batch itself is always answered. */
function verdictOf(answer: HttpAnswer): string {
  const { results } = JSON.parse(answer.body.toString('utf8')) as { results?: { status: string }[] };
  const status = results?.[0]?.status ?? codeOf(answer);
  return ['dead_lettered', 'rejected'].includes(status) ? 'not_found' : status;
}
