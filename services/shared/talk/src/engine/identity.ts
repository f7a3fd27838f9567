/** Who people are, by their keys: pinned when first seen, compared or not, changed or not. The library keeps the pins. */
import { OtherUserIdentity, OwnUserIdentity, UserId } from '@matrix-org/matrix-sdk-crypto-wasm';
import { z } from 'zod';
import { TalkError, type DeviceView, type Trust, type Warning } from '../api.ts';
import type { Ground } from './ground.ts';
import type { ConversationRecord } from './records.ts';

/** @param user as the library names him */
export async function trustOf(ground: Ground, user: string): Promise<Trust> {
  return ground.machine.call(async (olm) => {
    const identity = await olm.getIdentity(new UserId(user));
    if (!identity) return 'none';
    if (identity.hasVerificationViolation()) return 'changed';
    if (identity instanceof OtherUserIdentity && identity.identityNeedsUserApproval()) return 'changed';
    return identity.isVerified() ? 'verified' : 'known';
  });
}

/** Of an event, as the server says it. */
export type Writer = { sender: string; sender_device: string };

/**
 * Asks for the keys of who wrote: of people that are new here, and of those with a device that is not known or not signed, because its signature
 * may have come to the server just now. What is still not signed then counts as not signed. @throws what the port throws
 */
export async function learnWriters(ground: Ground, writers: readonly Writer[]): Promise<void> {
  await ground.machine.track([...new Set(writers.map((one) => one.sender))]);
  const unsure = new Set<string>();
  const devices = new Map(writers.map((one) => [`${one.sender} ${one.sender_device}`, one]));
  for (const { sender, sender_device: device } of devices.values())
    if ((await ground.machine.deviceOf(sender, device))?.signedByOwner !== true) unsure.add(sender);
  if (unsure.size > 0) await ground.machine.query([...unsure]);
}

/**
 * Before anything is encrypted. An identity of mine that is not the one I had may have signed devices of anybody, and my copies would go there.
 * @throws TalkError `keys_changed`
 */
export async function refuseOwnChanged(ground: Ground): Promise<void> {
  if ((await trustOf(ground, ground.machine.me)) === 'changed')
    throw new TalkError('keys_changed', 'My own keys are not those that this device knows');
}

/**
 * "These keys are hers": what was changed is pinned anew, and no longer called verified.
 * @param shown the key that was looked at; another one that came in the meantime is not accepted
 * @throws TalkError `keys_changed`: for other keys than those shown, and for one's own, which are recovered and never accepted
 */
export async function acceptKeys(ground: Ground, userId: string, shown?: string): Promise<void> {
  const user = ground.userName(userId);
  if (user === ground.machine.me) {
    await refuseOwnChanged(ground);
    return;
  }
  await ground.machine.call(async (olm) => {
    const identity = await olm.getIdentity(new UserId(user));
    if (!identity) return;
    if (shown !== undefined && masterKeyOf(identity) !== shown)
      throw new TalkError('keys_changed', 'These are not the keys that were shown');
    if (identity.hasVerificationViolation()) await identity.withdrawVerification();
    if (identity instanceof OtherUserIdentity) await identity.pinCurrentMasterKey();
  });
}

/** The master key of this person as the server shows it now. */
export async function identityKeyOf(ground: Ground, user: string): Promise<string | undefined> {
  return ground.machine.call(async (olm) => {
    const identity = await olm.getIdentity(new UserId(user));
    return identity && masterKeyOf(identity);
  });
}

const Master = z.object({ keys: z.record(z.string(), z.string()) });

/** Ed25519, unpadded base64. */
function masterKeyOf(identity: OtherUserIdentity | OwnUserIdentity): string | undefined {
  const { keys } = Master.parse(JSON.parse(identity.masterKey));
  return Object.values(keys)[0];
}

export async function viewDevices(
  ground: Ground,
  userId: string,
): Promise<{ trust: Trust; identityKey: string | null; devices: DeviceView[] }> {
  const user = ground.userName(userId);
  const devices = await ground.machine.devicesOf(user);
  return {
    trust: await trustOf(ground, user),
    identityKey: (await identityKeyOf(ground, user)) ?? null,
    devices: devices.map((device) => ({
      userId,
      deviceId: device.deviceId,
      name: device.name ?? device.deviceId,
      signedByOwner: device.signedByOwner,
      verified: device.verified,
      current: user === ground.machine.me && device.deviceId === ground.deviceId,
      fingerprint: device.signingKey ?? '',
    })),
  };
}

/** What the keys of one person say now, for all conversations that are shown together. */
type PersonFacts = { trust: Trust; wasVerified: boolean; unsigned: string[] };
type FactsOf = (userId: string) => Promise<PersonFacts>;

/** Each person is looked at once, however many conversations he is in. */
export function factsOnce(ground: Ground): FactsOf {
  const known = new Map<string, Promise<PersonFacts>>();
  return (userId) => {
    const facts = known.get(userId) ?? factsOf(ground, ground.userName(userId));
    known.set(userId, facts);
    return facts;
  };
}

async function factsOf(ground: Ground, user: string): Promise<PersonFacts> {
  const trust = await trustOf(ground, user);
  const devices = await ground.machine.devicesOf(user);
  return {
    trust,
    wasVerified: trust === 'changed' && (await wasVerified(ground, user)),
    unsigned: devices.filter((one) => !one.signedByOwner).map((one) => one.deviceId),
  };
}

/** What has to be looked at in a conversation, from what the keys and the records say now. */
export async function warningsOf(
  ground: Ground,
  record: ConversationRecord,
  memberIds: readonly string[],
  seen: { vanished: readonly string[]; factsOf: FactsOf },
): Promise<Warning[]> {
  const warnings: Warning[] = [];
  for (const userId of [...memberIds, ground.userId]) {
    const facts = await seen.factsOf(userId);
    if (facts.trust === 'changed')
      warnings.push({ kind: 'keys_changed', userId, wasVerified: facts.wasVerified });
    for (const deviceId of facts.unsigned) warnings.push({ kind: 'device_unsigned', userId, deviceId });
  }
  if (record.forged.length > 0) warnings.push({ kind: 'membership_forged', userIds: record.forged });
  for (const [userId, deviceIds] of Object.entries(record.hidden))
    warnings.push({ kind: 'device_hidden', userId, deviceIds });
  if (seen.vanished.length > 0 && record.kind === 'direct')
    warnings.push({ kind: 'device_hidden', userId: ground.userId, deviceIds: [...seen.vanished] });
  for (const [writer, missing] of Object.entries(record.gaps)) {
    const [userId = '', deviceId = ''] = writer.split(':');
    warnings.push({ kind: 'gap', userId, deviceId, missing });
  }
  return warnings;
}

async function wasVerified(ground: Ground, user: string): Promise<boolean> {
  return ground.machine.call(async (olm) => {
    const identity = await olm.getIdentity(new UserId(user));
    return identity?.wasPreviouslyVerified() ?? false;
  });
}

/** Whether this device can sign for its owner, and the owner's identity stands. */
export async function ownIdentity(
  ground: Pick<Ground, 'machine'>,
): Promise<{ exists: boolean; verified: boolean; privateKeys: boolean; signed: boolean; changed: boolean }> {
  const { machine } = ground;
  const own = await machine.deviceOf(machine.me, machine.deviceId);
  return machine.call(async (olm) => {
    const identity = await olm.getIdentity(new UserId(machine.me));
    const status = await olm.crossSigningStatus();
    return {
      exists: identity instanceof OwnUserIdentity,
      verified: identity?.isVerified() ?? false,
      privateKeys: status.hasMaster && status.hasSelfSigning && status.hasUserSigning,
      signed: own?.signedByOwner ?? false,
      // Another one stands in the place of the one that this device knew for its own.
      changed: identity?.hasVerificationViolation() ?? false,
    };
  });
}
