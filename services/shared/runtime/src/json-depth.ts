/**
 * Refuses JSON that is nested without end. A hundred kilobytes of brackets parse well, and then overflow the stack of
 * whatever walks over them: writing them as JSON again, or handing them to another thread.
 */

/** No body or event of ours is half as deep. */
const jsonDepthMax = 32;

/** True when the value is nested deeper than that. Itself bounded by it. */
export function isTooDeep(value: unknown, levels = jsonDepthMax): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((part) => isTooDeep(part, levels - 1));
}
