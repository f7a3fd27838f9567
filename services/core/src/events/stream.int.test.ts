/** The live stream over SSE on a running core: what ends it, and what does not. */
import { call } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addPerson, goodPassword, setUp, signIn, type Person } from '../testing/people.ts';
import { startTestCore, type TestCore } from '../testing/test-core.ts';

let core: TestCore;
let admin: Person & { orgId: string };
let guard: Person;
let siteId: string;
beforeEach(async () => {
  core = await startTestCore();
  admin = await setUp(core);
  siteId = (await call(core, 'listSites', { token: admin.token })).items[0]?.id ?? '';
  guard = await addPerson(core, admin.token, {
    name: 'Gus',
    role: 'guard',
    scope: { kind: 'site', id: siteId },
  });
});
afterEach(async () => {
  await core[Symbol.asyncDispose]();
});

/** Resolves once it is open. */
async function openStream(token: string, after: number): Promise<Response> {
  const response = await fetch(`${core.baseUrl('core')}/api/v1/stream?after=${after}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(200);
  return response;
}

/** Reads the stream until it ends or the text came. */
async function read(response: Response, wanted: string): Promise<'seen' | 'ended'> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(part, { stream: true });
    if (text.includes(wanted)) return 'seen';
  }
  return 'ended';
}

const addArea = (name: string) =>
  call(core, 'createArea', { token: admin.token, body: { site_id: siteId, name } });
const changeRoles = () =>
  call(core, 'createRoleBinding', {
    token: admin.token,
    body: { subject: { kind: 'user', id: guard.id }, role: 'viewer', scope: { kind: 'site', id: siteId } },
  });

describe('the live stream', () => {
  it('ends for a token from before a change of roles, and shows nothing that came after it', async () => {
    const after = core.app.hub.position();
    const stream = await openStream(guard.token, after);
    await changeRoles();
    await addArea('Cellar');
    expect(await read(stream, 'Cellar')).toBe('ended');
  });

  it('goes on past a change of roles with a token from after it', async () => {
    const after = core.app.hub.position();
    await changeRoles();
    core.clock.advance(2);
    const { token } = await signIn(core, guard.email, goodPassword);
    await addArea('Cellar');
    expect(await read(await openStream(token, after), 'Cellar')).toBe('seen');
  });
});
