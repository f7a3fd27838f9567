/** The feed position of the moment a reading was made: follow the feed from here and nothing is missed. */
import type { Sqlite } from '@siphera/runtime/base';

export function readFeedSeq(db: Sqlite): number {
  return Number(
    db.prepare<[], { value: string }>(`SELECT value FROM facts WHERE name = 'feed_seq'`).get()?.value ?? 0,
  );
}
