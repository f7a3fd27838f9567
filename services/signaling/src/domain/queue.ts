/** Measures of a device's queue, and how much of it goes in one batch. */
import { talkLimits } from '@siphera/contract';

export const queueLimits = {
  /** Months of a busy guard. Beyond it who sends is told, and nothing is lost unsaid. */
  rowsMax: 20_000,
  bytesMax: 200 * 1024 * 1024,
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
