/**
 * The tables that Kamailio works with (docs/design/phones.md), written as the bridge's publisher writes them: for tests of Kamailio without
 * the bridge.
 */
import { createHash } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDatabase } from '@siphera/runtime';

type Fields = Readonly<Record<string, string | number>>;
export type SipPlan = {
  /** By auth_username; `secret` becomes `ha1`. */
  account?: Readonly<Record<string, { number: string; secret: string; kind?: 'phone' | 'door' }>>;
  number?: Readonly<Record<string, Fields>>;
  member?: Readonly<Record<string, string>>;
  did?: Readonly<Record<string, string>>;
  prefix?: Readonly<Record<string, string>>;
  emergency?: Readonly<Record<string, Fields>>;
  location?: Readonly<Record<string, Fields>>;
  pidf?: Readonly<Record<string, string>>;
  trunk?: Readonly<Record<string, Fields>>;
  setting?: Readonly<Record<string, string | number>>;
  address?: readonly { group: 1 | 2; network: string; tag: string }[];
  destinations?: readonly { set: 1 | 2 | 3; uri: string; priority?: number; trunk: string; style?: string }[];
  registrations?: readonly Fields[];
};
export const sipTables = [
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

const valueOf = (value: string | number | Fields): string =>
  typeof value === 'object'
    ? Object.entries(value)
        .map(([name, field]) => `${name}=${field}`)
        .join(';')
    : String(value);

export const ha1 = (user: string, realm: string, secret: string): string =>
  createHash('md5').update(`${user}:${realm}:${secret}`).digest('hex');

/** Replaces the plan below `planDir`, each file by a rename. */
export async function writeSipPlan(planDir: string, realm: string, plan: SipPlan): Promise<void> {
  await mkdir(planDir, { recursive: true });
  const next = join(planDir, '.plan.sqlite.test');
  await rm(next, { force: true });
  const db = openDatabase(next);
  db.pragma('journal_mode = DELETE');
  db.exec(tablesSql);
  for (const table of sipTables) {
    const row = db.prepare(`INSERT INTO "${table}" (key_name, key_value) VALUES (?, ?)`);
    const rows: Readonly<Record<string, string | number | Fields>> = plan[table] ?? {};
    for (const [key, value] of Object.entries(rows))
      row.run(key, table === 'account' ? accountOf(key, realm, value) : valueOf(value));
  }
  const address = db.prepare('INSERT INTO address (grp, ip_addr, mask, tag) VALUES (?, ?, ?, ?)');
  for (const { group, network, tag } of plan.address ?? []) {
    const [ip, mask = '32'] = network.split('/');
    address.run(group, ip, Number(mask), tag);
  }
  for (const fields of plan.registrations ?? []) {
    const names = Object.keys(fields);
    db.prepare(`INSERT INTO uacreg (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`).run(
      ...Object.values(fields),
    );
  }
  db.close();
  const lines = (plan.destinations ?? []).map(
    ({ set, uri, priority = 0, trunk, style }) =>
      `${set} ${uri} 0 ${priority} trunk=${trunk}${style === undefined ? '' : `;style=${style}`}`,
  );
  const list = join(planDir, '.dispatcher.list.test');
  await writeFile(list, `${lines.join('\n')}\n`);
  await rename(list, join(planDir, 'dispatcher.list'));
  await rename(next, join(planDir, 'plan.sqlite'));
}

function accountOf(user: string, realm: string, value: unknown): string {
  const { number, secret, kind = 'phone' } = value as { number: string; secret: string; kind?: string };
  return valueOf({ number, ha1: ha1(user, realm, secret), kind });
}

const tablesSql = `
  CREATE TABLE version (table_name TEXT PRIMARY KEY, table_version INTEGER NOT NULL);
  ${sipTables
    .map(
      (
        name,
      ) => `CREATE TABLE "${name}" (id INTEGER PRIMARY KEY, key_name VARCHAR(64) NOT NULL, key_type INTEGER NOT NULL DEFAULT 0,
    value_type INTEGER NOT NULL DEFAULT 0, key_value TEXT NOT NULL, expires INTEGER NOT NULL DEFAULT 0);
  INSERT INTO version VALUES ('${name}', 2);`,
    )
    .join('\n  ')}
  CREATE TABLE address (id INTEGER PRIMARY KEY, grp INTEGER NOT NULL, ip_addr TEXT NOT NULL, mask INTEGER NOT NULL,
    port INTEGER NOT NULL DEFAULT 0, tag TEXT);
  CREATE TABLE uacreg (id INTEGER PRIMARY KEY, l_uuid TEXT NOT NULL DEFAULT '', l_username TEXT NOT NULL DEFAULT '',
    l_domain TEXT NOT NULL DEFAULT '', r_username TEXT NOT NULL DEFAULT '', r_domain TEXT NOT NULL DEFAULT '', realm TEXT NOT NULL DEFAULT '',
    auth_username TEXT NOT NULL DEFAULT '', auth_password TEXT NOT NULL DEFAULT '', auth_ha1 TEXT NOT NULL DEFAULT '',
    auth_proxy TEXT NOT NULL DEFAULT '', expires INTEGER NOT NULL DEFAULT 0, flags INTEGER NOT NULL DEFAULT 0,
    reg_delay INTEGER NOT NULL DEFAULT 0, contact_addr TEXT NOT NULL DEFAULT '', socket TEXT NOT NULL DEFAULT '');
  INSERT INTO version VALUES ('address', 6), ('uacreg', 5);`;
