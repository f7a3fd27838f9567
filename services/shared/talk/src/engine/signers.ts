/**
 * Whose device signed a statement: by the directory as it is, by the keys that the room carries, and by the identities that this device has
 * seen. What must stay true: an identity that replaced a known one proves nothing until somebody has looked; what was proved before stays so.
 */
import { UserId } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { TalkRoom } from '@siphera/contract';
import { z } from 'zod';
import { fromBase64, readDeviceKeys, type SigningKey } from '../side/index.ts';
import type { Ground } from './ground.ts';
import { trustOf } from './identity.ts';
import type { Draft } from './store.ts';

/** Identities of one person that are kept: more than anybody resets in years. */
const identitiesMax = 10;
/** Rows of one device that a room may carry; each costs some signatures. */
const rowsMax = 10;

const pinOf = (userId: string): string => `ssk:${userId}`;
const CrossSigning = z.looseObject({ keys: z.record(z.string(), z.string()) });

/** The self-signing key of the identity that stands, unless it is one that nobody has looked at. */
async function presentKey(ground: Ground, user: string): Promise<string | undefined> {
  if ((await trustOf(ground, user)) === 'changed') return undefined;
  const text = await ground.machine.call(
    async (olm) => (await olm.getIdentity(new UserId(user)))?.selfSigningKey,
  );
  if (text === undefined) return undefined;
  const read = CrossSigning.safeParse(JSON.parse(text));
  return read.success ? Object.values(read.data.keys)[0] : undefined;
}

/** Keeps the identities of who is in a room, or signed for it, so that a reset later undoes nothing. */
export async function pinIdentities(ground: Ground, draft: Draft, userIds: Iterable<string>): Promise<void> {
  for (const userId of new Set(userIds)) {
    const key = await presentKey(ground, ground.userName(userId));
    const known = (await draft.get<string[]>('pins', pinOf(userId))) ?? [];
    if (key !== undefined && !known.includes(key))
      draft.put('pins', pinOf(userId), [...known, key].slice(-identitiesMax));
  }
}

/** For `verifyStatements`, after `pinIdentities`. */
export function signingKeys(
  ground: Ground,
  draft: Draft,
  signers: TalkRoom['signers'] = [],
): (userId: string, deviceId: string) => Promise<SigningKey> {
  return async (userId, deviceId) => {
    const user = ground.userName(userId);
    const device = await ground.machine.deviceOf(user, deviceId);
    const listed = device?.signingKey === undefined ? undefined : fromBase64(device.signingKey);
    const isChanged = (await trustOf(ground, user)) === 'changed';
    if (listed && device?.signedByOwner === true && !isChanged) return listed;
    const pinned = (await draft.get<string[]>('pins', pinOf(userId))) ?? [];
    let unproven: Uint8Array | undefined;
    const rows = signers.filter((one) => one.user_id === user && one.device_id === deviceId);
    for (const row of rows.slice(0, rowsMax)) {
      const read = await readDeviceKeys(row, user, deviceId, pinned);
      // The keys of a device never change: what the directory has is what the room has, or one of both is made up.
      if (!read || (listed && !isSame(listed, read.key))) continue;
      if (read.isSigned) return read.key;
      unproven ??= read.key;
    }
    if (unproven && !isChanged) return { unproven };
    return device ? 'unsigned' : 'gone';
  };
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);
