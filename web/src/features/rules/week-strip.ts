/** Weekly windows as bars of a week, for the eye. Days 1–7 are Monday–Sunday; a window whose end is at or before its start passes midnight. */
import type { Window } from '#features/rules/rule-draft.ts';

export type Bar = { from: number; to: number };
const dayMinutes = 24 * 60;

export function minutesOf(time: string): number {
  const [hours = '0', minutes = '0'] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}

/** Bars of each day, Monday first, in minutes of the day; touching ones are joined. */
export function weekBars(windows: readonly Window[]): Bar[][] {
  const week: Bar[][] = Array.from({ length: 7 }, () => []);
  for (const { days, from, to } of windows) {
    const start = minutesOf(from);
    const end = minutesOf(to);
    for (const day of days) {
      if (end > start) week[day - 1]?.push({ from: start, to: end });
      else {
        week[day - 1]?.push({ from: start, to: dayMinutes });
        if (end > 0) week[day % 7]?.push({ from: 0, to: end });
      }
    }
  }
  return week.map(join);
}

/** Hours of the week that the windows cover. */
export const weekHours = (windows: readonly Window[]): number =>
  weekBars(windows)
    .flat()
    .reduce((sum, bar) => sum + bar.to - bar.from, 0) / 60;

function join(bars: Bar[]): Bar[] {
  const joined: Bar[] = [];
  for (const bar of [...bars].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && bar.from <= last.to) last.to = Math.max(last.to, bar.to);
    else joined.push({ ...bar });
  }
  return joined;
}
