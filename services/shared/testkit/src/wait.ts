/** Waiting for something to become true, bounded, with a message that says what did not happen. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pollMs, startMsMax } from './bounds.ts';

/**
 * Asks `probe` until it gives something other than undefined, null or false, and returns that.
 * Throws after `timeoutMs`, naming `what` and the last error of the probe.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | Promise<T>,
  timeoutMs: number = startMsMax,
): Promise<NonNullable<Exclude<T, false>>> {
  const started = performance.now();
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) {
        return value as NonNullable<Exclude<T, false>>;
      }
    } catch (error) {
      last = error;
    }
    if (performance.now() - started > timeoutMs) {
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`, { cause: last });
    }
    await sleep(pollMs);
  }
}
