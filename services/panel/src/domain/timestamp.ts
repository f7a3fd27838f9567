/** Time as DC-09 writes it (§5.5.1.9): `_HH:MM:SS,MM-DD-YYYY`, in UTC. */
import { toRfc3339 } from '@siphera/runtime';

/** §5.5.1.9: an encrypted message more than this far ahead of or behind the receiver's clock is answered by NAK. */
const aheadMsMax = 20_000;
const behindMsMax = 40_000;

/** UTC milliseconds of `HH:MM:SS,MM-DD-YYYY`; undefined when it is not a time. */
export function readTimestamp(text: string): number | undefined {
  const match = /^(\d{2}):(\d{2}):(\d{2}),(\d{2})-(\d{2})-(\d{4})$/.exec(text);
  if (!match) return undefined;
  const [hour, minute, second, month, day, year] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 59 || month < 1 || month > 12 || day < 1) return undefined;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  // The 31st of February would be carried over into March.
  return toRfc3339(ms).slice(8, 10) === match[5] ? ms : undefined;
}

/** `_HH:MM:SS,MM-DD-YYYY` of UTC milliseconds. */
export function writeTimestamp(ms: number): string {
  const iso = toRfc3339(ms);
  return `_${iso.slice(11, 19)},${iso.slice(5, 7)}-${iso.slice(8, 10)}-${iso.slice(0, 4)}`;
}

/** True when the panel's time passes the test of §5.5.1.9. */
export const isTimely = (panelMs: number, nowMs: number): boolean =>
  panelMs - nowMs <= aheadMsMax && nowMs - panelMs <= behindMsMax;
