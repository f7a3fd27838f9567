/**
 * Identity, backup, archive and the secret that opens them on a new device. What must stay true: what the server gives is opened only
 * with keys that came out of the sealed box or from a verified device of mine, never with a key that it named.
 */
import {
  BackupDecryptionKey,
  RoomId,
  SecretsBundle as LibraryBundle,
  UserId,
  type CrossSigningBootstrapRequests,
} from '@matrix-org/matrix-sdk-crypto-wasm';
import { canonicalJson } from '@siphera/contract';
import { z } from 'zod';
import { TalkError } from '../api.ts';
import { fromBase64, makeSecret, openSecrets, publicKeyOf, sealSecrets, toBase64 } from '../side/index.ts';
import { failureOf, wordsOf } from './failures.ts';
import type { Ground } from './ground.ts';
import { identityKeyOf, ownIdentity } from './identity.ts';
import type { Request } from './machine.ts';

const backupAlgorithm = 'm.megolm_backup.v1.curve25519-aes-sha2';
const archiveKeyBytes = 32;
/** Devices of one person may seal at once; the next try reads the version anew. */
const conflictsMax = 3;
/** Requests of room keys to the backup in one go; each holds a hundred keys. */
const backupRoundsMax = 50;
/** Pages of one reading: more than a person has keys for in years. */
const backupPagesMax = 2_000;

const Box = z.object({ box: z.string(), version: z.int() });
const Version = z.object({ version: z.string() });
const Backup = z.looseObject({ version: z.string(), auth_data: z.looseObject({ public_key: z.string() }) });
const Sealed = z.looseObject({ cross_signing: z.looseObject({ master_key: z.string() }) });
const BackedUp = z.looseObject({
  session_data: z.looseObject({ ephemeral: z.string(), mac: z.string(), ciphertext: z.string() }),
});
const BackupContent = z.object({
  rooms: z.record(z.string(), z.looseObject({ sessions: z.record(z.string(), z.unknown()) })),
  next: z.string().optional(),
});

/** `undefined` when there is none. @throws what the port throws */
async function found<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (failureOf(error) === 'not_found') return undefined;
    throw error;
  }
}

/** A new identity, published. @param password of the person, when one that stands is replaced */
export async function makeIdentity(ground: Ground, password?: string): Promise<void> {
  const { machine, place } = ground;
  const own = await ownIdentity(ground);
  const anew = password !== undefined || !own.privateKeys;
  // A reading of keys in between would find the old identity, and the library would throw the new one away.
  await machine.together(async (answer) => {
    const requests: CrossSigningBootstrapRequests = await machine.call((olm) =>
      olm.bootstrapCrossSigning(anew),
    );
    const keys = requests.uploadKeysRequest as Request | undefined;
    if (keys) await answer(keys);
    const body = JSON.parse(requests.uploadSigningKeysRequest.body) as Record<string, unknown>;
    await place.rest.call('uploadSigningKeys', {
      body: { ...body, ...(password !== undefined && { reset: { password } }) },
    });
    await answer(requests.uploadSignaturesRequest);
  });
  await machine.query([machine.me]);
}

/**
 * What a person needs that has none yet: an identity, a backup, a key for the archive. Each step that was done is left as it
 * is, so a first try that was cut short is taken up where it ended.
 */
export async function ensureIdentity(ground: Ground): Promise<void> {
  const { machine, place } = ground;
  if (!(await machine.isPublished(machine.me))) await makeIdentity(ground);
  let own = await ownIdentity(ground);
  if (own.privateKeys && !own.signed) {
    await signOwnDevice(ground);
    own = await ownIdentity(ground);
  }
  if (!own.privateKeys || !own.signed) return;
  if (!(await archiveKeyOf(ground)) && (await found(place.rest.call('getSecrets'))) === undefined) {
    await makeArchiveKey(ground);
    await ground.write(async (draft) => draft.put('meta', 'recovery_confirmed', false));
  }
  if ((await found(place.rest.call('getBackup'))) === undefined) await makeBackup(ground);
}

async function signOwnDevice(ground: Ground): Promise<void> {
  const { machine } = ground;
  const request = await machine.call(async (olm) => {
    const device = await olm.getDevice(olm.userId, olm.deviceId);
    if (!device) throw new TalkError('not_ready', 'This device is not known to the server');
    return device.verify();
  });
  await machine.send(request);
  await machine.query([machine.me]);
}

/** Whether nothing is sealed for this person yet. */
export async function hasNoSecrets(ground: Ground): Promise<boolean> {
  return (await found(ground.place.rest.call('getSecrets'))) === undefined;
}

/** A new backup of room keys, signed by this device and the identity. */
export async function makeBackup(ground: Ground): Promise<void> {
  const { machine, place } = ground;
  const key = BackupDecryptionKey.createRandomKey();
  const { publicKeyBase64: publicKey } = key.megolmV1PublicKey;
  const data = { public_key: publicKey };
  const signatures: unknown = JSON.parse(
    (await machine.call((olm) => olm.sign(canonicalJson(data)))).asJSON(),
  );
  const answer = await place.rest.call('createBackup', {
    body: { algorithm: backupAlgorithm, auth_data: { ...data, signatures } },
  });
  const { version } = Version.parse(answer);
  await machine.call((olm) => olm.disableBackup());
  await useBackup(ground, key, version);
}

async function useBackup(ground: Ground, key: BackupDecryptionKey, version: string): Promise<void> {
  const { publicKeyBase64: publicKey } = key.megolmV1PublicKey;
  await ground.machine.call(async (olm) => {
    await olm.saveBackupDecryptionKey(key, version);
    await olm.enableBackupV1(publicKey, version);
  });
}

/** Room keys that are in no backup yet go into it. */
export async function backUp(ground: Ground): Promise<void> {
  const { machine } = ground;
  for (let round = 0; round < backupRoundsMax; round += 1) {
    if (!(await machine.call((olm) => olm.isBackupEnabled()))) return;
    const request = await machine.call((olm) => olm.backupRoomKeys());
    if (!request) return;
    try {
      await machine.send(request);
    } catch (error) {
      const failure = failureOf(error);
      if (failure !== 'conflict' && failure !== 'not_found') throw error;
      // Another device began a new one. This one takes part again when it has its key.
      await machine.call((olm) => olm.disableBackup());
      return;
    }
  }
}

export async function makeArchiveKey(ground: Ground): Promise<void> {
  const key = toBase64(ground.place.randomBytes(archiveKeyBytes));
  await ground.write(async (draft) => draft.put('meta', 'archive_key', key));
}

/** Seals what a new device needs under a new secret, which replaces the one before. Answers the secret. */
export async function putNewSecret(ground: Ground): Promise<string> {
  const { machine, place } = ground;
  const archiveKey = await ground.store.get<string>('meta', 'archive_key');
  if (archiveKey === undefined) throw new TalkError('not_ready', 'The archive key is not here yet');
  const secret = makeSecret((count) => place.randomBytes(count));
  const bundle = await machine.call(async (olm) => (await olm.exportSecretsBundle()).to_json());
  const box = await sealSecrets(secret, ground.userId, { secrets: bundle, archive_key: archiveKey });
  for (let tried = 0; ; tried += 1) {
    const standing = await found(place.rest.call('getSecrets'));
    const version = standing === undefined ? 0 : Box.loose().parse(standing).version;
    try {
      await place.rest.call('putSecrets', { body: { box, version } });
      await ground.write(async (draft) => draft.put('meta', 'recovery_confirmed', false));
      return secret;
    } catch (error) {
      if (failureOf(error) !== 'conflict' || tried >= conflictsMax) throw error;
    }
  }
}

/** Opens the sealed box and takes what is in it. @throws TalkError `wrong_secret` */
export async function takeSecrets(ground: Ground, secret: string): Promise<void> {
  const { machine, place } = ground;
  const standing = await found(place.rest.call('getSecrets'));
  if (standing === undefined)
    throw new TalkError('wrong_secret', 'There is nothing that a secret could open');
  const opened = await openSecrets(secret, ground.userId, Box.loose().parse(standing).box);
  await machine.query([machine.me]);
  await refuseOtherIdentity(ground, opened.secrets);
  await machine.call((olm) => olm.importSecretsBundle(LibraryBundle.from_json(opened.secrets)));
  await signOwnDevice(ground);
  await ground.write(async (draft) => {
    draft.put('meta', 'archive_key', opened.archive_key);
    draft.put('meta', 'recovery_confirmed', true);
  });
}

/**
 * The library takes secrets under whatever identity the server shows, and then calls that one verified. So it is compared first with what is
 * sealed: under one that the server made up, everything I write would go to its devices too.
 * @throws TalkError `keys_changed`
 */
async function refuseOtherIdentity(ground: Ground, secrets: unknown): Promise<void> {
  const read = Sealed.safeParse(secrets);
  const sealed = read.success ? await publicKeyOf(read.data.cross_signing.master_key) : undefined;
  if (sealed === undefined || sealed !== (await identityKeyOf(ground, ground.machine.me)))
    throw new TalkError('keys_changed', 'The server shows other keys than those that are sealed');
}

/** The key of the backup, from the secrets or from another device of mine; and what the backup has of these rooms. */
export async function restoreBackup(ground: Ground, roomIds: readonly string[]): Promise<void> {
  const { machine, place } = ground;
  const standing = await found(place.rest.call('getBackup'));
  if (standing === undefined) return;
  const { version, auth_data: data } = Backup.parse(standing);
  const key = await backupKey(ground);
  // A backup under another key is one of somebody else: nothing is taken from it and nothing put into it.
  if (key?.megolmV1PublicKey.publicKeyBase64 !== data.public_key) return;
  const due = await ground.store.get<DueBackup>('meta', 'backup_due');
  const isRead = due?.version !== version;
  if (isRead && (await machine.call((olm) => olm.isBackupEnabled()))) return;
  // What is still to be read is written down first: new keys go into the backup from now on, however long the reading takes.
  if (isRead) await ground.write(async (draft) => draft.put('meta', 'backup_due', { version, after: null }));
  await useBackup(ground, key, version);
  const reading = { ground, key, version };
  await readPages(reading, {}, isRead ? null : due.after).catch(async (error: unknown) => {
    if (failureOf(error) !== 'refused') throw error;
    // The whole is too much for this server: what is in it of my rooms, then, and of each as far as it comes.
    for (const roomId of roomIds) await readRoom(reading, ground.roomName(roomId));
  });
  await ground.write(async (draft) => draft.remove('meta', 'backup_due'));
}

/** Of a backup that is not read to its end: where the next page begins. */
type DueBackup = { version: string; after: string | null };
type Reading = { ground: Ground; key: BackupDecryptionKey; version: string };

async function readRoom(reading: Reading, room: string): Promise<void> {
  await readPages(reading, { room_id: room }, null).catch((error: unknown) => {
    if (failureOf(error) !== 'refused') throw error;
    reading.ground.place.log('warn', 'talk_backup_room_refused', { room, error: wordsOf(error) });
  });
}

/** @throws what the port throws; pages of the whole that were read are not read again */
async function readPages(reading: Reading, query: { room_id?: string }, from: string | null): Promise<void> {
  const { ground, key, version } = reading;
  let after = from;
  for (let page = 0; page < backupPagesMax; page += 1) {
    const answer = await ground.place.rest.call('getBackupKeys', {
      params: { version },
      query: { ...query, ...(after !== null && { after }) },
    });
    const { rooms, next } = BackupContent.parse(answer);
    for (const [room, { sessions }] of Object.entries(rooms)) {
      const opened = openSessions(key, sessions);
      if (opened.size === 0) continue;
      const keys = new Map([[new RoomId(room), opened]]);
      await ground.machine.call((olm) => olm.importBackedUpRoomKeys(keys, () => undefined, version));
    }
    if (next === undefined || next === after) return;
    after = next;
    const due: DueBackup = { version, after };
    if (query.room_id === undefined)
      await ground.write(async (draft) => draft.put('meta', 'backup_due', due));
  }
}

function openSessions(key: BackupDecryptionKey, sessions: Record<string, unknown>): Map<string, unknown> {
  const opened = new Map<string, unknown>();
  for (const [id, session] of Object.entries(sessions)) {
    const read = BackedUp.safeParse(session);
    if (!read.success) continue;
    const { ephemeral, mac, ciphertext } = read.data.session_data;
    const text = tryDecrypt(key, ephemeral, mac, ciphertext);
    if (text !== undefined) opened.set(id, JSON.parse(text));
  }
  return opened;
}

function tryDecrypt(
  key: BackupDecryptionKey,
  ephemeral: string,
  mac: string,
  ciphertext: string,
): string | undefined {
  try {
    return key.decryptV1(ephemeral, mac, ciphertext);
  } catch (_notOurs) {
    // One session that the server changed is lost; the others are not.
    return undefined;
  }
}

async function backupKey(ground: Ground): Promise<BackupDecryptionKey | undefined> {
  return ground.machine.call(async (olm) => {
    const kept = (await olm.getBackupKeys()).decryptionKey;
    if (kept) return kept;
    for (const text of await olm.getSecretsFromInbox('m.megolm_backup.v1'))
      try {
        return BackupDecryptionKey.fromBase64(text);
      } catch (error) {
        ground.place.log('warn', 'talk_backup_key_bad', { error: wordsOf(error) });
      }
    return undefined;
  });
}

/** 32 bytes, or nothing: of a device that has none yet. */
export async function archiveKeyOf(ground: Ground): Promise<Uint8Array | undefined> {
  const text = await ground.store.get<string>('meta', 'archive_key');
  const key = text === undefined ? undefined : fromBase64(text);
  return key?.length === archiveKeyBytes ? key : undefined;
}

/** The identity is the one this device verified, by its own doing. */
export async function isOwnIdentityVerified(ground: Ground): Promise<boolean> {
  return ground.machine.call(
    async (olm) => (await olm.getIdentity(new UserId(ground.machine.me)))?.isVerified() ?? false,
  );
}
