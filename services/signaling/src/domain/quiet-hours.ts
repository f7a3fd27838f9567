/**
 * What a phone is rung up for, by what its person chose. Pure. What must stay true: when in doubt it rings, because the choice
 * is about comfort and the alarm about safety: a zone that this release does not know has no quiet hours.
 */
import type { PushPreferences, Severity } from '@siphera/contract';
import { atLeast } from './severity.ts';

/** Of a browser that named none. */
export const defaultPreferences: PushPreferences = {
  alarms_from: 'medium',
  messages: true,
  calls: true,
  quiet: null,
};

const formats = new Map<string, Intl.DateTimeFormat>();
/** There are some 600 zones; a formatter is some 30 kB. */
const formatsMax = 64;

/** Whether Intl knows the IANA time zone. */
export function isTimeZone(zone: string): boolean {
  return formatOf(zone) !== undefined;
}

/** Whether the hours are quiet at that time (UTC milliseconds). `from` is inside, `until` outside; equal ones are no hours at all. */
export function isQuiet({ quiet }: Pick<PushPreferences, 'quiet'>, nowMs: number): boolean {
  if (quiet === null) return false;
  const now = minuteOfDay(nowMs, quiet.time_zone);
  const [from, until] = [readMinute(quiet.from), readMinute(quiet.until)];
  if (now === undefined || from === undefined || until === undefined) return false;
  return from <= until ? now >= from && now < until : now >= from || now < until;
}

/** Do-not-disturb of the person is no matter here: it silences messages and calls, never alarms. */
export function takesAlarm(preferences: PushPreferences, severity: Severity, nowMs: number): boolean {
  const { alarms_from: from, quiet } = preferences;
  if (from === null || !atLeast(severity, from)) return false;
  return quiet === null || !isQuiet(preferences, nowMs) || atLeast(severity, quiet.except_from);
}

/** Quiet hours silence messages and calls altogether. */
export const takesWake = (preferences: PushPreferences, what: 'message' | 'call', nowMs: number): boolean =>
  (what === 'message' ? preferences.messages : preferences.calls) && !isQuiet(preferences, nowMs);

/** `HH:MM` as minutes; undefined for what is no time of a day. */
export function readMinute(text: string): number | undefined {
  const [, hours, minutes] = /^(\d\d):(\d\d)$/.exec(text) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  return Number(hours) < 24 && Number(minutes) < 60 ? Number(hours) * 60 + Number(minutes) : undefined;
}

function minuteOfDay(ms: number, zone: string): number | undefined {
  const parts = formatOf(zone)?.formatToParts(new Date(ms));
  const part = (wanted: string): string => parts?.find(({ type }) => type === wanted)?.value ?? '';
  return readMinute(`${part('hour')}:${part('minute')}`);
}

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  const found = formats.get(zone);
  if (found) return found;
  try {
    const made = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    if (formats.size >= formatsMax) formats.clear();
    formats.set(zone, made);
    return made;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}
