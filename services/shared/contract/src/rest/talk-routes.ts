/** The routes of secure talk, answered by services/signaling, which checks tokens alone: devices, keys, messages, rooms. */
import { z } from 'zod';
import { ById, Name, Timestamp, Uuid } from '../primitives.ts';
import { defineRoutes } from './route.ts';
import { talkKeepRoutes } from './talk-keep-routes.ts';
import { talkPeopleRoutes } from './talk-people-routes.ts';
import {
  Ciphertext,
  CrossSigningKey,
  DeviceKeys,
  MembershipStatement,
  OneTimeKeys,
  TalkDevice,
  TalkDeviceId,
  TalkOpened,
  TalkRoom,
  TalkRoomEvent,
  TalkUserId,
} from './talk.ts';

const talk = { service: 'signaling', tag: 'talk', access: 'talk.use' } as const;
const ByDevice = z.object({ id: TalkDeviceId });
const perDevice = z.record(TalkUserId, z.record(TalkDeviceId, Ciphertext));
const OneOrAllDevices = z
  .string()
  .regex(/^(?:[A-Z]{10}|\*)$/)
  .meta({ description: '`*`: every device of that person but the one that sends' });
const fullDevices = z
  .array(z.object({ user_id: TalkUserId, device_id: z.string() }))
  .optional()
  .meta({ description: 'Devices that were left out, for too much waits for them; all others have it' });
/** Only a session that has proved to be the device (`attachTalkDevice`) may call; others get `forbidden` (`not_attached`). */
const attached = talk;
/** As `attached`; once the person has an identity the device has to be signed by it, or it is `forbidden` (`not_verified`). */
const confirmed = attached;
const bigBody = 2 * 1024 * 1024;

const talkMessageRoutes = defineRoutes({
  // ── devices ───────────────────────────────────────────────────────────────────────────────────────────────────────────
  listTalkDevices: {
    ...talk,
    method: 'get',
    path: '/talk/devices',
    summary: 'My devices with keys, or those of a user for an admin (talk.manage)',
    query: z.object({ user_id: Uuid.optional() }),
    response: z.object({ items: z.array(TalkDevice) }),
  },
  createTalkDevice: {
    ...talk,
    method: 'post',
    path: '/talk/devices',
    summary: 'Make this browser a device of mine. My other devices are told once it has keys',
    body: z.object({ name: Name, kind: TalkDevice.shape.kind }),
    response: TalkOpened,
    status: 201,
  },
  openTalkDevice: {
    ...talk,
    method: 'post',
    path: '/talk/devices/{id}/open',
    summary: 'Get the share that opens the store of a device of mine; `gone` when it was removed: wipe it',
    params: ByDevice,
    response: TalkOpened,
  },
  attachTalkDevice: {
    ...talk,
    method: 'post',
    path: '/talk/devices/{id}/attach',
    summary: 'Prove that this session is on that device, by its signature over the challenge',
    params: ByDevice,
    body: z.object({ challenge: z.string().max(64), signature: z.string().max(120) }),
    status: 204,
  },
  renameTalkDevice: {
    ...talk,
    method: 'patch',
    path: '/talk/devices/{id}',
    summary: 'Rename a device of mine',
    params: ByDevice,
    body: z.object({ name: Name }),
    response: TalkDevice,
  },
  removeTalkDevice: {
    ...talk,
    method: 'delete',
    path: '/talk/devices/{id}',
    summary:
      'Remove a device of mine (or of anybody, talk.manage): its sessions, sockets, keys and queue end within a second',
    params: ByDevice,
    status: 204,
  },

  // ── keys (Matrix C-S API §11.12.3) ─────────────────────────────────────────────────────────────────────────────────────
  uploadKeys: {
    ...talk,
    method: 'post',
    path: '/talk/keys/upload',
    summary: 'Device keys (once; before `attach`), one-time keys and a fallback key of the device',
    body: z.object({
      device_id: TalkDeviceId,
      device_keys: DeviceKeys.optional(),
      one_time_keys: OneTimeKeys.optional(),
      fallback_keys: OneTimeKeys.optional(),
    }),
    response: z.object({ one_time_key_counts: z.record(z.string(), z.int()) }),
  },
  queryKeys: {
    ...talk,
    method: 'post',
    path: '/talk/keys/query',
    summary: 'Devices and identities of people',
    body: z.object({ device_keys: z.record(TalkUserId, z.array(TalkDeviceId)), timeout: z.int().optional() }),
    bodyBytesMax: bigBody,
    response: z.object({
      device_keys: z.record(z.string(), z.record(z.string(), DeviceKeys)),
      master_keys: z.record(z.string(), CrossSigningKey),
      self_signing_keys: z.record(z.string(), CrossSigningKey),
      user_signing_keys: z.record(z.string(), CrossSigningKey),
      failures: z.record(z.string(), z.unknown()),
      upto: z.int().meta({ description: 'Position of the device lists of this reading' }),
    }),
  },
  claimKeys: {
    ...attached,
    method: 'post',
    path: '/talk/keys/claim',
    summary: 'One one-time key of each device, or its fallback key when they have run out',
    body: z.object({
      one_time_keys: z.record(TalkUserId, z.record(TalkDeviceId, z.literal('signed_curve25519'))),
      timeout: z.int().optional(),
    }),
    response: z.object({
      one_time_keys: z.record(z.string(), z.record(z.string(), OneTimeKeys)),
      failures: z.record(z.string(), z.unknown()),
    }),
  },
  uploadSigningKeys: {
    ...attached,
    method: 'post',
    path: '/talk/keys/device_signing',
    summary:
      'Publish my identity. One that stands is replaced only with the password (`reset`), and all who know me are told',
    body: z.object({
      master_key: CrossSigningKey,
      self_signing_key: CrossSigningKey,
      user_signing_key: CrossSigningKey,
      reset: z.object({ password: z.string().max(256) }).optional(),
    }),
    status: 204,
  },
  uploadSignatures: {
    ...attached,
    method: 'post',
    path: '/talk/keys/signatures',
    summary: 'Signatures over my devices, or over identities of others that I verified (seen by me alone)',
    body: z.record(
      TalkUserId,
      z.record(
        z.string().max(80),
        z.looseObject({ signatures: z.record(z.string(), z.record(z.string(), z.string())) }),
      ),
    ),
    response: z.object({ failures: z.record(z.string(), z.unknown()) }),
  },

  // ── messages ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  sendToDevice: {
    ...attached,
    method: 'put',
    path: '/talk/to-device/{type}/{txn}',
    summary:
      'To single devices: keys of rooms, verification, receipts, retries (not confirmed: to my own alone, to become so). Twice with one `txn` is once',
    params: z.object({
      type: z.string().regex(/^[a-z][a-z0-9_.]{0,79}$/),
      txn: z.string().regex(/^[\w.:-]{1,128}$/),
    }),
    body: z.object({ messages: z.record(TalkUserId, z.record(OneOrAllDevices, Ciphertext)) }),
    bodyBytesMax: bigBody,
    response: z.object({
      unknown: z.array(z.object({ user_id: TalkUserId, device_id: z.string() })),
      full: fullDevices,
    }),
  },
  sendDirect: {
    ...confirmed,
    method: 'post',
    path: '/talk/direct',
    summary:
      'A message to a person: one ciphertext for each device of his, and of mine but this one. `conflict` names devices that are missing or gone; the same id again changes nothing',
    body: z.object({
      message_id: Uuid,
      to: TalkUserId,
      messages: perDevice,
      wake: z
        .enum(['none', 'message', 'call'])
        .default('none')
        .meta({ description: 'Push to his devices that are not there' }),
    }),
    bodyBytesMax: bigBody,
    response: z.object({ at: Timestamp, full: fullDevices }),
  },
  listRooms: {
    ...talk,
    method: 'get',
    path: '/talk/rooms',
    summary: 'Rooms that I am in',
    response: z.object({ items: z.array(TalkRoom) }),
  },
  createRoom: {
    ...confirmed,
    method: 'post',
    path: '/talk/rooms',
    summary: 'Make a group; its first statement (`create`) names the members',
    body: z.object({ id: Uuid, statement: MembershipStatement }),
    response: TalkRoom,
    status: 201,
  },
  getRoom: {
    ...talk,
    method: 'get',
    path: '/talk/rooms/{id}',
    summary: 'A room that I am in, or one of an incident that I may see',
    params: ById,
    response: TalkRoom,
  },
  getIncidentRoom: {
    ...talk,
    method: 'get',
    path: '/talk/incidents/{id}/room',
    summary: 'The room of an incident that I may see; there is always one',
    params: ById,
    response: TalkRoom,
  },
  addStatement: {
    ...confirmed,
    method: 'post',
    path: '/talk/rooms/{id}/statements',
    summary: 'Add, remove, join or leave. `conflict` when somebody was first: read the room and sign anew',
    params: ById,
    body: MembershipStatement,
    response: TalkRoom,
  },
  sendRoomEvent: {
    ...confirmed,
    method: 'post',
    path: '/talk/rooms/{id}/events',
    summary:
      'Send to a room. `conflict` when devices of members or the members changed after `devices_upto` and `statements`: share the key anew',
    params: ById,
    body: z.object({
      event_id: Uuid,
      content: Ciphertext,
      devices_upto: z.int(),
      statements: z.int().meta({ description: 'How many statements the sender knows' }),
      wake: z.enum(['none', 'message']).default('message'),
    }),
    response: TalkRoomEvent.omit({ content: true }),
  },
  listRoomEvents: {
    ...talk,
    method: 'get',
    path: '/talk/rooms/{id}/events',
    summary: 'Ciphertext of a room that I am in, newest first, back to its opening',
    params: ById,
    query: z.object({
      before: z.coerce.number().int().optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    response: z.object({ items: z.array(TalkRoomEvent), more: z.boolean() }),
  },
  readRoom: {
    ...confirmed,
    method: 'post',
    path: '/talk/rooms/{id}/read',
    summary: 'I have read up to here',
    params: ById,
    body: z.object({ seq: z.int().nonnegative() }),
    status: 204,
  },
});

/** All of them, as signaling serves them. */
export const talkRoutes = { ...talkMessageRoutes, ...talkKeepRoutes, ...talkPeopleRoutes };
export type TalkRouteName = keyof typeof talkRoutes;
