/** Whether what is sent to devices may wait here at all: on the disk, and in all queues together. */
import { AppError, type Clock } from '@siphera/runtime';
import { queueLimits } from '../../domain/queue.ts';
import type { QueueStore } from '../../store/queue.store.ts';
import type { DiskSpace } from '../keep/disk-space.ts';

/** Added up this often at most: between two times the allowances of all sessions together stay far below the reserve. */
const addedUpEveryMs = 1_000;

export class QueueSpace {
  readonly #parts: { queue: QueueStore; disk: DiskSpace; clock: Clock };
  #bytes = 0;
  #addedUpMs = -Infinity;

  constructor(parts: { queue: QueueStore; disk: DiskSpace; clock: Clock }) {
    this.#parts = parts;
  }

  /** @throws AppError `disk_full` */
  require(): void {
    this.#parts.disk.require(0);
    if (this.bytes() < queueLimits.totalBytesMax) return;
    throw new AppError('disk_full', 'Too much waits on the box for devices that are not there.', {
      hint: 'An admin can remove devices that nobody uses any more.',
    });
  }

  /** Of all queues. */
  bytes(): number {
    const { queue, clock } = this.#parts;
    if (clock.monotonic() - this.#addedUpMs >= addedUpEveryMs) {
      this.#bytes = queue.totals().bytes;
      this.#addedUpMs = clock.monotonic();
    }
    return this.#bytes;
  }
}
