/**
 * Weekly windows on the site's wall clock. A window belongs to the day it starts on; `to` at or before `from` passes
 * midnight. Because only the wall clock is compared, the hour that summer time skips matches nothing and the hour that
 * autumn repeats matches twice.
 */
import type { WeeklyWindow } from './types.ts';
import { minutesPerDay, minutesPerWeek } from './wall-clock.ts';

/** Compiles windows to a test over the minute of the week (0 = Monday 00:00). */
export function compileWindows(windows: readonly WeeklyWindow[]): (minuteOfWeek: number) => boolean {
  const spans = mergeSpans(windows.flatMap((window) => window.days.flatMap((day) => toSpans(day, window))));
  return (minute) => {
    for (const span of spans) {
      if (minute < span.from) return false;
      if (minute < span.to) return true;
    }
    return false;
  };
}

type Span = { from: number; to: number };

function toSpans(day: number, window: { from: string; to: string }): Span[] {
  const start = (day - 1) * minutesPerDay;
  const from = minuteOfDay(window.from);
  const to = minuteOfDay(window.to);
  const span = { from: start + from, to: start + (to <= from ? to + minutesPerDay : to) };
  if (span.to <= minutesPerWeek) return [span];
  // Sunday night runs into Monday morning, which is the start of the week.
  return [
    { from: span.from, to: minutesPerWeek },
    { from: 0, to: span.to - minutesPerWeek },
  ];
}

function minuteOfDay(text: string): number {
  const [hours = '0', minutes = '0'] = text.split(':');
  return Number(hours) * 60 + Number(minutes);
}

function mergeSpans(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else merged.push({ ...span });
  }
  return merged;
}
