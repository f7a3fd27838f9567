/**
 * SQLite for a service that owns its file: open with the settings that make a commit durable, and migrate forward by
 * plain SQL files. A database that is newer than the code, or whose applied files were changed, stops the start.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

export type Sqlite = Database.Database;
export type Statement<P extends unknown[] = unknown[], R = unknown> = Database.Statement<P, R>;

export function openDatabase(path: string, options: { readonly?: boolean } = {}): Sqlite {
  const db = new Database(path, { readonly: options.readonly ?? false });
  // FULL: an acknowledged event survives a power cut. The busy timeout only matters to readers during recovery.
  if (!options.readonly) {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    // A WAL that once grew is cut back, so that a burst does not hold disk for ever.
    db.pragma('journal_size_limit = 67108864');
    // Pages, 16 MiB. At 5,000 events/s most pages are written again and again: of SQLite's own 1,000 every tenth commit pays
    // for a checkpoint and its two fsyncs; of these few do, and what they write is hardly more.
    db.pragma('wal_autocheckpoint = 4000');
  }
  db.pragma('busy_timeout = 5000');
  db.pragma('temp_store = MEMORY');
  rememberStatements(db);
  return db;
}

/**
 * A file that another program owns and writes too: it must be there, and how it keeps its journal stays as that program chose.
 * @param busyMsMax how long a lock of the other may hold this thread up.
 */
export function openSharedDatabase(path: string, busyMsMax: number): Sqlite {
  const db = new Database(path, { fileMustExist: true });
  db.pragma(`busy_timeout = ${busyMsMax}`);
  return db;
}

/** Statements kept per connection; texts that are put together from lists of ids stay below it in practice. */
const statementsMax = 1_000;

/**
 * Compiling a statement costs more than running it, so each text is compiled once per connection. A statement is thus
 * shared: do not change its mode (`pluck`, `raw`, `expand`), and do not run it again inside its own `iterate`.
 *
 * SQLite itself compiles a join anew whenever a value is bound to `column = ?` or `LIMIT ?` of it, in case the value makes
 * another plan better (30 to 100 µs). A join that runs for every event or command says `= +?` and `LIMIT +?`: to an
 * expression it does not look.
 */
function rememberStatements(db: Sqlite): void {
  const compile = db.prepare.bind(db);
  const known = new Map<string, Database.Statement>();
  db.prepare = ((text: string): Database.Statement => {
    const found = known.get(text);
    if (found) return found;
    if (known.size >= statementsMax) known.clear();
    const statement = compile(text);
    known.set(text, statement);
    return statement;
  }) as typeof db.prepare;
}

const fileName = /^\d{8}T\d{4}_[a-z0-9_]+\.sql$/;

/**
 * Applies the files of `directory` that are not applied yet, in name order, each in a transaction.
 * @returns the names applied now.
 * @throws Error when the database holds a migration this release does not know, or one whose text has changed.
 */
export function migrate(db: Sqlite, directory: string, nowMs: number): string[] {
  db.exec(
    `CREATE TABLE IF NOT EXISTS schema_migrations (
       name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  );
  const files = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort((a, b) => a.localeCompare(b, 'en'));
  const bad = files.find((name) => !fileName.test(name));
  if (bad) throw new Error(`Migration ${bad} is not named like 20261122T1030_add_door_schedule.sql`);
  const applied = db
    .prepare<[], { name: string; sha256: string }>('SELECT name, sha256 FROM schema_migrations')
    .all();
  const hashes = new Map(files.map((name) => [name, sha256(readFileSync(join(directory, name)))]));
  for (const { name, sha256: was } of applied) {
    const is = hashes.get(name);
    if (is === undefined) {
      throw new Error(
        `The database was written by a newer release (it holds migration ${name}). Install that release, or restore a backup.`,
      );
    }
    if (is !== was) throw new Error(`Migration ${name} differs from the one this database was made with.`);
  }
  const done = new Set(applied.map((row) => row.name));
  const pending = files.filter((name) => !done.has(name));
  const record = db.prepare('INSERT INTO schema_migrations (name, sha256, applied_ms) VALUES (?, ?, ?)');
  for (const name of pending) {
    db.transaction(() => {
      db.exec(readFileSync(join(directory, name), 'utf8'));
      record.run(name, hashes.get(name), nowMs);
    }).immediate();
  }
  return pending;
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
