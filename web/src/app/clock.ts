/**
 * The console's only clock. Pages read `now` (ticks once a second) and `boxTime()`, which follows the box's time: a guard's
 * PC with a wrong clock must not show wrong ages.
 */
import { ref, type Ref } from 'vue';

const tickMs = 1_000;
/** Below this the difference is network delay, not a wrong clock. */
const offsetMsMin = 750;

let offsetMs = 0;
const ticking = ref(Date.now());
let started = false;

/** Milliseconds since the epoch by the box's clock. */
export const boxTime = (): number => Date.now() + offsetMs;
/** Monotonic milliseconds, for silence and pace. */
export const monotonic = (): number => performance.now();

/** Learns the box's time from the time of a live frame. */
export function learnBoxTime(at: string): void {
  const difference = Date.parse(at) - Date.now();
  if (Number.isNaN(difference)) return;
  offsetMs = Math.abs(difference) < offsetMsMin ? 0 : difference;
}

/** Current box time, updated each second; one timer for the whole page. */
export function useNow(): Readonly<Ref<number>> {
  if (!started) {
    started = true;
    setInterval(() => {
      ticking.value = boxTime();
    }, tickMs);
  }
  return ticking;
}
