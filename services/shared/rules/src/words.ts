/** Plain words for traces: durations, values and names as a guard would say them. */

/** A duration in its two largest units: `10 min`, `1 h 5 min`, `45 s`. */
export function durationWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const units: [string, number][] = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3_600) % 24],
    ['min', Math.floor(seconds / 60) % 60],
    ['s', seconds % 60],
  ];
  const first = units.findIndex(([, amount]) => amount > 0);
  return units
    .slice(first, first + 2)
    .filter(([, amount]) => amount > 0)
    .map(([unit, amount]) => `${amount} ${unit}`)
    .join(' ');
}

/** Longest piece of event data in a title or trace, in characters; hostile data must not fill the trace ring. */
export const valueCharsMax = 80;

/** A value from event data in one short line without control characters. */
export function valueWords(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return `"${shorten(value)}"`;
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
}

/** One line, no control characters, at most `max` characters. */
export function shorten(text: string, max: number = valueCharsMax): string {
  if (text.length <= max && !controlOrEdge.test(text)) return text;
  // Cut before cleaning, so that a megabyte of text costs no more than a line.
  const clean = text
    .slice(0, max * 2)
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  return clean.length > max ? `${clean.slice(0, max - 1)}…` : clean;
}

const controlOrEdge = /\p{Cc}|^\s|\s$/u;
