/**
 * The files of the plan that Kamailio reads: `plan.sqlite` and `dispatcher.list`. What must stay true: whoever opens one finds a whole
 * one, of now or of before, also after a power cut: written beside, synced, renamed. Columns and versions are those of Kamailio 5.6
 * (/usr/share/kamailio/db_sqlite).
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { openDatabase, type Sqlite } from '@siphera/runtime';
import { dispatcherLines, type PlanDigests, type WholePlan } from '../domain/plan-merge.ts';
import { tableNames } from '../domain/switch-tables.ts';

/** Kamailio reads it as a member of the directory's group; passwords of trunks lie in it. */
const fileMode = 0o640;
/** Versions of tables that its modules ask for. */
const versions = { htable: 2, address: 6, trusted: 6, uacreg: 5 } as const;

/** `plan` and `section` are ours: what lies here, without reading all of it. */
const fixedTables = `
  CREATE TABLE version (id INTEGER PRIMARY KEY NOT NULL, table_name VARCHAR(32) NOT NULL, table_version INTEGER DEFAULT 0 NOT NULL);
  CREATE TABLE address (id INTEGER PRIMARY KEY NOT NULL, grp INTEGER DEFAULT 1 NOT NULL, ip_addr VARCHAR(50) NOT NULL,
    mask INTEGER DEFAULT 32 NOT NULL, port SMALLINT DEFAULT 0 NOT NULL, tag VARCHAR(64));
  CREATE TABLE trusted (id INTEGER PRIMARY KEY NOT NULL, src_ip VARCHAR(50) NOT NULL, proto VARCHAR(4) NOT NULL,
    from_pattern VARCHAR(64) DEFAULT NULL, ruri_pattern VARCHAR(64) DEFAULT NULL, tag VARCHAR(64), priority INTEGER DEFAULT 0 NOT NULL);
  CREATE TABLE uacreg (id INTEGER PRIMARY KEY NOT NULL, l_uuid VARCHAR(64) DEFAULT '' NOT NULL, l_username VARCHAR(64) DEFAULT '' NOT NULL,
    l_domain VARCHAR(64) DEFAULT '' NOT NULL, r_username VARCHAR(64) DEFAULT '' NOT NULL, r_domain VARCHAR(64) DEFAULT '' NOT NULL,
    realm VARCHAR(64) DEFAULT '' NOT NULL, auth_username VARCHAR(64) DEFAULT '' NOT NULL, auth_password VARCHAR(64) DEFAULT '' NOT NULL,
    auth_ha1 VARCHAR(128) DEFAULT '' NOT NULL, auth_proxy VARCHAR(255) DEFAULT '' NOT NULL, expires INTEGER DEFAULT 0 NOT NULL,
    flags INTEGER DEFAULT 0 NOT NULL, reg_delay INTEGER DEFAULT 0 NOT NULL, contact_addr VARCHAR(255) DEFAULT '' NOT NULL,
    socket VARCHAR(128) DEFAULT '' NOT NULL);
  CREATE TABLE plan (revision INTEGER NOT NULL);
  CREATE TABLE section (name TEXT PRIMARY KEY, digest TEXT NOT NULL)`;

export type WrittenPlan = { revision: number; digests: PlanDigests };

export class PlanFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What lies there; undefined when there is none or it cannot be read. */
  read(): WrittenPlan | undefined {
    const path = join(this.#directory, 'plan.sqlite');
    if (!existsSync(path) || !existsSync(join(this.#directory, 'dispatcher.list'))) return undefined;
    try {
      const db = openDatabase(path, { readonly: true });
      try {
        return readWritten(db);
      } finally {
        db.close();
      }
    } catch {
      // Damaged, or of another release: it is written anew.
      return undefined;
    }
  }

  /** Up to which revision Kamailio said that it works with the files. */
  appliedRevision(): number | undefined {
    const path = join(this.#directory, 'applied');
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined;
  }

  noteApplied(revision: number): void {
    const path = join(this.#directory, 'applied');
    writeBeside(path, `${revision}\n`);
    renameSync(`${path}.next`, path);
  }

  /** Both files are ready before one takes its place; the one that says what is there comes last. */
  write(plan: WholePlan, written: WrittenPlan): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o750 });
    const list = join(this.#directory, 'dispatcher.list');
    const path = join(this.#directory, 'plan.sqlite');
    writeBeside(list, `${dispatcherLines(plan).join('\n')}\n`);
    const next = `${path}.next`;
    for (const left of ['', '-journal', '-wal', '-shm']) rmSync(`${next}${left}`, { force: true });
    const db = openDatabase(next);
    try {
      // No second file beside it: a reader must find all in the one that was renamed.
      db.pragma('journal_mode = DELETE');
      db.transaction(() => fill(db, plan, written)).immediate();
    } finally {
      db.close();
    }
    sync(next);
    chmodSync(next, fileMode);
    for (const file of [list, path]) renameSync(`${file}.next`, file);
    sync(this.#directory);
  }
}

function readWritten(db: Sqlite): WrittenPlan {
  const problem = db.pragma('quick_check', { simple: true });
  if (problem !== 'ok') throw new Error(`The plan is damaged: ${String(problem)}`);
  const rows = db.prepare<[], { name: string; digest: string }>('SELECT name, digest FROM section').all();
  return {
    revision: db.prepare<[], number>('SELECT revision FROM plan').pluck().get() ?? 0,
    digests: Object.fromEntries(rows.map(({ name, digest }) => [name, digest])),
  };
}

function fill(db: Sqlite, plan: WholePlan, { revision, digests }: WrittenPlan): void {
  db.exec(fixedTables);
  const version = db.prepare('INSERT INTO version (table_name, table_version) VALUES (?, ?)');
  for (const name of ['address', 'trusted', 'uacreg'] as const) version.run(name, versions[name]);
  for (const name of tableNames) {
    // Names are ours, fixed in the list above.
    db.exec(
      `CREATE TABLE "${name}" (id INTEGER PRIMARY KEY NOT NULL, key_name VARCHAR(64) DEFAULT '' NOT NULL,
         key_type INTEGER DEFAULT 0 NOT NULL, value_type INTEGER DEFAULT 0 NOT NULL, key_value VARCHAR(128) DEFAULT '' NOT NULL,
         expires INTEGER DEFAULT 0 NOT NULL)`,
    );
    version.run(name, versions.htable);
    const row = db.prepare(`INSERT INTO "${name}" (key_name, key_value) VALUES (?, ?)`);
    for (const [key, value] of Object.entries(plan.tables[name])) row.run(key, value);
  }
  const address = db.prepare('INSERT INTO address (grp, ip_addr, mask, tag) VALUES (?, ?, ?, ?)');
  for (const { group, network, tag } of plan.addresses) {
    const [ip = '', mask = ip.includes(':') ? '128' : '32'] = network.split('/');
    address.run(group, ip, Number(mask), tag);
  }
  const registration = db.prepare(
    `INSERT INTO uacreg (l_uuid, l_username, l_domain, r_username, r_domain, realm, auth_username, auth_password, auth_proxy, expires)
     VALUES (@id, @username, @domain, @username, @domain, @realm, @username, @password, @proxy, @expires)`,
  );
  for (const one of plan.registrations) registration.run(one);
  db.prepare('INSERT INTO plan (revision) VALUES (?)').run(revision);
  const section = db.prepare('INSERT INTO section (name, digest) VALUES (?, ?)');
  for (const [name, digest] of Object.entries(digests)) section.run(name, digest);
}

/** As `<path>.next`. */
function writeBeside(path: string, text: string): void {
  const next = `${path}.next`;
  const file = openSync(next, 'w', fileMode);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  // The mask of the process may have taken the group's bit away.
  chmodSync(next, fileMode);
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
