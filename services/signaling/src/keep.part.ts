/** What people keep on the box, as a part of the service: files, backups of room keys, 1:1 history, secrets. All ciphertext. */
import { join } from 'node:path';
import type { FeedEntry } from '@siphera/contract';
import { DiskSpace } from './adapters/keep/disk-space.ts';
import { FileVault } from './adapters/keep/file-vault.ts';
import { forgetPeople, sweepKept } from './adapters/keep/forget.ts';
import { Sweeper, type SweptPart } from './adapters/keep/sweeper.ts';
import { TalkFiles } from './adapters/keep/talk-files.ts';
import { EvenClock } from './domain/even-clock.ts';
import type { Ground, HealthCheck, Queues } from './ground.ts';
import { archiveHandlers } from './http/archive.routes.ts';
import { backupHandlers } from './http/backup.routes.ts';
import { fileHandlers } from './http/files.routes.ts';
import { secretHandlers } from './http/secrets.routes.ts';
import { CallLimits } from './http/talk-limits.ts';
import { ArchiveStore } from './store/archive.store.ts';
import { BackupStore } from './store/backup.store.ts';
import { FileStore } from './store/file.store.ts';
import { RoomStore } from './store/room.store.ts';
import { SecretStore } from './store/secret.store.ts';

export function createKeepPart(ground: Ground, queues: Queues): SweptPart {
  const { clock, config, db, log } = ground;
  const reserveBytes = config.TALK_DISK_RESERVE_BYTES;
  const space = new DiskSpace({ directory: config.DATA_DIR, reserveBytes, clock });
  const store = new FileStore(db);
  const vault = new FileVault({ directory: join(config.DATA_DIR, 'files'), store, db, log });
  const files = new TalkFiles({ ...ground, queues, files: store, rooms: new RoomStore(db), vault, space });
  const [archive, backups, secrets] = [new ArchiveStore(db), new BackupStore(db), new SecretStore(db)];
  const kept = { db, archive, backups, secrets };
  const even = new EvenClock(clock);
  const sweeper = new Sweeper({
    name: 'keep',
    log,
    slice: async () => (even.isEven() && (await files.sweep())) || sweepKept(kept),
  });
  return {
    name: 'keep',
    handlers: {
      ...fileHandlers(files),
      ...secretHandlers({ secrets, queues, clock }),
      ...backupHandlers({ db, backups, queues, space, limits: new CallLimits(clock) }),
      ...archiveHandlers({ db, archive, queues, space }),
    },
    onEntries: (entries) => forgetPeople(kept, deletedUsers(entries)),
    checks: () => [checkOf(space, store.bytesOfAll(), config.TALK_FILES_BYTES_MAX)],
    start: () => sweeper.start(),
    sweep: () => sweeper.sweep(),
    stop: () => sweeper.stop(),
  };
}

const deletedUsers = (entries: readonly FeedEntry[]): string[] =>
  entries.filter(({ kind, action }) => kind === 'user' && action === 'deleted').map(({ id }) => id);

function checkOf(space: DiskSpace, bytes: number, bytesMax: number): HealthCheck {
  const megabytes = (count: number): string => `${Math.round(count / 1024 ** 2)} MB`;
  const used = `${megabytes(bytes)} of ${megabytes(bytesMax)} of files`;
  if (space.isShort())
    return { name: 'talk_space', state: 'degraded', detail: `the disk is almost full; ${used}` };
  // Nine tenths: time for an admin to act before uploads are refused.
  return { name: 'talk_space', state: bytes > bytesMax * 0.9 ? 'degraded' : 'ok', detail: used };
}
