/**
 * What Kamailio works with, as the bridge writes it into `plan/`: docs/design/phones.md lists keys and fields of each table. What
 * must stay true: no value holds a `;`, `=`, quote or control character inside of a field, for Kamailio reads `name=value;…`.
 */

/** Tables of the htable module by name. `pidf` alone holds XML instead of fields. */
export const tableNames = [
  'account',
  'number',
  'member',
  'did',
  'prefix',
  'emergency',
  'location',
  'pidf',
  'trunk',
  'setting',
] as const;
export type TableName = (typeof tableNames)[number];

/** Groups of the permissions module: calls of trunks come from there (tag: trunk id), unknown callers are in a place (tag: location id). */
export const addressGroups = { trunk: 1, location: 2 } as const;
/** Sets of the dispatcher module. */
export const dispatcherSets = { calls: 1, emergency: 2, drill: 3 } as const;

export type SwitchTables = {
  tables: Partial<Record<TableName, Readonly<Record<string, string>>>>;
  addresses: { group: number; network: string; tag: string }[];
  /** Higher priority is tried first. */
  destinations: { set: number; uri: string; priority: number; fields: Readonly<Record<string, string>> }[];
  /** Trunks that we register at (module uac). */
  registrations: {
    id: string;
    username: string;
    domain: string;
    realm: string;
    password: string;
    proxy: string;
    expires: number;
  }[];
};

/** Fields as one value. @throws Error when a field could be read as another one. */
export function fields(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  return Object.entries(values)
    .filter(
      (entry): entry is [string, string | number | boolean] => entry[1] !== undefined && entry[1] !== '',
    )
    .map(([name, value]) => {
      const text = typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
      if (/[;="\p{Cc}]/u.test(text)) throw new Error(`The field ${name} holds a separator`);
      return `${name}=${text}`;
    })
    .join(';');
}

/** Text of people made fit for a field: separators become spaces. */
export const fieldText = (text: string): string =>
  text
    .replaceAll(/[;="<>\\\p{Cc}]/gu, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim()
    .slice(0, 120);
