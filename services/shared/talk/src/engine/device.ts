/** Opening the device of this browser: its share, its store, its keys. */
import type { OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import { initAsync } from '@matrix-org/matrix-sdk-crypto-wasm';
import { talkUserId, TalkOpened } from '@siphera/contract';
import type { z } from 'zod';
import type { TalkChange } from '../api.ts';
import type { DeviceKeep, TalkPlace } from '../ports.ts';
import { fromBase64, sealedStorage, storeKey, storePassphrase } from '../side/index.ts';
import { failureOf } from './failures.ts';
import { Ground } from './ground.ts';
import { Machine, openOlm } from './machine.ts';
import { Store } from './store.ts';

const shareBytes = 32;
export type Opened = z.infer<typeof TalkOpened>;
export type Kept = NonNullable<Awaited<ReturnType<DeviceKeep['find']>>>;
/** Makes or opens the library's machine. Tests in Node keep it, because the library has only memory there. */
export type OpenMachine = (
  user: string,
  deviceId: string,
  store?: { name: string; passphrase: string },
) => Promise<OlmMachine>;

type OpenedDevice =
  | { is: 'open'; ground: Ground; kept: Kept; opened: Opened | undefined }
  /** The server knows it no more. */
  | { is: 'gone' };

/** A new device: the server names it and keeps one half of its key, this browser makes and keeps the other. */
export async function makeDevice(
  place: TalkPlace,
  options: { name: string; kind: 'personal' | 'shared' },
): Promise<{ kept: Kept; opened: Opened }> {
  const opened = TalkOpened.parse(await place.rest.call('createTalkDevice', { body: options }));
  const localShare = place.randomBytes(shareBytes);
  const kept: Kept = { deviceId: opened.device_id, kind: opened.kind, localShare, ...personalShare(opened) };
  await place.keep.put(place.userId, kept);
  return { kept, opened };
}

/** On a personal device the server's half is kept as well, so that it opens offline; on a shared desk never. */
function personalShare(opened: Opened): { serverShare?: Uint8Array } {
  const share = fromBase64(opened.store_share);
  return opened.kind === 'personal' && share ? { serverShare: share } : {};
}

/** Asks the server for its half; without the server a personal device opens by what it kept. @throws what the port throws */
export async function openDevice(
  place: TalkPlace,
  kept: Kept,
  emit: (change: TalkChange) => void,
  options: { opened?: Opened; openMachine?: OpenMachine } = {},
): Promise<OpenedDevice> {
  const asked = options.opened ?? (await ask(place, kept));
  if (asked === 'gone') return { is: 'gone' };
  const share = asked ? fromBase64(asked.store_share) : kept.serverShare;
  if (share?.length !== shareBytes) throw new Error('The server gave no share for this device');
  const key = await storeKey(kept.deviceId, kept.localShare, share);
  await initAsync(place.wasmUrl);
  const name = place.cryptoStoreName(kept.deviceId);
  const store = name === undefined ? undefined : { name, passphrase: await storePassphrase(key) };
  const user = talkUserId(place.userId, place.orgId);
  const storage = await sealedStorage(await place.openStorage(kept.deviceId), key);
  const olm = await (options.openMachine ?? openOlm)(user, kept.deviceId, store);
  const ground = new Ground(place, new Machine(olm, place), new Store(storage), emit);
  return { is: 'open', ground, kept, opened: asked };
}

async function ask(place: TalkPlace, kept: Kept): Promise<Opened | 'gone' | undefined> {
  try {
    const params = { id: kept.deviceId };
    const opened = TalkOpened.parse(await place.rest.call('openTalkDevice', { params }));
    if (kept.kind === 'personal' && !kept.serverShare)
      await place.keep.put(place.userId, { ...kept, ...personalShare(opened) });
    return opened;
  } catch (error) {
    const failure = failureOf(error);
    // Removed. One that the server just does not know (a box restored from an old backup) keeps what it has.
    if (failure === 'gone') return 'gone';
    if (failure === 'not_found')
      throw new Error('The box does not know this device. Nothing here was wiped', { cause: error });
    if (failure === 'later' && kept.serverShare) return undefined;
    throw error;
  }
}

/** Nothing of the device is left in this browser. */
export async function wipeDevice(place: TalkPlace, deviceId: string, ground?: Ground): Promise<void> {
  // First what opens the rest: a page that is closed in the middle leaves nothing that can be read.
  await place.keep.forget(place.userId);
  if (ground) await ground.store.wipe();
  else await (await place.openStorage(deviceId)).wipe();
  await place.deleteCryptoStore(deviceId);
}
