/** Talk beside the real core: who works there, whose password it is, whose session ends. */
import { call, RefusedCall, setupAdmin, startBox, waitFor, type Box, type SetUp } from '@siphera/testkit';
import { systemRandom } from '@siphera/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { okOf, talkingUser, type RestAnswer, type TestUser } from './testing/talk-rig.ts';
import { makeIdentity } from './testing/test-keys.ts';

let box: Box;
let admin: SetUp;
const password = 'a long enough passphrase 42';
beforeAll(async () => {
  box = await startBox({ services: ['signaling'] });
  admin = await setupAdmin(box);
});
afterAll(() => box.stop());

const codeOf = (answer: RestAnswer): unknown => (answer.body as { code?: string }).code;

/** A guard of the whole organisation, signed in, whom signaling knows. */
async function guard(): Promise<TestUser> {
  const email = `${systemRandom.uuid()}@example.org`;
  const made = await call(box, 'createUser', {
    token: admin.token,
    body: { name: 'Gil Guard', email, password },
  });
  await call(box, 'createRoleBinding', {
    token: admin.token,
    body: {
      subject: { kind: 'user', id: made.id },
      role: 'guard',
      scope: { kind: 'org', id: admin.me.org.id },
    },
  });
  const signIn = async (): Promise<TestUser> => {
    const signedIn = await call(box, 'login', { body: { email, password, device_name: 'Desk' } });
    return talkingUser(
      { url: box.socketUrl, origin: new URL(box.socketUrl).origin },
      {
        id: made.id,
        orgId: admin.me.org.id,
        name: made.name,
        sid: signedIn.me.session_id,
        token: signedIn.access_token,
      },
      signIn,
    );
  };
  const user = await signIn();
  // Of core's people signaling hears a moment after core's answer, and may have read them between the person and the role.
  await waitFor('signaling to know what he may', async () => {
    const { items } = okOf(await user.call('listPeople')) as { items: { id: string; roles: unknown[] }[] };
    return items.some(({ id, roles }) => id === user.id && roles.length > 0);
  });
  return user;
}

describe('talk beside core', () => {
  it('brings a message from one guard to another', async () => {
    const [alice, bob] = [await guard(), await guard()];
    const [from, to] = [await alice.device(), await bob.device()];
    using queue = await to.open();
    okOf(
      await from.user.call('sendDirect', {
        body: {
          message_id: systemRandom.uuid(),
          to: bob.talkId,
          messages: { [bob.talkId]: { [to.id]: { text: 'hello' } } },
        },
      }),
    );
    await waitFor('the message', () => queue.items.length === 1);
    expect(queue.items).toMatchObject([{ event: { sender: alice.talkId, content: { text: 'hello' } } }]);
  });

  it('ends the session of a removed device at core too, and its sockets at once', async () => {
    const lost = await guard();
    const device = await lost.device('Lost phone');
    using queue = await device.open();
    const desk = await lost.session();
    await desk.device('Desk');
    okOf(await desk.call('removeTalkDevice', { params: { id: device.id } }));
    await waitFor('the socket to be cut', () => !queue.socket.connected);
    await waitFor('core to have ended it', async () => {
      const answer = await call(box, 'getMe', { token: lost.token }).catch((error: unknown) => error);
      return answer instanceof RefusedCall && answer.code === 'session_expired';
    });
    expect((await call(box, 'getMe', { token: desk.token })).user.id).toBe(desk.id);
  });

  it('replaces an identity with the password that core knows, and with no other', async () => {
    const user = await guard();
    await user.device();
    okOf(await user.call('uploadSigningKeys', { body: makeIdentity(user.talkId).body }));
    const replace = (text: string): Promise<RestAnswer> =>
      user.call('uploadSigningKeys', {
        body: { ...makeIdentity(user.talkId).body, reset: { password: text } },
      });
    expect(codeOf(await replace('not the password 42'))).toBe('bad_credentials');
    expect((await replace(password)).status).toBe(204);
  });

  it('takes the queue from a session that an admin ends, and writes to nobody who was disabled', async () => {
    const [alice, bob] = [await guard(), await guard()];
    const [, to] = [await alice.device(), await bob.device()];
    using queue = await to.open();
    await call(box, 'revokeSession', { token: admin.token, params: { id: bob.sid } });
    await waitFor('the end', () => !queue.socket.connected);
    expect(queue.gone).toEqual([{ reason: 'not_attached' }]);
    await call(box, 'updateUser', {
      token: admin.token,
      params: { id: bob.id },
      body: { active: false },
    });
    await waitFor('the refusal', async () => {
      const answer = await alice.call('sendDirect', {
        body: {
          message_id: systemRandom.uuid(),
          to: bob.talkId,
          messages: { [bob.talkId]: { [to.id]: { text: 'x' } } },
        },
      });
      return codeOf(answer) === 'not_found';
    });
  });
});
