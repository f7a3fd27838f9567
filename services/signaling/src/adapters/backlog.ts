/** Reads a bounded stretch of core's feed for sockets that come back. Nothing of it is kept. */
import { createInterface } from 'node:readline';
import { FeedLine, internalPaths, type FeedEntry } from '@siphera/contract';
import type { InternalClient } from '@siphera/runtime';
import { backlogSeqMax } from '../domain/fan-out.ts';

/** A backlog that takes longer than this is dearer than reading the lists anew. */
const backlogMsMax = 10_000;

/**
 * Calls `onEntry` for each entry after `after` up to `until`, in order.
 * @throws Error when core does not answer, no longer holds that stretch, or the bounds are reached.
 */
export async function readBacklog(
  client: InternalClient,
  after: number,
  until: number,
  onEntry: (entry: FeedEntry) => void,
): Promise<void> {
  const response = await client.stream(
    `${internalPaths.feed}?after=${after}`,
    AbortSignal.timeout(backlogMsMax),
  );
  let read = 0;
  try {
    for await (const text of createInterface({ input: response, crlfDelay: Infinity })) {
      if (text === '') continue;
      const line = FeedLine.parse(JSON.parse(text));
      for (const entry of line.entries) {
        if (entry.seq > until) return;
        read += 1;
        if (read > backlogSeqMax) throw new Error('backlog too large');
        onEntry(entry);
      }
      if (line.upto >= until) return;
    }
    throw new Error('feed ended before the backlog was read');
  } finally {
    response.destroy();
  }
}
