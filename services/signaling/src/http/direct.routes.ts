/** Messages to single devices, and to all devices of a person at once. */
import { readTalkUserId, talkLimits, talkUserId, type ToDeviceEvent } from '@siphera/contract';
import { AppError, toRfc3339, type Caller } from '@siphera/runtime';
import { z } from 'zod';
import { mayTalk, type DeviceKey } from '../domain/device.ts';
import { compareDirect } from '../domain/direct-set.ts';
import type { TalkHandlers } from '../ground.ts';
import type { DeviceRoutes } from './devices.routes.ts';

type Routes = 'sendToDevice' | 'sendDirect';
type Messages = Parameters<TalkHandlers['sendDirect']>[0]['body']['messages'];
type Target = DeviceKey & { talkId: string; content: ToDeviceEvent['content'] };

const Names = z.array(z.object({ user_id: z.string(), device_id: z.string() }));
/** Of a row of a queue, or of a name in an answer that is kept, besides what was sent. */
const rowBytes = 200;

const TakenToDevice = z.object({ unknown: Names, full: Names.optional() });
const TakenDirect = z.object({ at: z.string(), full: Names.optional() });

export function directHandlers(routes: DeviceRoutes): Pick<TalkHandlers, Routes> {
  const { ground, hub, limits } = routes;
  return {
    sendToDevice: async ({ caller, params, body }) => {
      const sender = hub.attached(caller);
      const targets = targetsOf(withAllNamed(routes, body.messages, sender), caller);
      if (!isOfConfirming(params.type, targets, caller)) hub.confirmed(caller);
      limits.take('toDevice', caller);
      const { answer, sent } = sendToDevice(routes, caller, sender, { ...params, targets });
      hub.flush(sent);
      return answer;
    },
    sendDirect: async ({ caller, body }) => {
      const sender = hub.confirmed(caller);
      limits.take('direct', caller);
      const targets = targetsOf(body.messages, caller);
      const to = recipient(routes, caller, body.to);
      const { answer, sent } = sendDirect(routes, caller, sender, { id: body.message_id, to, targets });
      hub.flush(sent);
      if (sent.length > 0 && body.wake !== 'none')
        ground.signals.emit({ kind: 'wake', userId: to, what: body.wake });
      return answer;
    },
  };
}

/**
 * By what a device comes to be confirmed: comparing keys with another device of the same person, and asking it for secrets, which it
 * gives to no device but a confirmed one. What the library asks for of room keys at the same time is heard by none.
 */
const confirmingTypes = /^m\.(key\.verification\.[a-z_.]+|secret\.request|room_key_request)$/;
const isOfConfirming = (type: string, targets: readonly Target[], { claims }: Caller): boolean =>
  confirmingTypes.test(type) && targets.every(({ userId }) => userId === claims.sub);

/** `*` stands for every device of that person but the sending one; a device that is named by itself gets its own. */
function withAllNamed({ hub }: DeviceRoutes, messages: Messages, sender: DeviceKey): Messages {
  const named: Messages = {};
  for (const [talkId, { '*': forAll, ...byDevice }] of Object.entries(messages)) {
    const others = forAll === undefined ? [] : hub.devicesOf(readTalkUserId(talkId).userId);
    const all = others
      .filter(({ deviceId }) => deviceId !== sender.deviceId)
      .map(({ deviceId }): [string, typeof forAll] => [deviceId, forAll]);
    named[talkId] = { ...(Object.fromEntries(all) as typeof byDevice), ...byDevice };
  }
  return named;
}

/** @throws AppError `validation_failed` for too many, `not_found` for people of another organisation. */
function targetsOf(messages: Messages, { claims }: Caller): Target[] {
  const targets = Object.entries(messages).flatMap(([talkId, byDevice]) => {
    const { userId, orgId } = readTalkUserId(talkId);
    if (orgId !== claims.org) throw new AppError('not_found', 'There is nobody of that name here.');
    return Object.entries(byDevice).map(([deviceId, content]) => ({ talkId, userId, deviceId, content }));
  });
  if (targets.length > talkLimits.toDeviceTargetsMax)
    throw new AppError(
      'validation_failed',
      `Send to at most ${talkLimits.toDeviceTargetsMax} devices at once.`,
    );
  return targets;
}

/** @throws AppError `disk_full`, `rate_limited` */
function requireRoomFor({ ground, limits }: DeviceRoutes, caller: Caller, targets: readonly Target[]): void {
  ground.space.require();
  const bytes = targets.reduce((sum, { content }) => sum + rowBytes + JSON.stringify(content).length, 0);
  limits.take('bytes', caller, bytes);
}

/** Somebody who works here and may talk; core's last word on it when core is away. */
function recipient({ ground: { people } }: DeviceRoutes, { claims }: Caller, talkId: string): string {
  const { userId, orgId } = readTalkUserId(talkId);
  const person = people.get(userId);
  if (orgId !== claims.org || person?.org_id !== claims.org || !person.active || !mayTalk(person.grants))
    throw new AppError('not_found', 'There is nobody of that name who can be written to.');
  return userId;
}

const eventOf = (
  caller: Caller,
  sender: DeviceKey,
  event: Pick<ToDeviceEvent, 'type' | 'content' | 'message_id'>,
): ToDeviceEvent => ({
  ...event,
  sender: talkUserId(caller.claims.sub, caller.claims.org),
  sender_device: sender.deviceId,
});

const namesOf = (devices: readonly Target[]) =>
  devices.map(({ talkId, deviceId }) => ({ user_id: talkId, device_id: deviceId }));

/** Those that were left out; nothing when none was. */
function fullOf(wanted: readonly Target[], sent: readonly Target[]): { full?: ReturnType<typeof namesOf> } {
  const full = wanted.filter((target) => !sent.includes(target));
  return full.length > 0 ? { full: namesOf(full) } : {};
}

/** In one transaction; once for each type and `txn` of a device within a day. Devices that are full are left out and named. */
function sendToDevice(
  routes: DeviceRoutes,
  caller: Caller,
  sender: DeviceKey,
  { type, txn, targets }: { type: string; txn: string; targets: readonly Target[] },
) {
  const { ground, hub } = routes;
  const callId = `to_device:${type}:${txn}`;
  const send = ground.db.transaction(() => {
    const before = ground.taken.answerTo(sender.deviceId, callId);
    if (before !== undefined) return { answer: TakenToDevice.parse(before), sent: [] };
    requireRoomFor(routes, caller, targets);
    const known = targets.filter((target) => hub.deviceKey(target) !== undefined);
    const sent = known.filter((target) =>
      hub.enqueue(target, {
        kind: 'to_device',
        event: eventOf(caller, sender, { type, content: target.content }),
      }),
    );
    const unknown = namesOf(targets.filter((target) => !known.includes(target)));
    const answer = { unknown, ...fullOf(known, sent) };
    ground.taken.put(sender.deviceId, callId, answer, ground.clock.now());
    return { answer, sent };
  });
  return send.immediate();
}

/**
 * In one transaction: to exactly the devices that there are, or to none. Once for each id of a device. A device that is full is left out
 * and named, so that one phone in a drawer keeps nothing from the others; it is refused when nobody whom it is for could have it.
 */
function sendDirect(
  routes: DeviceRoutes,
  caller: Caller,
  sender: DeviceKey,
  { id, to, targets }: { id: string; to: string; targets: readonly Target[] },
) {
  const { ground, hub } = routes;
  const callId = `direct:${id}`;
  const send = ground.db.transaction(() => {
    const before = ground.taken.answerTo(sender.deviceId, callId);
    if (before !== undefined) return { answer: TakenDirect.parse(before), sent: [] };
    requireRoomFor(routes, caller, targets);
    const theirs = to === sender.userId ? [] : hub.devicesOf(to);
    if (to !== sender.userId && theirs.length === 0)
      throw new AppError('unprocessable', 'He has no device yet that could read it.');
    const siblings = hub.devicesOf(sender.userId).filter(({ deviceId }) => deviceId !== sender.deviceId);
    const differs = compareDirect([...theirs, ...siblings], targets, (userId) =>
      talkUserId(userId, caller.claims.org),
    );
    if (differs.missing.length > 0 || differs.gone.length > 0)
      throw new AppError('conflict', 'The devices have changed in the meantime.', {
        hint: 'Encrypt it for those that are missing, leave out those that are gone, and send it again.',
        extra: differs,
      });
    const sent = targets.filter((target) =>
      hub.enqueue(target, {
        kind: 'to_device',
        event: eventOf(caller, sender, {
          type: 'm.room.encrypted',
          content: target.content,
          message_id: id,
        }),
      }),
    );
    if (theirs.length > 0 && !sent.some(({ userId }) => userId === to))
      throw new AppError('overloaded', 'Too much waits already for each device that could read it.', {
        hint: 'Its owner has to open one or to remove it.',
        extra: fullOf(targets, sent),
      });
    const answer = { at: toRfc3339(ground.clock.now()), ...fullOf(targets, sent) };
    ground.taken.put(sender.deviceId, callId, answer, ground.clock.now());
    return { answer, sent };
  });
  return send.immediate();
}
