/**
 * Wall clock of a site from UTC milliseconds. Offsets come from the runtime's IANA data and are cached by minute,
 * because asking `Intl` costs microseconds and a burst of events falls into few minutes.
 */

export type WallClock = {
  /** 0 is Monday 00:00, 10,079 is Sunday 23:59. */
  minuteOfWeek: number;
  /** E.g. `Mon 07:05`. */
  text: string;
};

/** The site's wall clock at a moment; undefined when the zone is not an IANA name. */
export function wallClock(timeZone: string, atMs: number): WallClock | undefined {
  const minute = minuteOfWeek(timeZone, atMs);
  return minute === undefined ? undefined : { minuteOfWeek: minute, text: weekMinuteText(minute) };
}

/** Minute of the week on the site's wall clock, 0 = Monday 00:00; undefined when the zone is not known. */
export function minuteOfWeek(timeZone: string, atMs: number): number | undefined {
  const offset = offsetMinutes(timeZone, atMs);
  if (offset === undefined) return undefined;
  // 1970-01-01 was a Thursday: three days after a Monday.
  const minutes = Math.floor(atMs / 60_000) + offset + 3 * minutesPerDay;
  return ((minutes % minutesPerWeek) + minutesPerWeek) % minutesPerWeek;
}

/** `Mon 07:05` for a minute of the week. */
export function weekMinuteText(minute: number): string {
  const day = dayNames[Math.floor(minute / minutesPerDay)] ?? '';
  const inDay = minute % minutesPerDay;
  return `${day} ${twoDigits(Math.floor(inDay / 60))}:${twoDigits(inDay % 60)}`;
}

export const minutesPerDay = 1_440;
export const minutesPerWeek = 7 * minutesPerDay;

const dayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
/** Minutes remembered per zone: a day of distinct minutes, so that a flushed queue of a day stays cached. */
const cachedMinutesMax = 1_440;
/** Zones remembered; far more than one organisation has, small enough to bound hostile names. */
const cachedZonesMax = 128;

type Zone = { format: Intl.DateTimeFormat | undefined; offsets: Map<number, number> };
const zones = new Map<string, Zone>();

function offsetMinutes(timeZone: string, atMs: number): number | undefined {
  const zone = zones.get(timeZone) ?? openZone(timeZone);
  if (!zone.format || !(atMs >= plausibleFromMs && atMs <= plausibleToMs)) return undefined;
  const minute = Math.floor(atMs / 60_000);
  const known = zone.offsets.get(minute);
  if (known !== undefined) return known;
  const offset = askOffset(zone.format, minute);
  if (zone.offsets.size >= cachedMinutesMax) zone.offsets.clear();
  zone.offsets.set(minute, offset);
  return offset;
}

/** Years 1900 to 9999: outside them nothing on a box is a plausible time, and `Date.UTC` reads small years otherwise. */
const plausibleFromMs = Date.UTC(1900, 0, 2);
const plausibleToMs = Date.UTC(9999, 11, 30);

function openZone(timeZone: string): Zone {
  const zone: Zone = { format: createFormat(timeZone), offsets: new Map() };
  if (zones.size >= cachedZonesMax) zones.clear();
  zones.set(timeZone, zone);
  return zone;
}

function createFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
  } catch (error) {
    // The only way Intl tells that a name is no time zone.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function askOffset(format: Intl.DateTimeFormat, minute: number): number {
  const parts: Record<string, string> = {};
  for (const part of format.formatToParts(minute * 60_000)) parts[part.type] = part.value;
  const number = (name: string): number => Number(parts[name]);
  const local = Date.UTC(
    number('year'),
    number('month') - 1,
    number('day'),
    number('hour'),
    number('minute'),
  );
  return Math.round(local / 60_000) - minute;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
