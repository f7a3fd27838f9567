/** Identities (cross-signing, Matrix C-S API v1.15 §11.12.2.1) and signatures over devices and identities. */
import {
  InternalPasswordChecked,
  internalPaths,
  readTalkUserId,
  talkUserId,
  type CrossSigningKey,
} from '@siphera/contract';
import { AppError, type Caller } from '@siphera/runtime';
import type { DeviceGround } from '../adapters/devices/device-ground.ts';
import { isSignature, isSignedBy, textOf } from '../domain/ed25519.ts';
import {
  addSignature,
  faultOfIdentity,
  isSameIdentity,
  isSignedByIdentity,
  publicKeyOf,
  withSignatures,
  type Identity,
} from '../domain/keys.ts';
import type { TalkHandlers } from '../ground.ts';
import type { DeviceRoutes } from './devices.routes.ts';

type Names = 'uploadSigningKeys' | 'uploadSignatures';
type Failure = { errcode: string; error: string };

/** Devices and identities signed at once: all of a large organisation. */
const signaturesMax = 1_000;

export function signingHandlers(routes: DeviceRoutes): Pick<TalkHandlers, Names> {
  const { ground, hub, limits } = routes;
  return {
    uploadSigningKeys: async ({ caller, body, address }) => {
      hub.attached(caller);
      limits.take('signing', caller);
      const identity = checkedIdentity(ground, caller, {
        masterKey: body.master_key,
        selfSigningKey: body.self_signing_key,
        userSigningKey: body.user_signing_key,
      });
      const standing = ground.identities.get(caller.claims.sub);
      if (standing && isSameIdentity(standing, identity)) return;
      if (standing) {
        await requirePassword(routes, caller, body.reset?.password, address);
        // Core was asked meanwhile: the session may have been ended, or another one may have been first.
        hub.attached(caller);
        const now = ground.identities.get(caller.claims.sub);
        if (!now || !isSameIdentity(now, standing))
          throw new AppError('conflict', 'Your identity was replaced in the meantime.');
      }
      replaceIdentity(ground, caller, identity, standing !== undefined);
      hub.listsChanged(caller.claims.org);
    },
    uploadSignatures: async ({ caller, body }) => {
      hub.attached(caller);
      limits.take('signing', caller);
      const entries = Object.entries(body).flatMap(([talkId, byKey]) =>
        Object.entries(byKey).map(([keyId, object]) => ({ talkId, keyId, object })),
      );
      if (entries.length > signaturesMax)
        throw new AppError('validation_failed', `Sign at most ${signaturesMax} at once.`);
      const failures: Record<string, Record<string, Failure>> = {};
      const take = ground.db.transaction(() => {
        for (const { talkId, keyId, object } of entries) {
          const fault = takeSignatures(ground, caller, { talkId, keyId, signatures: object.signatures });
          if (fault !== undefined)
            failures[talkId] = {
              ...failures[talkId],
              [keyId]: { errcode: 'M_INVALID_SIGNATURE', error: fault },
            };
        }
      });
      take.immediate();
      hub.listsChanged(caller.claims.org);
      return { failures };
    },
  };
}

/** Whole and the caller's own, with the signatures alone that are good. @throws AppError `validation_failed`. */
function checkedIdentity(ground: DeviceGround, { claims }: Caller, identity: Identity): Identity {
  const talkId = talkUserId(claims.sub, claims.org);
  const fault = faultOfIdentity(identity, talkId);
  if (fault !== undefined) throw new AppError('validation_failed', `The identity cannot be taken. ${fault}`);
  const master = `ed25519:${publicKeyOf(identity.masterKey) ?? ''}`;
  const byDevice = (keyId: string): boolean => {
    const key = ownDeviceKey(ground, claims.sub, keyId);
    return key !== undefined && isSignedBy(identity.masterKey, talkId, keyId, key);
  };
  const byMaster = (key: CrossSigningKey): CrossSigningKey =>
    withSignatures(key, talkId, (keyId) => keyId === master);
  return {
    masterKey: withSignatures(identity.masterKey, talkId, byDevice),
    selfSigningKey: byMaster(identity.selfSigningKey),
    userSigningKey: byMaster(identity.userSigningKey),
  };
}

const ownDeviceKey = ({ devices }: DeviceGround, userId: string, keyId: string): string | undefined =>
  keyId.startsWith('ed25519:')
    ? devices.ed25519Of({ userId, deviceId: keyId.slice('ed25519:'.length) })
    : undefined;

async function requirePassword(
  { ground, limits }: DeviceRoutes,
  caller: Caller,
  password: string | undefined,
  address: string,
): Promise<void> {
  if (password === undefined)
    throw new AppError('forbidden', 'An identity that stands is replaced only with the password.', {
      hint: 'Send it as `reset.password`.',
      extra: { reason: 'password_needed' },
    });
  limits.take('resetIdentity', caller);
  const body = { user_id: caller.claims.sub, password, address };
  const answer = await ground.client.call('POST', internalPaths.checkPassword, body);
  if (!InternalPasswordChecked.parse(answer).ok)
    throw new AppError('bad_credentials', 'That is not your password.');
}

/** What the old one signed, and what was signed of it, is void. */
function replaceIdentity(
  { db, identities, devices, lists, outbox, clock }: DeviceGround,
  { claims }: Caller,
  identity: Identity,
  isReset: boolean,
): void {
  const owner = { userId: claims.sub, orgId: claims.org };
  const talkId = talkUserId(claims.sub, claims.org);
  const replace = db.transaction(() => {
    identities.dropUserSignatures(claims.sub);
    identities.put(owner, identity, clock.now());
    for (const { id, deviceKeys, ed25519 } of devices.ofUser(claims.sub)) {
      if (deviceKeys === undefined || ed25519 === undefined) continue;
      const own = deviceKeys.signatures[talkId]?.[`ed25519:${id}`] ?? '';
      devices.setKeys(id, { ...deviceKeys, signatures: { [talkId]: { [`ed25519:${id}`]: own } } }, ed25519);
    }
    lists.note(owner);
    outbox.post(internalPaths.audit, {
      actor: { kind: 'user', id: claims.sub, name: claims.name },
      org_id: claims.org,
      action: isReset ? 'talk.identity_replaced' : 'talk.identity_published',
      target: claims.sub,
      detail: {},
    });
  });
  replace.immediate();
}

type Signatures = { talkId: string; keyId: string; signatures: Record<string, Record<string, string>> };

/** Over what is kept here, whatever came along with them. @returns what is wrong; undefined when they were taken. */
function takeSignatures(ground: DeviceGround, caller: Caller, given: Signatures): string | undefined {
  const { claims } = caller;
  const signer = talkUserId(claims.sub, claims.org);
  const mine = Object.entries(given.signatures[signer] ?? {});
  if (mine.length === 0) return 'There is no signature of yours.';
  const identity = ground.identities.get(claims.sub);
  if (!identity) return 'You have no identity to sign with.';
  const parsed = readTalkUserId(given.talkId);
  if (parsed.orgId !== claims.org) return 'There is nobody of that name.';
  if (parsed.userId !== claims.sub) return signOther(ground, caller, parsed.userId, { ...given, mine });
  return publicKeyOf(identity.masterKey) === given.keyId
    ? signOwnMaster(ground, caller, identity, mine)
    : signOwnDevice(ground, caller, identity, { deviceId: given.keyId, mine });
}

type Mine = [keyId: string, signature: string][];

/** By the self-signing key. The device's own signature may come along with it. */
function signOwnDevice(
  { devices, lists, signers }: DeviceGround,
  { claims }: Caller,
  identity: Identity,
  { deviceId, mine }: { deviceId: string; mine: Mine },
): string | undefined {
  const device = devices.get(deviceId);
  if (device?.userId !== claims.sub || device.deviceKeys === undefined || device.ed25519 === undefined)
    return 'You have no such device.';
  const key = publicKeyOf(identity.selfSigningKey) ?? '';
  const signature = mine.find(([keyId]) => keyId === `ed25519:${key}`)?.[1];
  const text = textOf(device.deviceKeys);
  if (signature === undefined || text === undefined || !isSignature(key, text, signature))
    return 'It is not signed by your self-signing key.';
  const talkId = talkUserId(claims.sub, claims.org);
  const signed = addSignature(device.deviceKeys, talkId, `ed25519:${key}`, signature);
  devices.setKeys(deviceId, signed, device.ed25519);
  if (!isSignedByIdentity(device.deviceKeys, identity)) signers.keepSigned(deviceId);
  lists.note({ userId: claims.sub, orgId: claims.org });
  return undefined;
}

/** By a device. */
function signOwnMaster(
  ground: DeviceGround,
  { claims }: Caller,
  { masterKey }: Identity,
  mine: Mine,
): string | undefined {
  const text = textOf(masterKey);
  const good = mine.filter(([keyId, signature]) => {
    const key = ownDeviceKey(ground, claims.sub, keyId);
    return key !== undefined && text !== undefined && isSignature(key, text, signature);
  });
  if (good.length === 0) return 'It is not signed by a device of yours.';
  const talkId = talkUserId(claims.sub, claims.org);
  const signed = good.reduce((key, [keyId, one]) => addSignature(key, talkId, keyId, one), masterKey);
  ground.identities.setMasterKey(claims.sub, signed);
  ground.lists.note({ userId: claims.sub, orgId: claims.org });
  return undefined;
}

/** The master key of somebody else, by the user-signing key: for one's own eyes. */
function signOther(
  { identities, lists }: DeviceGround,
  { claims }: Caller,
  targetId: string,
  { keyId, mine }: { keyId: string; mine: Mine },
): string | undefined {
  const target = identities.get(targetId);
  const own = identities.get(claims.sub);
  if (!target || !own || publicKeyOf(target.masterKey) !== keyId) return 'That is not the master key.';
  const key = publicKeyOf(own.userSigningKey) ?? '';
  const signature = mine.find(([id]) => id === `ed25519:${key}`)?.[1];
  const text = textOf(target.masterKey);
  if (signature === undefined || text === undefined || !isSignature(key, text, signature))
    return 'It is not signed by your user-signing key.';
  identities.putUserSignature({
    signerId: claims.sub,
    targetId,
    masterKey: keyId,
    keyId: `ed25519:${key}`,
    signature,
  });
  lists.note({ userId: targetId, orgId: claims.org }, claims.sub);
  return undefined;
}
