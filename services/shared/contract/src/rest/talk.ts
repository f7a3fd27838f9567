/**
 * What secure talk puts on the wire: devices with their public keys, queues of ciphertext, rooms with signed membership,
 * files, key backups. Bodies of keys and encrypted events have the shapes of the Matrix client-server API (v1.15, §11.12), because
 * the library that makes and reads them does; the server checks their outside and can read nothing inside.
 */
import { z } from 'zod';
import { Role } from '../permissions.ts';
import { Name, Severity, Timestamp, Uuid } from '../primitives.ts';

/** `@<user uuid>:<org uuid>`: a person as the encryption library names him. */
export const TalkUserId = z.string().regex(/^@[0-9a-f-]{36}:[0-9a-f-]{36}$/);
export const talkUserId = (userId: string, orgId: string): string => `@${userId}:${orgId}`;
/** The uuids inside. @throws Error for anything else. */
export function readTalkUserId(id: string): { userId: string; orgId: string } {
  const [userId, orgId] = TalkUserId.parse(id).slice(1).split(':') as [string, string];
  return { userId, orgId };
}
/** `!<room uuid>:<org uuid>`: a room as the encryption library names it. */
export const talkRoomId = (roomId: string, orgId: string): string => `!${roomId}:${orgId}`;
/** Made by the server: ten capital letters, as in Matrix. */
export const TalkDeviceId = z.string().regex(/^[A-Z]{10}$/);
/** Unpadded base64 of 32 bytes. */
export const Key32 = z.string().regex(/^[A-Za-z0-9+/]{43}$/);
const Base64 = z.string().regex(/^[A-Za-z0-9+/_-]*={0,2}$/);

/** Bounds that client and server share. */
export const talkLimits = {
  /** One encrypted event, all devices of a direct message apart. A message of 4,000 characters is some 8 kB. */
  eventBytesMax: 64 * 1024,
  fileBytesMax: 26_214_400,
  devicesPerUserMax: 12,
  oneTimeKeysMax: 100,
  /** Of a device's queue; a batch is acknowledged before the next is sent. */
  batchItemsMax: 100,
  roomMembersMax: 200,
  toDeviceTargetsMax: 500,
  textCharsMax: 4_000,
} as const;

const Signatures = z.record(z.string(), z.record(z.string(), z.string().max(200)));
/** Signed by itself (Matrix `DeviceKeys`). The server checks that signature, user and device, and that keys never change. */
export const DeviceKeys = z.looseObject({
  user_id: TalkUserId,
  device_id: TalkDeviceId,
  algorithms: z.array(z.string().max(80)).max(10),
  keys: z.record(z.string().max(80), Key32),
  signatures: Signatures,
});
export type DeviceKeys = z.infer<typeof DeviceKeys>;
export const CrossSigningKey = z.looseObject({
  user_id: TalkUserId,
  usage: z.array(z.enum(['master', 'self_signing', 'user_signing'])).min(1),
  keys: z.record(z.string().max(80), Key32),
  signatures: Signatures.optional(),
});
export type CrossSigningKey = z.infer<typeof CrossSigningKey>;
export const SignedOneTimeKey = z.looseObject({
  key: Key32,
  fallback: z.boolean().optional(),
  signatures: Signatures,
});
export const OneTimeKeys = z.record(z.string().regex(/^signed_curve25519:[\w+/-]{1,40}$/), SignedOneTimeKey);

/** A ciphertext with its headers (`m.room.encrypted` content and the like): read by nobody here. */
export const Ciphertext = z
  .looseObject({})
  .refine((value) => JSON.stringify(value).length <= talkLimits.eventBytesMax, {
    message: `must be at most ${talkLimits.eventBytesMax} bytes`,
  });

/** A device of a person with encryption keys of its own. It outlives sessions: one browser profile or phone, one person. */
export const TalkDevice = z.object({
  id: TalkDeviceId,
  user_id: Uuid,
  name: Name,
  kind: z
    .enum(['personal', 'shared'])
    .meta({ description: '`shared`: a desk where guards change; opened by signing in alone' }),
  created_at: Timestamp,
  last_used_at: Timestamp,
  has_keys: z.boolean(),
  current: z.boolean(),
  online: z.boolean(),
});
export type TalkDevice = z.infer<typeof TalkDevice>;

/** What opens a device's store: half of its key, and what the device has to sign to get at its queue. */
export const TalkOpened = z.object({
  device_id: TalkDeviceId,
  user_id: TalkUserId,
  kind: TalkDevice.shape.kind,
  has_keys: z.boolean(),
  store_share: Base64.meta({
    description: '32 bytes. The store key is HKDF(share of the server, share that never leaves the device)',
  }),
  challenge: z
    .string()
    .max(64)
    .meta({ description: 'To be signed with the device key: `siphera-attach:<challenge>:<session id>`' }),
});

/** A statement about who is in a room, signed by a device of a member. Clients believe these, not a list of the server. */
export const MembershipStatement = z.object({
  room_id: Uuid,
  n: z.int().nonnegative().meta({ description: 'Counts from 0 without a gap' }),
  prev: z
    .string()
    .max(64)
    .meta({ description: 'SHA-256 (hex) of the statement before, as signed; empty for the first' }),
  action: z.enum(['create', 'add', 'remove', 'join', 'leave']).meta({
    description:
      '`join`: by oneself, in rooms of incidents only; `leave` by oneself; `create`, `add` and `remove` name others',
  }),
  user_ids: z.array(Uuid).max(talkLimits.roomMembersMax),
  by_user: Uuid,
  by_device: TalkDeviceId,
  at: Timestamp,
  signature: z
    .string()
    .max(120)
    .meta({ description: 'Ed25519 by `by_device` over the canonical JSON (RFC 8785) of the rest' }),
});
export type MembershipStatement = z.infer<typeof MembershipStatement>;
export const TalkRoom = z.object({
  id: Uuid,
  org_id: Uuid,
  kind: z.enum(['group', 'incident']),
  incident_id: Uuid.nullable(),
  created_at: Timestamp,
  last_seq: z.int().meta({ description: 'Of its newest event; 0 when it has none' }),
  member_ids: z.array(Uuid).meta({ description: 'As the server delivers; clients go by the statements' }),
  statements: z.array(MembershipStatement),
  signers: z.array(DeviceKeys).optional().meta({
    description:
      'Keys of the devices, present or removed, that signed the statements, with what their owner signed of them then. More than once for a device whose signatures changed',
  }),
  reads: z
    .array(z.object({ user_id: Uuid, seq: z.int() }))
    .meta({ description: 'How far each member has read' }),
});
export type TalkRoom = z.infer<typeof TalkRoom>;
export const TalkRoomEvent = z.object({
  room_id: Uuid,
  seq: z.int().meta({ description: 'Counts up in the room' }),
  event_id: Uuid.meta({ description: 'Made by the sender; sending it twice gives the same event' }),
  sender: TalkUserId,
  sender_device: TalkDeviceId,
  at: Timestamp,
  content: Ciphertext,
});
export type TalkRoomEvent = z.infer<typeof TalkRoomEvent>;

export const ToDeviceEvent = z.object({
  type: z.string().max(120),
  sender: TalkUserId,
  sender_device: TalkDeviceId,
  content: Ciphertext,
  message_id: Uuid.optional().meta({ description: 'Of a direct message: names it in a retry receipt' }),
});
export type ToDeviceEvent = z.infer<typeof ToDeviceEvent>;

/** One entry of a device's queue, in the order in which the server took them; kept until the device says it has it. */
export const QueueItem = z.discriminatedUnion('kind', [
  z.object({ pos: z.int(), at: Timestamp, kind: z.literal('to_device'), event: ToDeviceEvent }),
  z.object({ pos: z.int(), at: Timestamp, kind: z.literal('room_event'), event: TalkRoomEvent }),
  z
    .object({ pos: z.int(), at: Timestamp, kind: z.literal('room'), room: TalkRoom })
    .meta({ description: 'Members or kind changed' }),
  z.object({
    pos: z.int(),
    at: Timestamp,
    kind: z.literal('device_new'),
    device: TalkDevice.pick({ id: true, name: true, kind: true }),
    address: z.string(),
  }),
]);
export type QueueItem = z.infer<typeof QueueItem>;

/** server → device: what waits. `end`: nothing more does. The next comes after `upto` was acknowledged. */
export const QueueBatch = z.object({
  items: z.array(QueueItem).max(talkLimits.batchItemsMax),
  upto: z.int(),
  end: z.boolean(),
  device_lists: z.object({
    changed: z
      .array(TalkUserId)
      .meta({ description: 'Whose devices or identity changed since the last acknowledged batch' }),
    upto: z
      .int()
      .meta({ description: 'Position of the device lists; sent along with messages as `devices_upto`' }),
  }),
  one_time_key_counts: z.record(z.string(), z.int()),
  unused_fallback_key_types: z.array(z.string()),
});
export type QueueBatch = z.infer<typeof QueueBatch>;

export const TalkReads = z.object({ room_id: Uuid, user_id: Uuid, seq: z.int() });
export const Presence = z.object({
  user_id: Uuid,
  online: z.boolean(),
  on_duty: z.boolean(),
  duty_since: Timestamp.nullable(),
  dnd_until: Timestamp.nullable().meta({
    description: 'Do not disturb: calls and messages are silent, alarms are not',
  }),
});
export type Presence = z.infer<typeof Presence>;
export const TalkPerson = z.object({
  id: Uuid,
  name: z.string(),
  roles: z.array(z.object({ role: Role, scope: z.string(), scope_name: z.string() })),
  site_ids: z.array(Uuid),
  has_talk: z.boolean().meta({ description: 'Has a device with keys: can be written to' }),
  presence: Presence,
});
export type TalkPerson = z.infer<typeof TalkPerson>;

/** Web Push of one browser (RFC 8030, 8291). */
export const PushPreferences = z.object({
  alarms_from: Severity.nullable().meta({ description: 'Alarms of this severity and above; null for none' }),
  messages: z.boolean(),
  calls: z.boolean(),
  quiet: z
    .object({
      from: z.string().regex(/^\d\d:\d\d$/),
      until: z.string().regex(/^\d\d:\d\d$/),
      time_zone: z.string().max(64),
      except_from: Severity.meta({ description: 'Alarms from here on come through quiet hours' }),
    })
    .nullable(),
});
export type PushPreferences = z.infer<typeof PushPreferences>;
/** What the last test showed; `rings` is what the person said, `unreachable` is what we saw. */
export const PushTested = z.object({
  state: z.enum(['untested', 'waiting', 'rings', 'banner', 'only_with_screen', 'unreachable']),
  at: Timestamp.nullable(),
  arrived_ms: z.int().nullable().meta({ description: 'From sending to the browser that showed it' }),
});
export const PushSubscription = z.object({
  id: Uuid,
  user_id: Uuid,
  talk_device_id: TalkDeviceId.nullable(),
  name: Name,
  service: z.string().meta({ description: 'Host of the push service' }),
  created_at: Timestamp,
  last_success_at: Timestamp.nullable(),
  last_error: z.string().nullable(),
  preferences: PushPreferences,
  tested: PushTested,
});
export type PushSubscription = z.infer<typeof PushSubscription>;
/** What is inside an encrypted push. Alarms say all: a phone away from the LAN cannot ask. Messages and calls say nothing. */
export const PushPayload = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('alarm'),
    receipt: z.string(),
    incident_id: Uuid,
    number: z.int(),
    title: z.string(),
    severity: Severity,
    place: z.string(),
    opened_at: Timestamp,
  }),
  z.object({ kind: z.literal('message'), receipt: z.string() }),
  z.object({ kind: z.literal('call'), receipt: z.string() }),
  z.object({ kind: z.literal('test'), receipt: z.string(), subscription_id: Uuid }),
  z.object({ kind: z.literal('cleared'), receipt: z.string(), incident_id: Uuid }),
]);
export type PushPayload = z.infer<typeof PushPayload>;

export const TurnCredentials = z.object({
  uris: z.array(z.string()).meta({ description: 'Empty when the box has no relay' }),
  username: z.string(),
  credential: z.string(),
  expires_at: Timestamp,
});
