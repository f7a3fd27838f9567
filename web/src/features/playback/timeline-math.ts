/** Arithmetic of the timeline: what is seen, where a moment lies, which ticks and spans are drawn. Pure; wall milliseconds. */
export type Window = { from: number; to: number };
export type Tick = { at: number; major: boolean };

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
/** From one minute to a week: what the box gives in one reading. */
const lengthMin = minute;
export const lengthMax = 7 * day;
const steps = [
  second,
  5 * second,
  10 * second,
  30 * second,
  minute,
  5 * minute,
  10 * minute,
  30 * minute,
  hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
] as const;
/** Labels nearer than this would touch. */
const labelPx = 84;

export const lengthOf = ({ from, to }: Window): number => to - from;
export const toPart = (window: Window, at: number): number => (at - window.from) / lengthOf(window);
export const toTime = (window: Window, part: number): number => window.from + part * lengthOf(window);

/** Enlarges around a place of the timeline (0–1), which keeps its moment. Never beyond `latest`. */
export function zoomWindow(window: Window, factor: number, part: number, latest: number): Window {
  const length = Math.min(lengthMax, Math.max(lengthMin, lengthOf(window) * factor));
  const at = toTime(window, part);
  return bounded({ from: at - part * length, to: at + (1 - part) * length }, latest);
}
export const panWindow = (window: Window, parts: number, latest: number): Window =>
  bounded({ from: window.from + parts * lengthOf(window), to: window.to + parts * lengthOf(window) }, latest);
export const around = (at: number, length: number, latest: number): Window =>
  bounded({ from: at - length / 2, to: at + length / 2 }, latest);

/** The future may be seen for a tenth, so that "now" is not at the very edge. */
function bounded(window: Window, latest: number): Window {
  const over = window.to - (latest + lengthOf(window) / 10);
  return over > 0 ? { from: window.from - over, to: window.to - over } : window;
}

/** Brings a moment into view without moving when it is already there. */
export function follow(window: Window, at: number, latest: number): Window {
  const part = toPart(window, at);
  return part >= 0 && part <= 0.98 ? window : around(at, lengthOf(window), latest);
}

/** Ticks at round times of the viewer's clock (`offsetMs` east of UTC); major ones carry a label. */
export function ticksOf(window: Window, widthPx: number, offsetMs: number): Tick[] {
  const perPx = lengthOf(window) / Math.max(1, widthPx);
  const major = steps.find((step) => step / perPx >= labelPx) ?? day;
  const minor =
    [...steps].reverse().find((step) => step < major && major % step === 0 && step / perPx >= 7) ?? major;
  const first = Math.ceil((window.from + offsetMs) / minor) * minor - offsetMs;
  const count = Math.min(2_000, Math.floor((window.to - first) / minor) + 1);
  return Array.from({ length: Math.max(0, count) }, (_, index) => {
    const at = first + index * minor;
    return { at, major: (at + offsetMs) % major === 0 };
  });
}

/** Spans inside the window as parts of it; those that would melt into one pixel do. */
export function drawnSpans(
  spans: readonly Window[],
  window: Window,
  widthPx: number,
): { left: number; width: number }[] {
  const pixel = lengthOf(window) / Math.max(1, widthPx);
  const drawn: Window[] = [];
  for (const span of spans) {
    if (span.to < window.from || span.from > window.to) continue;
    const last = drawn.at(-1);
    if (last && span.from - last.to < pixel) last.to = Math.max(last.to, span.to);
    else drawn.push({ from: Math.max(span.from, window.from), to: Math.min(span.to, window.to) });
  }
  return drawn.map(({ from, to }) => ({
    left: toPart(window, from),
    width: Math.max((to - from) / lengthOf(window), 1 / Math.max(1, widthPx)),
  }));
}

/** The next, or the last, beginning of something that happened. */
export function jumpTarget(moments: readonly number[], at: number, direction: 1 | -1): number | undefined {
  const sorted = [...moments].sort((a, b) => a - b);
  return direction === 1 ? sorted.find((one) => one > at + 500) : sorted.findLast((one) => one < at - 1_500);
}
