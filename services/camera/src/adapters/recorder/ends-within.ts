/**
 * Waits for work on a disk, but not for ever. A call into a disk that hangs cannot be ended: the work goes on, and whoever
 * begins it must see to it that it is not begun again and again.
 */

/** @returns whether it ended in time. @throws what the work throws in that time. */
export async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
