/**
 * What all parts contribute, made one plan. What must stay true: two parts never say different things of one key, and a plan is whole or
 * it is none.
 */
import { createHash } from 'node:crypto';
import { tableNames, type SwitchTables, type TableName } from './switch-tables.ts';

/** All tables are there, also those nobody has rows for: Kamailio loads every one. */
export type WholePlan = Omit<SwitchTables, 'tables'> & { tables: Record<TableName, Record<string, string>> };

/** What Kamailio loads by one command: a trunk registers by itself, so that a change of one does not make all others ask their providers. */
export type PlanSection = `table ${TableName}` | 'address' | 'dispatcher' | `uacreg ${string}`;
/** A word for the content of each. */
export type PlanDigests = Partial<Record<PlanSection, string>>;

/** The columns of Kamailio hold so much (its own scripts make them so); what is longer would be cut by other databases. */
const keyCharactersMax = 64;

/** @throws Error when two contributions differ on one key, or a key cannot be one. */
export function mergePlan(contributions: readonly Partial<SwitchTables>[]): WholePlan {
  const tables = Object.fromEntries(
    tableNames.map((name) => [name, mergeTable(name, contributions)]),
  ) as WholePlan['tables'];
  const registrations = contributions.flatMap((one) => one.registrations ?? []);
  if (new Set(registrations.map(({ id }) => id)).size !== registrations.length)
    throw new Error('A trunk is registered twice');
  return {
    tables,
    // Kamailio takes the first that fits: of two trunks whose ranges meet, or places of two organisations, the narrower one.
    addresses: contributions
      .flatMap((one) => one.addresses ?? [])
      .toSorted((a, b) => prefixLength(b.network) - prefixLength(a.network)),
    destinations: contributions.flatMap((one) => one.destinations ?? []),
    registrations,
  };
}

const prefixLength = (network: string): number => {
  const [address = '', length] = network.split('/');
  return Number(length ?? (address.includes(':') ? 128 : 32));
};

function mergeTable(
  name: TableName,
  contributions: readonly Partial<SwitchTables>[],
): Record<string, string> {
  const merged = new Map<string, string>();
  for (const [key, value] of contributions.flatMap(({ tables }) => Object.entries(tables?.[name] ?? {}))) {
    if (key === '' || key.length > keyCharactersMax || /[\p{Cc}]/u.test(key))
      throw new Error(`The table ${name} cannot have the key ${JSON.stringify(key.slice(0, 80))}`);
    if ((merged.get(key) ?? value) !== value)
      throw new Error(`Two parts of the bridge differ on ${key} of the table ${name}`);
    merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/** The same content has the same word, whatever the order in which it was said. */
export function digestsOf(plan: WholePlan): PlanDigests {
  const rows = (list: readonly unknown[]): string => digest(list.map((row) => JSON.stringify(row)));
  return {
    ...Object.fromEntries(
      tableNames.map((name) => [`table ${name}`, rows(Object.entries(plan.tables[name]))] as const),
    ),
    address: rows(plan.addresses),
    dispatcher: digest(dispatcherLines(plan)),
    ...Object.fromEntries(plan.registrations.map((one) => [`uacreg ${one.id}`, rows([one])] as const)),
  };
}

/** Sections that are not what they were, those that are gone included; in the order in which they are loaded. */
export function changedSections(before: PlanDigests, now: PlanDigests): PlanSection[] {
  const sections = [...new Set([...Object.keys(now), ...Object.keys(before)])] as PlanSection[];
  return sections.filter((section) => before[section] !== now[section]);
}

const digest = (lines: string[]): string =>
  createHash('sha256').update(lines.toSorted().join('\n')).digest('base64');

/** Of the dispatcher: the name is looked up when a call goes there. Without it, one that has no address at load is not there until the next. */
const lookedUpLater = 16;
const flagsOf = (uri: string): number =>
  /^sips?:(\[|\d{1,3}(\.\d{1,3}){3}(?![^:;]))/.test(uri) ? 0 : lookedUpLater;

/** Lines of `dispatcher.list`: set, destination, flags, priority, attributes. @throws Error when one would be read as another. */
export const dispatcherLines = ({ destinations }: Pick<SwitchTables, 'destinations'>): string[] =>
  destinations.map(({ set, uri, priority, fields: attributes }) => {
    const text = Object.entries(attributes)
      .map(([name, value]) => `${name}=${value}`)
      .join(';');
    if (!/^[\x21-\x7e]+$/.test(uri) || /[\s"#\p{Cc}]/u.test(text))
      throw new Error(`A destination of set ${set} cannot be written down`);
    return `${set} ${uri} ${flagsOf(uri)} ${priority} ${text}`.trimEnd();
  });
