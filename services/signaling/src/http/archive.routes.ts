/** Encrypted copies of a person's 1:1 history. */
import type { Sqlite } from '@siphera/runtime';
import { archiveBytesMax, requireWithin } from '../domain/quota.ts';
import type { Queues, TalkHandlers } from '../ground.ts';
import type { ArchiveStore } from '../store/archive.store.ts';

/** Of an answer, which is made in memory; with it a page may be shorter than was asked for, and says that there is more. */
const pageCharsMax = 4 * 1024 ** 2;

export type ArchiveParts = {
  db: Sqlite;
  archive: ArchiveStore;
  queues: Queues;
  space: { require(bytes: number): void };
};

export function archiveHandlers({
  db,
  archive,
  queues,
  space,
}: ArchiveParts): Pick<TalkHandlers, 'putArchive' | 'getArchive'> {
  return {
    putArchive: async ({ caller, body }) => {
      const { userId } = queues.confirmed(caller);
      space.require(0);
      const upto = db
        .transaction(() => {
          const used = archive.put(userId, body.items);
          requireWithin(used.bytes, archiveBytesMax, 'history');
          return used.lastSeq;
        })
        .immediate();
      return { upto };
    },

    getArchive: async ({ caller, query }) =>
      archive.page(caller.claims.sub, query.after, { limit: query.limit, charsMax: pageCharsMax }),
  };
}
