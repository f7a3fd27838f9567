/** What one person may keep on the box. */
import { AppError } from '@siphera/runtime';

/** 1:1 history: some 20,000 messages at the largest, a million short ones at 200 bytes. */
export const archiveBytesMax = 200 * 1024 ** 2;
/** Of one backup. A guard in ten rooms with twenty others sees some 10,000 sessions a year, of 700 bytes each. */
export const backupSessionsMax = 100_000;
export const backupBytesMax = 128 * 1024 ** 2;

/** @throws AppError `quota`, which says how much there is. */
export function requireWithin(used: number, max: number, what: string): void {
  if (used <= max) return;
  throw new AppError('quota', `There is no more space for your ${what} on the box.`, {
    hint: 'Space comes back as old things run out; an admin can give more.',
    extra: { max },
  });
}
