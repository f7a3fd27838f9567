/** UTC milliseconds as people of a site read them: RFC 3339 with the offset of their zone. Pure. */

const formats = new Map<string, Intl.DateTimeFormat>();

/** E.g. `2026-11-28T13:04:01.250+01:00`; in UTC when the zone is not known here. */
export function zonedTime(ms: number, timeZone: string): string {
  const part = partsOf(ms, timeZone);
  const offset = part['timeZoneName']?.replace('GMT', '') ?? '';
  const clock = `${part['hour']}:${part['minute']}:${part['second']}.${part['fractionalSecond']}`;
  return `${part['year']}-${part['month']}-${part['day']}T${clock}${offset === '' ? '+00:00' : offset}`;
}

/** E.g. `13:04:01`, for a line on a screen. */
export function clockTime(ms: number, timeZone: string): string {
  const part = partsOf(ms, timeZone);
  return `${part['hour']}:${part['minute']}:${part['second']}`;
}

/** E.g. `2026-11-28_13-04-01`, for the name of a file. */
export function fileTime(ms: number, timeZone: string): string {
  const part = partsOf(ms, timeZone);
  return `${part['year']}-${part['month']}-${part['day']}_${part['hour']}-${part['minute']}-${part['second']}`;
}

function partsOf(ms: number, timeZone: string): Partial<Record<string, string>> {
  const found = formats.get(timeZone) ?? makeFormat(timeZone);
  formats.set(timeZone, found);
  return Object.fromEntries(found.formatToParts(new Date(ms)).map(({ type, value }) => [type, value]));
}

function makeFormat(timeZone: string): Intl.DateTimeFormat {
  const options = {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  } as const;
  try {
    return new Intl.DateTimeFormat('en-CA', { ...options, timeZone });
  } catch (error) {
    // A zone that this release of ICU does not know: the time is right all the same.
    if (!(error instanceof RangeError)) throw error;
    return new Intl.DateTimeFormat('en-CA', { ...options, timeZone: 'UTC' });
  }
}
