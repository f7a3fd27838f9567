/**
 * Talk of an incident's room as a member's device files it. The engine makes the document, core checks its outside, the console shows it
 * before it is filed, and whoever finds the file years from now reads it: all by these schemas. What it proves is what the device of the
 * one who filed it had read, by a key that the reader compares with that person's own. Keys of files are never in it.
 */
import { z } from 'zod';
import { Timestamp, Uuid } from './primitives.ts';
import { talkLimits, TalkDeviceId } from './rest/talk.ts';

/** Names the form of the document and of its file. Another form gets another number. */
export const transcriptFormat = 'siphera-talk-transcript-1';
/** Messages of one document; longer talk is filed by its end. Core takes four million characters, which are fewer at some 4,000 each. */
export const transcriptMessagesMax = 5_000;

const TranscriptFile = z.object({
  id: Uuid.meta({ description: 'On the box, encrypted, until it is deleted there' }),
  name: z.string().max(200),
  media_type: z.string().max(120),
  bytes: z.int().nonnegative(),
  sha256: z.string().max(60).meta({ description: 'Of the ciphertext, unpadded base64' }),
});
const transcriptEvents = ['created', 'added', 'removed', 'joined', 'left', 'named', 'call'] as const;

/** One line. What it says is in one of `text`, `file` (with `text` beside it), `event`, `deleted`, `unreadable`. */
export const TranscriptMessage = z.object({
  id: z.string().max(80).meta({ description: 'As the sender made it; of an event: room and statement' }),
  seq: z
    .int()
    .nonnegative()
    .nullable()
    .meta({ description: 'Place in the room; null for what stands in statements' }),
  sender: Uuid,
  device: z.string().max(40),
  at: Timestamp.meta({ description: 'When the box had it' }),
  text: z.string().max(talkLimits.textCharsMax).optional(),
  file: TranscriptFile.optional(),
  event: z.object({ what: z.enum(transcriptEvents), user_ids: z.array(Uuid) }).optional(),
  deleted: z.literal(true).optional(),
  unreadable: z.literal(true).optional(),
  reply_to: Uuid.optional(),
  must_ack: z.literal(true).optional(),
  edited_at: Timestamp.optional(),
  acks: z.array(z.object({ user_id: Uuid, at: Timestamp })).max(talkLimits.roomMembersMax),
  sender_unsigned: z
    .literal(true)
    .optional()
    .meta({ description: 'By a device that its owner has not signed' }),
  unproven: z.literal(true).optional().meta({
    description:
      'Opened by a key that another member gave: its sender is the word of that one and of the box',
  }),
});
export type TranscriptMessage = z.infer<typeof TranscriptMessage>;

export const TranscriptDocument = z.object({
  format: z.literal(transcriptFormat),
  room_id: Uuid,
  incident_id: Uuid,
  filed_by: Uuid,
  device_id: TalkDeviceId,
  filed_at: Timestamp.meta({ description: 'By the clock of that device' }),
  complete: z
    .boolean()
    .meta({ description: 'The device had read the room from its opening up to `last_seq`, all of it' }),
  first_seq: z
    .int()
    .nonnegative()
    .nullable()
    .meta({ description: 'Of the first message in it that has a place' }),
  last_seq: z.int().nonnegative().nullable(),
  count: z.int().nonnegative().meta({ description: 'Messages that people wrote' }),
  members: z.array(Uuid).max(talkLimits.roomMembersMax).meta({ description: 'As the signed statements say' }),
  messages: z.array(TranscriptMessage).max(transcriptMessagesMax).meta({ description: 'Oldest first' }),
});
export type TranscriptDocument = z.infer<typeof TranscriptDocument>;
