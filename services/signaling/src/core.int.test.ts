/** Signaling beside the real core: what core writes reaches the consoles that may see it, and nobody else. */
import {
  call,
  connectConsole,
  openConsole,
  setupAdmin,
  startBox,
  waitFor,
  type Box,
  type SetUp,
} from '@siphera/testkit';
import { systemRandom } from '@siphera/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConsole as openReturningConsole } from './testing/rig.ts';

let box: Box;
let first: SetUp;
const password = 'a long enough passphrase 42';

beforeAll(async () => {
  box = await startBox({ services: ['signaling'] });
  first = await setupAdmin(box);
});
afterAll(() => box.stop());

/** Sends test alarms and returns their ids. */
async function alarms(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => systemRandom.uuid());
  const body = ids.map((id) => ({
    specversion: '1.0',
    id,
    source: 'test',
    type: 'system.test_alarm',
    data: { run_id: id, channel: 'rest' },
  }));
  await call(box, 'appendEvents', { token: first.token, body });
  return ids;
}

const eventIds = (entries: readonly { kind: string; data?: unknown }[]): string[] =>
  entries.flatMap(({ kind, data }) => (kind === 'event' ? [(data as { id: string }).id] : []));

/** A signed-in user, with a role on the whole org or without any. */
async function signIn(
  role?: 'guard',
): Promise<{ userId: string; bindingId: string; token: string; sessionId: string }> {
  const email = `${systemRandom.uuid()}@example.org`;
  const user = await call(box, 'createUser', {
    token: first.token,
    body: { name: 'Gil Guard', email, password },
  });
  const binding = role && {
    subject: { kind: 'user' as const, id: user.id },
    role,
    scope: { kind: 'org' as const, id: first.me.org.id },
  };
  const made = binding && (await call(box, 'createRoleBinding', { token: first.token, body: binding }));
  const signedIn = await call(box, 'login', { body: { email, password, device_name: 'Desk' } });
  return {
    userId: user.id,
    bindingId: made?.id ?? '',
    token: signedIn.access_token,
    sessionId: signedIn.me.session_id,
  };
}

describe('signaling beside core', () => {
  it('brings events to a guard, and nothing to a user without a role', async () => {
    const guard = await signIn('guard');
    const nobody = await signIn();
    await using guardConsole = await openConsole(box, guard.token);
    await using nobodyConsole = await openConsole(box, nobody.token);
    const [id] = await alarms(1);
    const entry = await guardConsole.waitFor(
      'the alarm',
      ({ kind, data }) => kind === 'event' && (data as { id: string }).id === id,
    );
    await waitFor('the other to be told as far', () => (nobodyConsole.frames.at(-1)?.upto ?? 0) >= entry.seq);
    expect(eventIds(nobodyConsole.entries)).toEqual([]);
  });

  it('loses and doubles nothing when core and signaling are killed in turn', async () => {
    const console = openReturningConsole(box.socketUrl, {
      token: first.token,
      origin: new URL(box.socketUrl).origin,
    });
    // As the page does: after a refusal (signaling does not hear core yet) socket.io leaves coming back to us.
    const comeBack = (): void => {
      if (!console.socket.active) setTimeout(() => console.socket.connect(), 100);
    };
    console.socket.on('connect_error', comeBack).on('disconnect', comeBack);
    try {
      await waitFor('the first frame', () => console.frames.length > 0);
      const sent: string[] = [];
      for (const victim of [box.core.daemon, box.signaling!.daemon, box.core.daemon, box.signaling!.daemon]) {
        sent.push(...(await alarms(20)));
        await victim.kill9();
        await victim.start();
        sent.push(...(await alarms(20)));
        await waitFor('the socket to be back', () => console.socket.connected);
      }
      await waitFor('the last alarm', () => eventIds(console.entries).includes(sent.at(-1) ?? ''));
      expect(eventIds(console.entries)).toEqual(sent);
    } finally {
      console.socket.off('disconnect', comeBack).off('connect_error', comeBack).disconnect();
    }
  });

  it('cuts the socket of a session that an admin ends', async () => {
    const guard = await signIn('guard');
    await using console = await openConsole(box, guard.token);
    await call(box, 'revokeSession', { token: first.token, params: { id: guard.sessionId } });
    await waitFor('the goodbye', () => console.byes.length > 0);
    expect(console.byes).toEqual([{ reason: 'revoked' }]);
    await expect(openConsole(box, guard.token)).rejects.toThrow('session_expired');
  });

  it('sends a guard whose role is taken away for a new token', async () => {
    const guard = await signIn('guard');
    await using console = await openConsole(box, guard.token);
    await call(box, 'deleteRoleBinding', { token: first.token, params: { id: guard.bindingId } });
    await waitFor('the goodbye', () => console.byes.length > 0);
    expect(console.byes).toEqual([{ reason: 'expired' }]);
    const [id] = await alarms(1);
    await expect(openConsole(box, guard.token)).rejects.toThrow('session_expired');
    expect(eventIds(console.entries)).not.toContain(id);
  });

  it('continues after the position of a list', async () => {
    const [before] = await alarms(1);
    const list = await call(box, 'listEvents', { token: first.token, query: { limit: 1 } });
    expect(list.items[0]?.id).toBe(before);
    const later = await alarms(3);
    await using console = await connectConsole({
      url: box.socketUrl,
      token: first.token,
      after: list.feed_seq,
    });
    await waitFor('the last', () => eventIds(console.entries).includes(later[2] ?? ''));
    expect(eventIds(console.entries)).toEqual(later);
  });
});
