/** Backup of room keys (Matrix C-S API §11.12.3.2): the box keeps the best key of each session, and can open none. */
import { AppError, type Sqlite } from '@siphera/runtime';
import { z } from 'zod';
import { BackupKey } from '../domain/backup-key.ts';
import { backupBytesMax, backupSessionsMax, requireWithin } from '../domain/quota.ts';
import type { Queues, TalkHandlers } from '../ground.ts';
import type { CallLimits } from './talk-limits.ts';
import type { BackupRow, BackupStore, NamedKey } from '../store/backup.store.ts';

/** Of a page, which is made in memory, of all consoles at once. A night's keys are far below it. */
const pageCharsMax = 4 * 1024 ** 2;
/** Public key, signatures: a kilobyte. */
const authDataCharsMax = 16_000;

export type BackupParts = {
  db: Sqlite;
  backups: BackupStore;
  queues: Queues;
  space: { require(bytes: number): void };
  limits: CallLimits;
};
type Names = 'getBackup' | 'createBackup' | 'putBackupKeys' | 'getBackupKeys';
type SentRooms = Record<string, { sessions: Record<string, Record<string, unknown>> }>;

export function backupHandlers(parts: BackupParts): Pick<TalkHandlers, Names> {
  const { db, backups, queues, space, limits } = parts;
  return {
    getBackup: async ({ caller }) => {
      const row = backups.current(caller.claims.sub);
      if (!row) throw new AppError('not_found', 'You have no backup of room keys yet.');
      return {
        version: String(row.version),
        algorithm: row.algorithm,
        auth_data: JSON.parse(row.auth_data) as Record<string, unknown>,
        count: row.sessions,
        etag: String(row.etag),
      };
    },

    createBackup: async ({ caller, body }) => {
      const { userId } = queues.confirmed(caller);
      const authData = JSON.stringify(body.auth_data);
      if (authData.length > authDataCharsMax)
        throw new AppError('payload_too_large', 'What the backup is opened with is too large.');
      return { version: String(backups.begin(userId, body.algorithm, authData)) };
    },

    putBackupKeys: async ({ caller, params, body }) => {
      const { userId } = queues.confirmed(caller);
      const { version } = requireCurrent(backups.current(userId), params.version);
      const keys = readKeys(body.rooms);
      space.require(0);
      limits.take('bytes', caller, JSON.stringify(body.rooms).length);
      const after = db
        .transaction(() => {
          for (const key of keys) backups.put(userId, version, key);
          const used = requireCurrent(backups.current(userId), params.version);
          requireWithin(used.sessions, backupSessionsMax, 'room keys');
          requireWithin(used.bytes, backupBytesMax, 'room keys');
          return used;
        })
        .immediate();
      return { etag: String(after.etag), count: after.sessions };
    },

    getBackupKeys: async ({ caller, params, query }) => {
      const { sub } = caller.claims;
      const row = backups.current(sub);
      if (!row || String(row.version) !== params.version)
        throw new AppError('not_found', 'There is no such backup any more.');
      const of = { userId: sub, version: row.version, roomId: query.room_id };
      const { keys, more } = backups.page(of, readCursor(query.after), pageCharsMax);
      const last = keys.at(-1);
      return { rooms: byRoom(keys), ...(more && last && { next: cursorAfter(last) }) };
    },
  };
}

/** @throws AppError `conflict` that names the version that stands. */
function requireCurrent(row: BackupRow | undefined, version: string): BackupRow {
  if (row && String(row.version) === version) return row;
  throw new AppError('conflict', 'This backup has ended: another device began a new one.', {
    hint: 'Look at the present one.',
    extra: { current_version: row ? String(row.version) : null },
  });
}

/** @throws AppError `validation_failed` when one is no key: then none is kept. */
function readKeys(rooms: SentRooms): NamedKey[] {
  return Object.entries(rooms).flatMap(([roomId, { sessions }]) =>
    Object.entries(sessions).map(([sessionId, value]) => {
      const key = BackupKey.safeParse(value);
      if (!key.success)
        throw new AppError('validation_failed', `The key of session ${sessionId} is none of a backup.`);
      return { roomId, sessionId, key: key.data };
    }),
  );
}

const Cursor = z.tuple([z.string(), z.string()]);

const cursorAfter = ({ roomId, sessionId }: NamedKey): string =>
  Buffer.from(JSON.stringify([roomId, sessionId])).toString('base64url');

/** @throws AppError `validation_failed` */
function readCursor(text: string | undefined): Pick<NamedKey, 'roomId' | 'sessionId'> | undefined {
  if (text === undefined) return undefined;
  const read = Cursor.safeParse(parsed(Buffer.from(text, 'base64url').toString()));
  if (!read.success) throw new AppError('validation_failed', 'after: must be `next` of a page before');
  const [roomId, sessionId] = read.data;
  return { roomId, sessionId };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function byRoom(keys: readonly NamedKey[]): SentRooms {
  const rooms = new Map<string, [string, BackupKey][]>();
  for (const { roomId, sessionId, key } of keys) {
    const sessions = rooms.get(roomId);
    if (sessions) sessions.push([sessionId, key]);
    else rooms.set(roomId, [[sessionId, key]]);
  }
  const sent = [...rooms].map(([roomId, sessions]): [string, { sessions: Record<string, BackupKey> }] => [
    roomId,
    { sessions: Object.fromEntries(sessions) },
  ]);
  return Object.fromEntries(sent);
}
