/** Measures of a device's queue, and how much of it goes in one batch. */
import { talkLimits } from '@siphera/contract';

export const queueLimits = {
  /** Months of a busy guard. Beyond it who sends is told, and nothing is lost unsaid. */
  rowsMax: 20_000,
  bytesMax: 200 * 1024 * 1024,
  /** Of one sender, whatever number of devices he writes from: a fifth, so that no one person fills a queue for all others. */
  rowsBySenderMax: 4_000,
  bytesBySenderMax: 40 * 1024 * 1024,
  /** Of all queues together: twenty that are full. Many devices that nobody comes back to must not fill the box. */
  totalBytesMax: 4 * 1024 ** 3,
  /** A batch stays far below what a socket may hold back (4 MiB), or the device would be cut for reading slowly. */
  batchBytesMax: 512 * 1024,
} as const;

/** What goes in one batch: from the front, at least one, and whether nothing more waits. */
export function cutBatch<T extends { bytes: number }>(waiting: Iterable<T>): { batch: T[]; end: boolean } {
  const batch: T[] = [];
  let bytes = 0;
  for (const row of waiting) {
    bytes += row.bytes;
    if (batch.length >= talkLimits.batchItemsMax || (batch.length > 0 && bytes > queueLimits.batchBytesMax))
      return { batch, end: false };
    batch.push(row);
  }
  return { batch, end: true };
}
