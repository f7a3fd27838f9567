/** What to make of a device's clock. Pure. */
import type { Delivery } from '@siphera/contract';

/** Younger than this is live: networks and group commits take their time. */
const liveMsMax = 5_000;
/** A device clock this far ahead of ours is wrong; the event is kept under our time and marked. */
const futureMsMax = 60_000;
/** Older than any agent's queue: a clock that fell back to 1970, not a late event. */
const pastMsMax = 60 * 86_400_000;

export type EventTime = {
  timeMs: number;
  deviceTimeMs: number | null;
  lateMs: number;
  clockSuspect: boolean;
  delivery: Delivery;
};

/**
 * @param skewMs device clock minus ours, from the last clean reading; 0 when unknown. A clock that is an hour slow must
 * not make every motion an hour late.
 */
export function judgeTime(
  deviceTimeMs: number | undefined,
  receivedMs: number,
  skewMs: number,
  mark: 'retained' | 'replayed' | undefined,
): EventTime {
  if (deviceTimeMs === undefined)
    return {
      timeMs: receivedMs,
      deviceTimeMs: null,
      lateMs: 0,
      clockSuspect: false,
      delivery: mark ?? 'live',
    };
  const corrected = deviceTimeMs - skewMs;
  const lateMs = receivedMs - corrected;
  if (lateMs < -futureMsMax || lateMs > pastMsMax) {
    return { timeMs: receivedMs, deviceTimeMs, lateMs: 0, clockSuspect: true, delivery: mark ?? 'live' };
  }
  const timeMs = Math.min(corrected, receivedMs);
  if (lateMs <= liveMsMax)
    return { timeMs, deviceTimeMs, lateMs: 0, clockSuspect: false, delivery: mark ?? 'live' };
  return { timeMs, deviceTimeMs, lateMs, clockSuspect: false, delivery: mark ?? 'late' };
}
