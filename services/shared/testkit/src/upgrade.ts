/** Upgrades of a database: from each release that ever was to this one, compared with a fresh database. */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { migrate, openDatabase, type Sqlite } from '@siphera/runtime';
import { tempDir } from './temp-dir.ts';

export type Upgrade = {
  /** The newest migration of the release that was upgraded from. */
  from: string;
  schema: SchemaPart[];
  /** Rows of `PRAGMA foreign_key_check` and what `integrity_check` says beside "ok". */
  faults: unknown[];
};
type SchemaPart = { type: string; name: string; sql: string | null; columns: unknown[] };

const atMs = Date.UTC(2026, 0, 1);

/** The schema that a new box gets. */
export async function freshSchema(migrations: string): Promise<SchemaPart[]> {
  await using dir = await tempDir('fresh');
  const db = openDatabase(join(dir.path, 'db.sqlite'));
  migrate(db, migrations, atMs);
  const schema = schemaOf(db);
  db.close();
  return schema;
}

/**
 * For each migration: a database of the release that ended with it, filled by `fill` where there is one, closed, and
 * opened by each later release one after the other up to this one.
 */
export async function upgradeFromEach(
  migrations: string,
  fill: (db: Sqlite, from: string) => void = () => undefined,
): Promise<Upgrade[]> {
  const files = readdirSync(migrations).sort((a, b) => a.localeCompare(b, 'en'));
  const upgrades: Upgrade[] = [];
  for (const [index, from] of files.entries()) {
    await using dir = await tempDir('upgrade');
    const [path, released] = [join(dir.path, 'db.sqlite'), join(dir.path, 'migrations')];
    mkdirSync(released);
    for (const file of files.slice(0, index)) copyFileSync(join(migrations, file), join(released, file));
    for (const file of files.slice(index)) {
      copyFileSync(join(migrations, file), join(released, file));
      const db = openDatabase(path);
      migrate(db, released, atMs);
      if (file === from) fill(db, from);
      if (file === files.at(-1)) upgrades.push({ from, schema: schemaOf(db), faults: faultsOf(db) });
      db.close();
    }
    rmSync(released, { recursive: true });
  }
  return upgrades;
}

function schemaOf(db: Sqlite): SchemaPart[] {
  return db
    .prepare<[], Omit<SchemaPart, 'columns'>>('SELECT type, name, sql FROM sqlite_master ORDER BY type, name')
    .all()
    .map((part) => ({
      ...part,
      sql: part.sql?.replaceAll(/\s+/g, ' ') ?? null,
      columns:
        part.type === 'table'
          ? db.prepare('SELECT * FROM pragma_table_xinfo(?) ORDER BY name').all(part.name)
          : [],
    }));
}

function faultsOf(db: Sqlite): unknown[] {
  const integrity = db.pragma('integrity_check') as Array<{ integrity_check: string }>;
  return [
    ...(db.pragma('foreign_key_check') as unknown[]),
    ...integrity.filter((row) => row.integrity_check !== 'ok'),
  ];
}
