import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate, openDatabase, type Sqlite } from './sqlite.ts';

let dir = '';
let files = '';
let db: Sqlite;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'siphera-sqlite-'));
  files = join(dir, 'migrations');
  mkdirSync(files);
  db = openDatabase(join(dir, 'db.sqlite'));
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true, force: true });
});

const first = '20260101T0000_doors.sql';
const second = '20260102T0000_locks.sql';
const write = (name: string, sql: string): void => writeFileSync(join(files, name), sql);
const tables = (): string[] =>
  db
    .prepare<[], { name: string }>(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
    .all()
    .map((row) => row.name);

describe('opening', () => {
  it('commits durably and checks references', () => {
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    // 2 is FULL: the commit is on the disk when it returns.
    expect(db.pragma('synchronous', { simple: true })).toBe(2);
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
  });

  it('compiles each statement once, and refuses to write on a read-only connection', () => {
    db.exec('CREATE TABLE t (a INTEGER) STRICT');
    expect(db.prepare('SELECT a FROM t')).toBe(db.prepare('SELECT a FROM t'));
    const reading = openDatabase(join(dir, 'db.sqlite'), { readonly: true });
    expect(() => reading.prepare('INSERT INTO t VALUES (1)').run()).toThrow(/readonly/);
    reading.close();
  });
});

describe('migrations', () => {
  it('are applied once each, in the order of their names', () => {
    write(second, 'CREATE TABLE locks (door INTEGER REFERENCES doors (id)) STRICT;');
    write(first, 'CREATE TABLE doors (id INTEGER PRIMARY KEY) STRICT;');
    expect(migrate(db, files, 1)).toEqual([first, second]);
    expect(migrate(db, files, 2)).toEqual([]);
    expect(tables()).toEqual(['doors', 'locks', 'schema_migrations']);
  });

  it('leave nothing behind of one that fails, and keep those before it', () => {
    write(first, 'CREATE TABLE doors (id INTEGER PRIMARY KEY) STRICT;');
    write(second, 'CREATE TABLE locks (id INTEGER) STRICT; INSERT INTO nowhere VALUES (1);');
    expect(() => migrate(db, files, 1)).toThrow(/nowhere/);
    expect(tables()).toEqual(['doors', 'schema_migrations']);
    write(second, 'CREATE TABLE locks (id INTEGER) STRICT;');
    expect(migrate(db, files, 1)).toEqual([second]);
  });

  it('refuse a database that a newer release wrote', () => {
    write(first, 'CREATE TABLE doors (id INTEGER PRIMARY KEY) STRICT;');
    write(second, 'CREATE TABLE locks (id INTEGER) STRICT;');
    migrate(db, files, 1);
    rmSync(join(files, second));
    expect(() => migrate(db, files, 2)).toThrow(/newer release .*20260102T0000_locks\.sql/);
  });

  it('refuse a file whose text changed after it was applied', () => {
    write(first, 'CREATE TABLE doors (id INTEGER PRIMARY KEY) STRICT;');
    migrate(db, files, 1);
    write(first, 'CREATE TABLE doors (id INTEGER PRIMARY KEY, name TEXT) STRICT;');
    expect(() => migrate(db, files, 2)).toThrow(/20260101T0000_doors\.sql differs/);
  });

  it.each(['add_door.sql', '2026_door.sql', '20260101T0000_Door.sql', '20260101T0000-door.sql'])(
    'refuse the file name %s, and apply nothing',
    (name) => {
      write(first, 'CREATE TABLE doors (id INTEGER PRIMARY KEY) STRICT;');
      write(name, 'CREATE TABLE other (id INTEGER) STRICT;');
      expect(() => migrate(db, files, 1)).toThrow(/is not named like/);
      expect(tables()).toEqual(['schema_migrations']);
    },
  );
});
