/** Keys of devices that signed statements: whoever comes later checks what was signed, whatever has become of the device since. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSignedBy } from './domain/ed25519.ts';
import { confirm, keysOf, publish } from './testing/identity-kit.ts';
import { makeGroup, roomOf, say } from './testing/room-kit.ts';
import { okOf, startTalkRig, type TalkRig, type TestDevice } from './testing/talk-rig.ts';
import { makeIdentity, type Identity } from './testing/test-keys.ts';

let rig: TalkRig;
beforeAll(async () => {
  rig = await startTalkRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

const password = 'a long enough passphrase';
type Signers = NonNullable<ReturnType<typeof roomOf>['signers']>;
const signersFor = async ({ user }: TestDevice, id: string): Promise<Signers> =>
  roomOf(await user.call('getRoom', { params: { id } })).signers ?? [];
const isOf = (keys: Signers[number] | undefined, { user }: TestDevice, { selfSigning }: Identity): boolean =>
  keys !== undefined &&
  isSignedBy(keys, user.talkId, `ed25519:${selfSigning.publicKey}`, selfSigning.publicKey);

describe('the keys of a device that signed a statement', () => {
  it('stay with the room, as its owner signed them, when the device was removed', async () => {
    const [ada, bob] = [await (await rig.user()).device(), await (await rig.user()).device()];
    const identity = await publish(ada);
    await confirm(ada, identity);
    const keys = await keysOf(bob.user, ada);
    const room = await makeGroup(ada, [bob.user]);
    expect(room.signers).toEqual([keys]);
    const phone = await (await ada.user.session()).device();
    await confirm(phone, identity, phone.user);
    okOf(await phone.user.call('removeTalkDevice', { params: { id: ada.id } }));
    await expect(keysOf(bob.user, ada)).rejects.toThrow('There are no keys');
    const [kept, ...more] = await signersFor(bob, room.id);
    expect(kept).toEqual(keys);
    expect(more).toEqual([]);
    expect(isOf(kept, ada, identity)).toBe(true);
  });

  it('stay as they were signed when the identity is replaced, and come again as they are signed then', async () => {
    const user = await rig.user({ password });
    const [ada, bob] = [await user.device(), await (await rig.user()).device()];
    const room = await makeGroup(ada, [bob.user]);
    expect(
      (await signersFor(bob, room.id)).map((keys) => isOf(keys, ada, makeIdentity(user.talkId))),
    ).toEqual([false]);
    const first = await publish(ada);
    await confirm(ada, first);
    await confirm(ada, first);
    const second = makeIdentity(user.talkId);
    okOf(await user.call('uploadSigningKeys', { body: { ...second.body, reset: { password } } }));
    await confirm(ada, second);
    const kept = await signersFor(bob, room.id);
    expect(kept.map((keys) => [isOf(keys, ada, first), isOf(keys, ada, second)])).toEqual([
      [false, false],
      [true, false],
      [false, true],
    ]);
  });

  it('are told to who left up to what he saw, and no further', async () => {
    const [ada, bob, cyd] = [
      await (await rig.user()).device(),
      await (await rig.user()).device(),
      await (await rig.user()).device(),
    ];
    const room = await makeGroup(ada, [bob.user, cyd.user]);
    const left = roomOf(await say(bob, room, 'leave'));
    const after = roomOf(await say(cyd, left, 'leave'));
    const signed = (keys: Signers = []): string[] => keys.map(({ device_id: id }) => id);
    expect(signed(after.signers)).toEqual([ada.id, bob.id, cyd.id]);
    using queue = await bob.open();
    const last = queue.items.findLast(({ kind }) => kind === 'room');
    expect(last?.kind === 'room' && signed(last.room.signers)).toEqual([ada.id, bob.id]);
  });
});
