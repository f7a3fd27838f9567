/** Routes of what talk keeps for people, all of it ciphertext: files, the backup of room keys, the archive of 1:1 history, secrets. */
import { z } from 'zod';
import { ById, Timestamp, Uuid } from '../primitives.ts';
import { defineRoutes } from './route.ts';
import { talkLimits } from './talk.ts';

const talk = { service: 'signaling', tag: 'talk', access: 'talk.use' } as const;
/** Only a session that has proved to be the device (`attachTalkDevice`) may call; others get `forbidden` (`not_attached`). */
const attached = talk;
/** As `attached`; once the person has an identity the device has to be signed by it, or it is `forbidden` (`not_verified`). */
const confirmed = attached;
const bigBody = 2 * 1024 * 1024;
const Box = z.string().max(1_000_000).meta({ description: 'Base64 of ciphertext' });

export const talkKeepRoutes = defineRoutes({
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
});
