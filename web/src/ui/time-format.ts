/** Times as a control room reads them. Pure; the caller brings the time and the language. */

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const pad = (value: number): string => String(value).padStart(2, '0');

/** A running clock: `0:07`, `12:30`, `3:04:05`, `2d 04:05`. */
export function elapsed(ms: number): string {
  const whole = Math.max(0, ms);
  const days = Math.floor(whole / day);
  const hours = Math.floor((whole % day) / hour);
  const minutes = Math.floor((whole % hour) / minute);
  const seconds = Math.floor((whole % minute) / second);
  if (days > 0) return `${String(days)}d ${pad(hours)}:${pad(minutes)}`;
  if (hours > 0) return `${String(hours)}:${pad(minutes)}:${pad(seconds)}`;
  return `${String(minutes)}:${pad(seconds)}`;
}

/** How long ago, in the user's words: "3 min. ago". */
export function ago(ms: number, locale: string): string {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  if (ms < minute) return format.format(-Math.floor(Math.max(0, ms) / second), 'second');
  if (ms < hour) return format.format(-Math.floor(ms / minute), 'minute');
  if (ms < day) return format.format(-Math.floor(ms / hour), 'hour');
  return format.format(-Math.floor(ms / day), 'day');
}

/** A length of time in words: "1 h 5 min", "40 s". */
export function duration(ms: number, locale: string): string {
  const unit = (value: number, name: 'day' | 'hour' | 'minute' | 'second'): string =>
    new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'short' }).format(value);
  if (ms < minute) return unit(Math.round(ms / second), 'second');
  if (ms < hour) return unit(Math.round(ms / minute), 'minute');
  const large =
    ms < day ? ([hour, minute, 'hour', 'minute'] as const) : ([day, hour, 'day', 'hour'] as const);
  const first = Math.floor(ms / large[0]);
  const rest = Math.round((ms % large[0]) / large[1]);
  return rest === 0 ? unit(first, large[2]) : `${unit(first, large[2])} ${unit(rest, large[3])}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();
function formatOf(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options);
  const known = formats.get(key);
  if (known) return known;
  const made = new Intl.DateTimeFormat(locale, options);
  formats.set(key, made);
  return made;
}

/** `14:03:22`, or with the day when it is not today. */
export function clockTime(at: string | number, locale: string, now: number): string {
  const when = new Date(at);
  const sameDay = when.toDateString() === new Date(now).toDateString();
  const time = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
  return formatOf(locale, sameDay ? time : { day: '2-digit', month: 'short', ...time }).format(when);
}

/** The full time with its zone, for tooltips and evidence. */
export function fullTime(at: string | number, locale: string): string {
  return formatOf(locale, { dateStyle: 'full', timeStyle: 'long' }).format(new Date(at));
}
