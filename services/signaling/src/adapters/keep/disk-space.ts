/** How much of the disk talk may fill. The rest is for alarms: core and the recorder write to the same one. */
import { statfsSync } from 'node:fs';
import { AppError, type Clock } from '@siphera/runtime';

/** Asked this often at most: between two askings the largest uploads add up to far less than the reserve. */
const askedEveryMs = 1_000;

export class DiskSpace {
  readonly #options: { directory: string; reserveBytes: number; clock: Clock };
  #freeBytes = 0;
  #askedMs = -Infinity;

  constructor(options: { directory: string; reserveBytes: number; clock: Clock }) {
    this.#options = options;
  }

  /** @throws AppError `disk_full` when so many more bytes would take of the reserve. */
  require(bytes: number): void {
    if (!this.isShort(bytes)) return;
    throw new AppError('disk_full', 'The disk of the box is almost full; what is left is for alarms.', {
      hint: 'Messages and files are taken again when there is space.',
    });
  }

  isShort(bytes = 0): boolean {
    const { directory, reserveBytes, clock } = this.#options;
    if (clock.monotonic() - this.#askedMs >= askedEveryMs) {
      const { bavail, bsize } = statfsSync(directory);
      this.#freeBytes = bavail * bsize;
      this.#askedMs = clock.monotonic();
    }
    return this.#freeBytes - bytes < reserveBytes;
  }
}
