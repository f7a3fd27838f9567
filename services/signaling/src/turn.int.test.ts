/** The relay of a whole box: who may talk gets credentials that open it, who was thrown out gets none. */
import { call, openTurn, RefusedCall, setupAdmin, startBox, type Box, type SetUp } from '@siphera/testkit';
import { systemRandom } from '@siphera/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let box: Box;
let first: SetUp;
const password = 'a long enough passphrase 42';

beforeAll(async () => {
  box = await startBox({ services: ['signaling'], relay: true });
  first = await setupAdmin(box);
});
afterAll(() => box.stop());

async function signIn(role?: 'guard') {
  const email = `${systemRandom.uuid()}@example.org`;
  const { token } = first;
  const user = await call(box, 'createUser', { token, body: { name: 'Gil Guard', email, password } });
  const subject = { kind: 'user' as const, id: user.id };
  const scope = { kind: 'org' as const, id: first.me.org.id };
  if (role) await call(box, 'createRoleBinding', { token, body: { subject, role, scope } });
  const signedIn = await call(box, 'login', { body: { email, password, device_name: 'Desk' } });
  return { token: signedIn.access_token, sessionId: signedIn.me.session_id };
}

describe('credentials of the relay', () => {
  it('open it, name the session and end within the hour', async () => {
    const guard = await signIn('guard');
    const before = Date.now();
    const turn = await call(box, 'getTurn', { token: guard.token });
    expect(turn.uris).toEqual(box.relay?.uris);
    const [expiry, session] = turn.username.split(':');
    expect(session).toBe(guard.sessionId);
    expect(Number(expiry) * 1_000).toBe(Date.parse(turn.expires_at));
    expect(Date.parse(turn.expires_at)).toBeLessThanOrEqual(Date.now() + 3_600_000);
    expect(Date.parse(turn.expires_at)).toBeGreaterThan(before + 3_500_000);
    const { server } = box.relay!;
    await using client = await openTurn({ server, username: turn.username, password: turn.credential });
    expect((await client.allocate()).relayed.address).toBe(box.relay?.shownAddress);
  });

  it('are for nobody without a role, without a token, or whose session was ended', async () => {
    const nobody = await signIn();
    const guard = await signIn('guard');
    const refusal = async (token?: string): Promise<string | undefined> =>
      call(box, 'getTurn', token === undefined ? {} : { token }).then(
        () => undefined,
        (error: unknown) => (error instanceof RefusedCall ? error.code : String(error)),
      );
    expect(await refusal(nobody.token)).toBe('forbidden');
    expect(await refusal()).toBe('unauthenticated');
    expect(await refusal(guard.token)).toBeUndefined();
    await call(box, 'revokeSession', { token: first.token, params: { id: guard.sessionId } });
    await expect.poll(() => refusal(guard.token)).toBe('session_expired');
  });

  it('are in no log', async () => {
    const guard = await signIn('guard');
    const turn = await call(box, 'getTurn', { token: guard.token });
    for (const daemon of [box.signaling?.daemon, box.relay?.daemon]) {
      expect(daemon?.logs()).not.toContain(turn.credential);
      expect(daemon?.logs()).not.toContain(box.relay?.secret);
    }
  });
});

describe('a box without a relay', () => {
  it('offers none', async () => {
    await using plain = await startBox({ services: ['signaling'] });
    const { token } = await setupAdmin(plain);
    const turn = await call(plain, 'getTurn', { token });
    expect({ ...turn, expires_at: '' }).toEqual({ uris: [], username: '', credential: '', expires_at: '' });
  });
});
