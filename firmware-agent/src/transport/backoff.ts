/** How long to wait before the next try: doubling, and spread, so that a building's agents do not come back as one. */
import type { Random } from '../domain/random.ts';

/** The first wait is short: most drops are a broker restart of a second or two. */
const firstMs = 500;
/** A box that is down for a day still gets its agents back within this. */
const mostMs = 30_000;

/** Milliseconds before try `attempt` (0 for the first after a drop): between half and all of the doubled wait. */
export function reconnectDelayMs(attempt: number, random: Random): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 16));
  return Math.round(whole / 2 + (whole / 2) * random.fraction());
}
