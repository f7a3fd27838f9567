/**
 * Messages over Olm: one ciphertext for each device of a person and of mine. What must stay true: a device that its owner has not signed,
 * and a person whose keys have changed, get nothing that can be read; every device that the server names is answered for.
 */
import { TalkError } from '../api.ts';
import type { Envelope } from '../content.ts';
import type { DeviceFacts } from './machine.ts';
import type { Ground } from './ground.ts';
import { failureOf } from './failures.ts';
import { refuseOwnChanged, trustOf } from './identity.ts';

/** Times that devices may change while one message is sent; more is a server that plays games. */
const conflictsMax = 4;
/** Stands for a ciphertext at a device that may not read: it knows that there was something. */
const withheld = 'siphera.withheld';
export const isWithheld = (content: unknown): boolean =>
  typeof content === 'object' && content !== null && 'algorithm' in content && content.algorithm === withheld;

type PerDevice = Record<string, Record<string, unknown>>;
type Target = DeviceFacts & { user: string };

/** @throws TalkError `keys_changed`: somebody has to look first, at the keys of this person or at my own */
async function refuseChanged(ground: Ground, user: string): Promise<void> {
  await refuseOwnChanged(ground);
  if ((await trustOf(ground, user)) === 'changed')
    throw new TalkError('keys_changed', 'The keys of this person have changed');
}

/** Devices of these people but this one. */
async function targetsOf(ground: Ground, users: readonly string[]): Promise<Target[]> {
  const all = await Promise.all(
    users.map(async (user) => (await ground.machine.devicesOf(user)).map((device) => ({ ...device, user }))),
  );
  const mine = ground.machine.me;
  return all.flat().filter((one) => one.user !== mine || one.deviceId !== ground.deviceId);
}

/** Ciphertexts for these devices; what cannot or may not be encrypted is marked as withheld. */
async function encryptAll(
  ground: Ground,
  targets: readonly Target[],
  envelope: Envelope,
): Promise<PerDevice> {
  const messages: PerDevice = {};
  for (const { user, deviceId, signedByOwner } of targets) {
    const cipher = signedByOwner ? await ground.machine.encryptFor(user, deviceId, envelope) : undefined;
    (messages[user] ??= {})[deviceId] = cipher ?? {
      algorithm: withheld,
      code: signedByOwner ? 'no_session' : 'unsigned',
    };
  }
  return messages;
}

/** By user, who is named in the envelope, with the sending device. */
function named(ground: Ground, targets: readonly Target[]): Record<string, string[]> {
  const to: Record<string, string[]> = { [ground.userId]: [ground.deviceId] };
  for (const { user, deviceId } of targets) (to[user.slice(1, 37)] ??= []).push(deviceId);
  return to;
}

/** Whether somebody of this person can read any of it. */
const hasReader = (messages: PerDevice, user: string): boolean =>
  Object.values(messages[user] ?? {}).some((content) => !isWithheld(content));

/**
 * One message to a person, and to my other devices. Answers when the server has it, with its time and for whom it was.
 * @throws TalkError `no_device`, `keys_changed`; and what the port throws
 */
export async function sendDirect(
  ground: Ground,
  to: string,
  envelope: Envelope,
  options: { wake: 'none' | 'message' | 'call'; siblings: boolean },
): Promise<{ at: number; devices: Record<string, string[]> }> {
  const { machine } = ground;
  const users = to === machine.me ? [to] : [to, machine.me];
  await machine.track(users);
  await machine.freshen();
  for (let tried = 0; ; tried += 1) {
    await refuseChanged(ground, to);
    let targets = await targetsOf(ground, users);
    if (!targets.some((one) => one.user === to) && tried === 0) {
      await machine.query(users);
      targets = await targetsOf(ground, users);
    }
    if (!targets.some((one) => one.user === to))
      throw new TalkError('no_device', 'This person has no device for talk yet');
    await machine.claim(users);
    // Once more: keys may have been read while the network was waited for, and with them who the targets are.
    await refuseChanged(ground, to);
    const devices = named(ground, targets);
    const readers = options.siblings
      ? targets
      : targets.map((one) => ({ ...one, signedByOwner: one.signedByOwner && one.user === to }));
    const messages = await encryptAll(ground, readers, { ...envelope, to: devices });
    if (to !== machine.me && !hasReader(messages, to)) refuseUnread(readers, to);
    try {
      const answer = await ground.place.rest.call('sendDirect', {
        body: { message_id: envelope.id, to, messages, wake: options.wake },
      });
      return { at: timeOf(answer), devices };
    } catch (error) {
      if (failureOf(error) !== 'conflict' || tried >= conflictsMax) throw error;
      await machine.query(users);
    }
  }
}

/**
 * Nobody could read it, so it is not sent: shown as sent, it would be a lie.
 * @throws TalkError `no_device` when no device is signed; Error when keys may still come
 */
function refuseUnread(readers: readonly Target[], to: string): never {
  if (readers.some((one) => one.user === to && one.signedByOwner))
    throw new Error('No device of this person can be encrypted to at the moment');
  throw new TalkError('no_device', 'This person has confirmed none of his devices yet');
}

/** The server's time of something it took. */
export function timeOf(answer: unknown): number {
  const at = typeof answer === 'object' && answer !== null && 'at' in answer ? answer.at : undefined;
  const ms = typeof at === 'string' ? Date.parse(at) : NaN;
  if (Number.isNaN(ms)) throw new Error('The server did not say when it took it');
  return ms;
}

/** Past the count of a conversation, to some devices of one person (null: all of them that may read). */
export async function sendOlm(
  ground: Ground,
  txn: string,
  to: string,
  devices: readonly string[] | null,
  envelope: Envelope,
): Promise<void> {
  const { machine } = ground;
  await machine.track([to]);
  await machine.freshen();
  await refuseChanged(ground, to);
  await machine.claim([to]);
  const targets = (await targetsOf(ground, [to])).filter(
    (one) => one.signedByOwner && (devices === null || devices.includes(one.deviceId)),
  );
  await refuseChanged(ground, to);
  const messages: PerDevice = {};
  for (const { deviceId } of targets) {
    const cipher = await machine.encryptFor(to, deviceId, envelope);
    if (cipher !== undefined) (messages[to] ??= {})[deviceId] = cipher;
  }
  if (Object.keys(messages).length === 0) return;
  await ground.place.rest.call('sendToDevice', {
    params: { type: 'm.room.encrypted', txn },
    body: { messages },
  });
}
