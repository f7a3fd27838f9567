/** Encrypted files: for whom they are, whose space they take, how long they stay. */
import type { Readable } from 'node:stream';
import { AppError, toRfc3339, type Caller } from '@siphera/runtime';
import { Allowance } from '../../domain/allowance.ts';
import { requireWithin } from '../../domain/quota.ts';
import { isServed, mayCall } from '../../domain/room-access.ts';
import type { Ground, Queues } from '../../ground.ts';
import type { FileRow, FileStore } from '../../store/file.store.ts';
import type { RoomStore } from '../../store/room.store.ts';
import type { DiskSpace } from './disk-space.ts';
import type { FileVault } from './file-vault.ts';

const dayMs = 86_400_000;
/** Named by one upload: as many as a room holds. */
const peopleMax = 200;
/** Of one person: pictures of a round come in dozens. Each costs up to 25 MB of memory while it is written. */
const uploadAllowance = { burst: 30, perMinute: 30 };
/** A conversation full of pictures that is scrolled through. */
const downloadAllowance = { burst: 300, perMinute: 300 };
/** Removed in one slice. */
const sweepMax = 50;

export type FileGround = Pick<Ground, 'clock' | 'config' | 'people' | 'random'> & {
  queues: Queues;
  files: FileStore;
  rooms: RoomStore;
  vault: FileVault;
  space: DiskSpace;
};
export type Audience = { roomId?: string | undefined; userIds: readonly string[] };
type Kept = { id: string; bytes: number; expires_at: string };

export class TalkFiles {
  readonly #ground: FileGround;
  readonly #uploads: Allowance;
  readonly #downloads: Allowance;

  constructor(ground: FileGround) {
    this.#ground = ground;
    this.#uploads = new Allowance(uploadAllowance, ground.clock);
    this.#downloads = new Allowance(downloadAllowance, ground.clock);
  }

  async upload(caller: Caller, audience: Audience, bytes: Buffer): Promise<Kept> {
    const { clock, config, files, queues, random, space, vault } = this.#ground;
    const { userId } = queues.confirmed(caller);
    const forWhom = this.#requireAudience(caller, audience);
    requireAllowed(this.#uploads.take(userId));
    requireWithin(files.bytesOf(userId) + bytes.length, config.TALK_FILES_PER_USER_BYTES_MAX, 'files');
    if (files.bytesOfAll() + bytes.length > config.TALK_FILES_BYTES_MAX)
      throw new AppError('disk_full', 'The space of the box for files of talk is used up.', {
        hint: 'An admin can give more (TALK_FILES_BYTES_MAX).',
      });
    space.require(bytes.length);
    const nowMs = clock.now();
    const file = {
      id: random.uuid(),
      orgId: caller.claims.org,
      ownerId: userId,
      roomId: forWhom.roomId,
      roomN: forWhom.roomN,
      bytes: bytes.length,
      createdMs: nowMs,
      expiresMs: nowMs + config.TALK_KEEP_DAYS * dayMs,
    };
    await vault.keep(file, forWhom.userIds, bytes);
    return { id: file.id, bytes: file.bytes, expires_at: toRfc3339(file.expiresMs) };
  }

  /** @throws AppError `not_found` for whom it is not, `gone` when it is kept no more. */
  async download(caller: Caller, id: string): Promise<{ bytes: number; content: Readable }> {
    const { clock, files, vault } = this.#ground;
    requireAllowed(this.#downloads.take(caller.claims.sub));
    const file = files.get(id);
    if (file?.state !== 'ready' || !this.#isFor(caller, file))
      throw new AppError('not_found', 'There is no such file, or it is not for you.');
    const content = file.expiresMs > clock.now() ? await vault.read(id) : undefined;
    if (!content) throw new AppError('gone', 'The file is not kept any more.');
    return { bytes: file.bytes, content };
  }

  quota({ claims }: Caller): { files_bytes: number; files_bytes_max: number; keep_days: number } {
    const { config, files } = this.#ground;
    return {
      files_bytes: files.bytesOf(claims.sub),
      files_bytes_max: config.TALK_FILES_PER_USER_BYTES_MAX,
      keep_days: config.TALK_KEEP_DAYS,
    };
  }

  /** One slice of what has had its time. @returns whether there is more. */
  async sweep(): Promise<boolean> {
    const { clock, config, files, rooms, vault } = this.#ground;
    const nowMs = clock.now();
    const expired = files.expired(nowMs, sweepMax);
    for (const { id, roomId } of expired) {
      const room = roomId === null ? undefined : rooms.get(roomId);
      const untilMs = (room?.activeMs ?? 0) + config.TALK_KEEP_DAYS * dayMs;
      // What belongs to an incident stays whole until the incident's room goes.
      if (room?.kind === 'incident' && untilMs > nowMs) files.keepUntil(id, untilMs);
      else await vault.remove(id);
    }
    return expired.length === sweepMax;
  }

  /** For a room that the caller is in, or for people of his organisation who may talk. */
  #requireAudience(
    caller: Caller,
    { roomId, userIds }: Audience,
  ): { roomId: string | null; roomN: number | null; userIds: readonly string[] } {
    const { people, rooms } = this.#ground;
    const { claims } = caller;
    if ((roomId === undefined) === (userIds.length === 0))
      throw new AppError('unprocessable', 'Say for whom the file is: for a room, or for people.');
    if (roomId !== undefined) {
      const room = rooms.get(roomId);
      if (!room || !mayCall(people, claims, room) || !rooms.isMember(roomId, claims.sub))
        throw new AppError('not_found', 'There is no such room, or you are not in it.');
      return { roomId, roomN: room.statements, userIds: [] };
    }
    const others = [...new Set(userIds)].filter((userId) => userId !== claims.sub);
    const place = { orgId: claims.org, kind: 'group', scopes: [] } as const;
    if (others.length > peopleMax || others.some((userId) => !isServed(people, userId, place)))
      throw new AppError('unprocessable', `A file is for at most ${peopleMax} people who may use talk.`);
    return { roomId: null, roomN: null, userIds: others };
  }

  /** For who uploaded it, who was named, and who is in the room or was when it was uploaded; if they still may be. */
  #isFor({ claims }: Caller, file: FileRow): boolean {
    const { files, people, rooms } = this.#ground;
    const { sub } = claims;
    if (!mayCall(people, claims, { orgId: file.orgId, kind: 'group', scopes: [] })) return false;
    if (file.ownerId === sub) return true;
    if (file.roomId === null) return files.isFor(file.id, sub);
    const room = rooms.get(file.roomId);
    return (
      room !== undefined &&
      mayCall(people, claims, room) &&
      rooms.isOrWasMember(room.id, sub, file.roomN ?? 0)
    );
  }
}

/** @throws AppError `rate_limited` */
function requireAllowed(waitSeconds: number | undefined): void {
  if (waitSeconds === undefined) return;
  throw new AppError('rate_limited', 'Too many files in a short time.', {
    extra: { retry_after_seconds: waitSeconds },
  });
}
