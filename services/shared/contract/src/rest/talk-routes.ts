/** The routes of secure talk, answered by services/signaling, which checks tokens alone. */
import { z } from 'zod';
import { ById, Name, Timestamp, Uuid } from '../primitives.ts';
import { defineRoutes } from './route.ts';
import {
  Ciphertext,
  CrossSigningKey,
  DeviceKeys,
  MembershipStatement,
  OneTimeKeys,
  Presence,
  PushPreferences,
  PushSubscription,
  talkLimits,
  TalkDevice,
  TalkDeviceId,
  TalkOpened,
  TalkPerson,
  TalkRoom,
  TalkRoomEvent,
  TalkUserId,
  TurnCredentials,
} from './talk.ts';

const talk = { service: 'signaling', tag: 'talk', access: 'talk.use' } as const;
const push = { ...talk, tag: 'push' } as const;
const presence = { ...talk, tag: 'presence' } as const;
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
const Box = z.string().max(1_000_000).meta({ description: 'Base64 of ciphertext' });

export const talkRoutes = defineRoutes({
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

  // ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
  uploadTalkFile: {
    ...confirmed,
    method: 'post',
    path: '/talk/files',
    summary: 'Store an encrypted file for a room or for people. The query says for whom',
    query: z.object({
      room_id: Uuid.optional(),
      user_ids: z.string().max(8_000).optional().meta({ description: 'Comma-separated, besides me' }),
    }),
    upload: { mediaTypes: ['application/octet-stream'], bytesMax: talkLimits.fileBytesMax },
    response: z.object({ id: Uuid, bytes: z.int(), expires_at: Timestamp }),
    status: 201,
  },
  getTalkFile: {
    ...talk,
    method: 'get',
    path: '/talk/files/{id}',
    summary: 'Fetch an encrypted file that was meant for me',
    params: ById,
    download: 'application/octet-stream',
  },
  getTalkQuota: {
    ...talk,
    method: 'get',
    path: '/talk/quota',
    summary: 'What of my space is used',
    response: z.object({ files_bytes: z.int(), files_bytes_max: z.int(), keep_days: z.int() }),
  },

  // ── backup: Megolm keys (Matrix §11.12.3.2), 1:1 archive, secrets ───────────────────────────────────────────────────────
  getSecrets: {
    ...talk,
    method: 'get',
    path: '/talk/secrets',
    summary: 'My secrets, sealed with the recovery secret; `not_found` before the first device has put them',
    response: z.object({ box: Box, version: z.int(), updated_at: Timestamp }),
  },
  putSecrets: {
    ...confirmed,
    method: 'put',
    path: '/talk/secrets',
    summary: 'Replace them; `conflict` unless `version` is the one that stands (0: none)',
    body: z.object({ box: Box, version: z.int() }),
    response: z.object({ version: z.int() }),
  },
  getBackup: {
    ...talk,
    method: 'get',
    path: '/talk/backup',
    summary: 'The present backup of room keys; `not_found` when there is none',
    response: z.object({
      version: z.string(),
      algorithm: z.string(),
      auth_data: z.looseObject({}),
      count: z.int(),
      etag: z.string(),
    }),
  },
  createBackup: {
    ...confirmed,
    method: 'post',
    path: '/talk/backup',
    summary: 'Begin a backup of room keys; one before it ends',
    body: z.object({ algorithm: z.string().max(80), auth_data: z.looseObject({}) }),
    response: z.object({ version: z.string() }),
    status: 201,
  },
  putBackupKeys: {
    ...confirmed,
    method: 'put',
    path: '/talk/backup/{version}/keys',
    summary: 'Add room keys (Matrix `PUT /room_keys/keys`)',
    params: z.object({ version: z.string().max(20) }),
    body: z.looseObject({
      rooms: z.record(
        z.string().max(120),
        z.looseObject({ sessions: z.record(z.string().max(120), z.looseObject({})) }),
      ),
    }),
    bodyBytesMax: bigBody,
    response: z.object({ etag: z.string(), count: z.int() }),
  },
  getBackupKeys: {
    ...talk,
    method: 'get',
    path: '/talk/backup/{version}/keys',
    summary: 'Room keys of the backup, of all rooms or of one, page by page',
    params: z.object({ version: z.string().max(20) }),
    query: z.object({
      room_id: z.string().max(120).optional(),
      after: z.string().max(2_000).optional().meta({ description: '`next` of the page before' }),
    }),
    response: z.object({
      rooms: z.record(z.string(), z.looseObject({ sessions: z.record(z.string(), z.looseObject({})) })),
      next: z
        .string()
        .optional()
        .meta({ description: 'There is more: to be sent as `after`. A room may go on in the next page' }),
    }),
  },
  putArchive: {
    ...confirmed,
    method: 'post',
    path: '/talk/archive',
    summary: 'Keep encrypted copies of my 1:1 history; an id that is there is replaced',
    body: z.object({
      items: z
        .array(z.object({ id: Uuid, box: z.string().max(96_000) }))
        .min(1)
        .max(100),
    }),
    bodyBytesMax: 10 * 1024 * 1024,
    response: z.object({ upto: z.int() }),
  },
  getArchive: {
    ...talk,
    method: 'get',
    path: '/talk/archive',
    summary: 'My archive in the order in which it was written',
    query: z.object({
      after: z.coerce.number().int().default(0),
      limit: z.coerce.number().int().min(1).max(500).default(200),
    }),
    response: z.object({
      items: z.array(z.object({ id: Uuid, seq: z.int(), box: z.string() })),
      more: z.boolean(),
    }),
  },

  // ── people, presence, calls ───────────────────────────────────────────────────────────────────────────────────────────
  listPeople: {
    ...presence,
    method: 'get',
    path: '/talk/people',
    summary: 'Who works here: roles, sites, on duty, reachable',
    response: z.object({ items: z.array(TalkPerson) }),
  },
  setPresence: {
    ...presence,
    method: 'put',
    path: '/talk/presence',
    summary: 'On or off duty, do not disturb until',
    body: z.object({ on_duty: z.boolean().optional(), dnd_until: Timestamp.nullable().optional() }),
    response: Presence,
  },
  getTurn: {
    ...talk,
    method: 'get',
    path: '/talk/turn',
    summary: 'Short-lived credentials for the relay (TURN REST API); they name the session and end with it',
    response: TurnCredentials,
  },

  // ── push ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
  getPushKey: {
    ...push,
    method: 'get',
    path: '/talk/push/key',
    summary: 'Public key of this box for `pushManager.subscribe` (VAPID, RFC 8292)',
    response: z.object({ public_key: z.string(), enabled: z.boolean() }),
  },
  listPushSubscriptions: {
    ...push,
    method: 'get',
    path: '/talk/push/subscriptions',
    summary:
      'My phones and browsers, or those of all on my sites (`everyone`): which ring, by their last test',
    query: z.object({ everyone: z.enum(['yes', 'no']).default('no') }),
    response: z.object({ items: z.array(PushSubscription) }),
  },
  putPushSubscription: {
    ...push,
    method: 'put',
    path: '/talk/push/subscriptions',
    summary: 'Let this browser be rung up. The same endpoint again replaces its keys',
    body: z.object({
      endpoint: z.url().max(1_000),
      keys: z.object({ p256dh: z.string().max(120), auth: z.string().max(60) }),
      name: Name,
      talk_device_id: TalkDeviceId.nullable().default(null),
      preferences: PushPreferences.optional(),
    }),
    response: PushSubscription,
  },
  patchPushSubscription: {
    ...push,
    method: 'patch',
    path: '/talk/push/subscriptions/{id}',
    summary: 'Change what it is rung up for',
    params: ById,
    body: z.object({ name: Name.optional(), preferences: PushPreferences.optional() }),
    response: PushSubscription,
  },
  deletePushSubscription: {
    ...push,
    method: 'delete',
    path: '/talk/push/subscriptions/{id}',
    summary: 'Ring it up no more',
    params: ById,
    status: 204,
  },
  testPushSubscription: {
    ...push,
    method: 'post',
    path: '/talk/push/subscriptions/{id}/test',
    summary: 'Ring it up now; the phone asks what was heard. Not shown within 30 s is `unreachable`',
    params: ById,
    response: PushSubscription,
    status: 202,
  },
  receiptPush: {
    ...push,
    access: 'public',
    method: 'post',
    path: '/talk/push/receipts',
    summary:
      'From the service worker: it was shown, heard, opened. The receipt out of the push is the right to say so',
    body: z.object({
      receipt: z.string().max(200),
      state: z.enum(['shown', 'rings', 'banner', 'only_with_screen', 'opened', 'failed']),
    }),
    status: 204,
  },
});
export type TalkRouteName = keyof typeof talkRoutes;
