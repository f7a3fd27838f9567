/** Who people are, by their keys: pinned when first seen, compared or not, changed or not. The library keeps the pins. */
import { OtherUserIdentity, OwnUserIdentity, UserId } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { DeviceView, Trust, Warning } from '../api.ts';
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

/** "These keys are hers": what was changed is pinned anew, and no longer called verified. */
export async function acceptKeys(ground: Ground, userId: string): Promise<void> {
  await ground.machine.call(async (olm) => {
    const identity = await olm.getIdentity(new UserId(ground.userName(userId)));
    if (!identity) return;
    if (identity.hasVerificationViolation()) await identity.withdrawVerification();
    if (identity instanceof OtherUserIdentity) await identity.pinCurrentMasterKey();
  });
}

export async function viewDevices(
  ground: Ground,
  userId: string,
): Promise<{ trust: Trust; devices: DeviceView[] }> {
  const user = ground.userName(userId);
  const devices = await ground.machine.devicesOf(user);
  return {
    trust: await trustOf(ground, user),
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
): Promise<{ exists: boolean; verified: boolean; privateKeys: boolean; signed: boolean }> {
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
    };
  });
}
