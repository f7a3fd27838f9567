/**
 * What is inside the encryption: the plaintext that devices write for one another. The server never sees any of it. What
 * must stay true: whatever arrives is checked by these schemas before anything of it is shown, and an unknown kind is kept
 * as "from a newer version", never dropped.
 */
import { z } from 'zod';

const Id = z.uuid();
const Text = z.string().max(4_000);

/** As the library makes it (Matrix `EncryptedFile`, v2): AES-CTR key, iv and SHA-256 of the ciphertext. */
export const EncryptedFile = z.looseObject({
  v: z.literal('v2'),
  key: z.looseObject({ k: z.string().max(60) }),
  iv: z.string().max(40),
  hashes: z.object({ sha256: z.string().max(60) }),
});
const FileRef = z.object({ id: Id, bytes: z.int().nonnegative(), encrypted: EncryptedFile });

export const TalkLink = z.object({
  kind: z.enum(['incident', 'camera']),
  id: Id,
  label: z.string().max(200),
});
export const TextContent = z.object({
  t: z.literal('text'),
  body: Text,
  reply_to: Id.optional(),
  mentions: z.array(Id).max(50).optional(),
  links: z.array(TalkLink).max(10).optional(),
  must_ack: z.boolean().optional(),
});
export const FileContent = z.object({
  t: z.literal('file'),
  name: z.string().max(200),
  media_type: z.string().max(120),
  file: FileRef,
  thumbnail: FileRef.extend({ width: z.int(), height: z.int() }).optional(),
  /** A voice note: its length and, for drawing, up to 64 loudnesses from 0 to 100. */
  voice: z.object({ duration_ms: z.int(), wave: z.array(z.int().min(0).max(100)).max(64) }).optional(),
  body: Text.optional(),
  reply_to: Id.optional(),
  must_ack: z.boolean().optional(),
});
/** Of one's own messages only; readers keep nothing of what it was. */
export const EditContent = z.object({
  t: z.literal('edit'),
  target: Id,
  body: Text,
  mentions: z.array(Id).max(50).optional(),
});
export const DeleteContent = z.object({ t: z.literal('delete'), target: Id });
/** "I have understood", to a message that must be acknowledged. */
export const AckContent = z.object({
  t: z.literal('ack'),
  target: Id,
  /** The edit whose words were understood; without it, the words as they were first. */
  of: Id.optional(),
});
/** Direct messages only: rooms tell the server how far they were read. */
export const ReceiptContent = z.object({
  t: z.literal('receipt'),
  state: z.enum(['delivered', 'read']),
  targets: z.array(Id).max(200),
});
/** A group's name; the last one counts. */
export const NameContent = z.object({ t: z.literal('name'), name: z.string().max(120) });
/** The longest that a call rings. */
const callLifetimeMsMax = 45_000;
/**
 * Call set-up (RFC 8829 offers and answers). DTLS fingerprints are in the SDP, so whoever could swap them would have to
 * break the ratchet first.
 */
export const CallContent = z.discriminatedUnion('act', [
  z.object({
    t: z.literal('call'),
    act: z.literal('invite'),
    call_id: Id,
    media: z.enum(['voice', 'video']),
    sdp: z.string().max(40_000),
    incident_id: Id.optional(),
    /** For how long it rings; a phone rings no longer, whoever calls. */
    lifetime_ms: z.int().min(0).max(callLifetimeMsMax),
  }),
  z.object({ t: z.literal('call'), act: z.literal('ringing'), call_id: Id }),
  z.object({ t: z.literal('call'), act: z.literal('answer'), call_id: Id, sdp: z.string().max(40_000) }),
  z.object({
    t: z.literal('call'),
    act: z.literal('candidates'),
    call_id: Id,
    candidates: z
      .array(
        z.object({
          candidate: z.string().max(500),
          sdpMid: z.string().max(40).nullable(),
          sdpMLineIndex: z.int().nullable(),
        }),
      )
      .max(50),
  }),
  /** ICE restart, or video added: an offer or answer within the call. */
  z.object({
    t: z.literal('call'),
    act: z.literal('negotiate'),
    call_id: Id,
    type: z.enum(['offer', 'answer']),
    sdp: z.string().max(40_000),
  }),
  z.object({
    t: z.literal('call'),
    act: z.literal('end'),
    call_id: Id,
    reason: z.enum([
      'hangup',
      'declined',
      'busy',
      'no_answer',
      'cancelled',
      'failed',
      'answered_elsewhere',
      'declined_elsewhere',
      'glare',
    ]),
  }),
]);
export type CallContent = z.infer<typeof CallContent>;
/** To one's own devices: secrets for a device that was verified. */
export const SecretContent = z.object({
  t: z.literal('secret'),
  name: z.enum(['archive_key']),
  value: z.string().max(100),
});
/** "Who has keys of before I came, please": answered with a key bundle. */
export const HistoryRequestContent = z.object({ t: z.literal('history_request'), room_id: Id });

export const TalkContent = z.union([
  TextContent,
  FileContent,
  EditContent,
  DeleteContent,
  AckContent,
  ReceiptContent,
  NameContent,
  CallContent,
  SecretContent,
  HistoryRequestContent,
]);
export type TalkContent = z.infer<typeof TalkContent>;

/** `d:<user>` (with whom, as each side names it) or `r:<room>`. */
export type ConversationId = `d:${string}` | `r:${string}`;

/**
 * What is encrypted, for Olm and Megolm alike. `id`, `conv` and `n` are inside, so that a replay under a new name, into another
 * conversation, or a hole in what a device wrote is noticed whatever the server does.
 */
export const Envelope = z.object({
  v: z.literal(1),
  id: Id,
  /** `d:<smaller user id>:<larger user id>` or `r:<room id>`. */
  conv: z.string().max(80),
  /** Counts what this device wrote into this conversation, without a gap; receipts, calls and secrets do not count and carry 0. */
  n: z.int().nonnegative(),
  /** Clock of the sender. */
  at: z.number(),
  /** Direct: device ids that it was encrypted to, by user; so that a device left out is noticed by the others. */
  to: z.record(z.string(), z.array(z.string())).optional(),
  content: z.unknown(),
});
export type Envelope = z.infer<typeof Envelope>;
