/** Weekly windows of a camera on its site's clock, compiled once for each policy. */
import { compileWindows, minuteOfWeek } from '@siphera/rules';
import type { KnownCamera } from '../../domain/camera.ts';
import type { InWindow } from '../../domain/keep.ts';

const compiled = new WeakMap<object, ReturnType<typeof compileWindows>>();

/** Without a known time zone every moment counts: rather too much footage than none. */
export function windowsOf(camera: Pick<KnownCamera, 'recording' | 'timeZone'>): InWindow {
  const { schedule } = camera.recording;
  let contains = compiled.get(schedule);
  if (!contains) {
    contains = compileWindows(schedule);
    compiled.set(schedule, contains);
  }
  const inside = contains;
  return (atMs) => {
    const minute = minuteOfWeek(camera.timeZone, atMs);
    return minute === undefined || inside(minute);
  };
}

const minutesPerWeek = 10_080;

/** Share of the week that the windows cover, 0 to 1. */
export function weekShare(camera: Pick<KnownCamera, 'recording'>): number {
  const contains = compileWindows(camera.recording.schedule);
  let minutes = 0;
  for (let minute = 0; minute < minutesPerWeek; minute += 1) if (contains(minute)) minutes += 1;
  return minutes / minutesPerWeek;
}
