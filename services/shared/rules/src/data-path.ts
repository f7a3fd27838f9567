/**
 * Reads a dotted path out of event data. Only own properties count: `__proto__`, `constructor` and what else JavaScript
 * inherits read as missing unless the sender really sent a field of that name.
 */

export type EventData = Readonly<Record<string, unknown>>;
/** True, false, or null when the data cannot tell. */
export type Verdict = boolean | null;
export type DataTest = (data: EventData) => Verdict;
/** What a path that is not there reads as is `undefined`, which cannot come out of JSON. */
export type PathReader = (data: EventData) => unknown;

/** Compiles a path. Names that no built-in prototype has are read directly, see `directName`. */
export function compilePath(path: string): PathReader {
  const names = path.split('.');
  const [first = '', second] = names;
  if (names.some((name) => inheritedNames.has(name))) return (data) => readOwn(data, names);
  if (second === undefined) return (data) => data[first];
  if (names.length > 2) return (data) => readDirect(data, names);
  return (data) => {
    const inner = data[first];
    return isObject(inner) ? inner[second] : undefined;
  };
}

/**
 * The path as a name that may be read as `data[name]`, if it is one. A name that no built-in prototype has gives the
 * same answer with and without asking for ownership, because data is JSON; not asking is several times faster.
 */
export function directName(path: string): string | undefined {
  return path.includes('.') || inheritedNames.has(path) ? undefined : path;
}

const inheritedNames: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  ...Object.getOwnPropertyNames(Array.prototype),
]);

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function readDirect(data: unknown, names: readonly string[]): unknown {
  let at = data;
  for (const name of names) {
    if (!isObject(at)) return undefined;
    at = at[name];
  }
  return at;
}

function readOwn(data: unknown, names: readonly string[]): unknown {
  let at = data;
  for (const name of names) {
    if (!isObject(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at;
}
