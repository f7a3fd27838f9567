/**
 * The key of the archive, from one device of mine to another that was compared with it. What must stay true: it is given to a device that the
 * identity has signed, and taken only by a device that knows the identity for its own.
 */
import type { Ground } from './ground.ts';
import type { Outbox } from './outbox.ts';
import { archiveKeyOf, isOwnIdentityVerified } from './recovery.ts';

/** Written down, because the signature may reach the server later than the comparison ends. */
export async function oweArchiveKey(ground: Ground, deviceId: string): Promise<void> {
  await ground.write(async (draft) => {
    const owed = (await draft.get<string[]>('meta', 'owed')) ?? [];
    draft.put('meta', 'owed', [...new Set([...owed, deviceId])]);
  });
}

export async function giveArchiveKey(ground: Ground, outbox: Outbox): Promise<void> {
  const { me } = ground.machine;
  const owed = (await ground.store.get<string[]>('meta', 'owed')) ?? [];
  const value = await ground.store.get<string>('meta', 'archive_key');
  if (owed.length === 0 || value === undefined) return;
  await ground.machine.query([me]);
  const devices = await ground.machine.devicesOf(me);
  await ground.write(async (draft) => {
    const signed = owed.filter((id) => devices.some((one) => one.deviceId === id && one.signedByOwner));
    const there = owed.filter((id) => devices.some((one) => one.deviceId === id));
    draft.put(
      'meta',
      'owed',
      there.filter((id) => !signed.includes(id)),
    );
    for (const id of signed)
      outbox.add(draft, {
        job: 'olm',
        id: ground.place.randomUuid(),
        to: me,
        devices: [id],
        conv: `d:${ground.userId}:${ground.userId}`,
        content: { t: 'secret', name: 'archive_key', value },
      });
  });
}

/** Kept until this device knows the identity for its own, which may be a moment later. */
export async function offerArchiveKey(ground: Ground, value: string): Promise<void> {
  await ground.write(async (draft) => draft.put('meta', 'archive_key_offered', value));
  await takeOfferedKey(ground);
}

export async function takeOfferedKey(ground: Ground): Promise<void> {
  const offered = await ground.store.get<string>('meta', 'archive_key_offered');
  if (offered === undefined || (await archiveKeyOf(ground)) || !(await isOwnIdentityVerified(ground))) return;
  await ground.write(async (draft) => {
    draft.put('meta', 'archive_key', offered);
    draft.remove('meta', 'archive_key_offered');
  });
}
